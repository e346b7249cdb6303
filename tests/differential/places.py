"""Is what weir lets through by "under" and "host" there for real readers, too?

	WEIR=weir python3 places.py SEED COUNT

Generates uris that look much alike, and has weir judge them in calls, required
and denied. What passes a "require" must be in that place for Node's URL, if
node is here, and for Python's urllib; what passes a "deny_if" must not be.
"""
import json
import os
import posixpath
import random
import subprocess
import sys
import tempfile
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
DIRECTORY = '/srv/data'
# Of each kind: what is asked, and the parts that its uris are made of.
KINDS = {
    'host': ('host', ['example.org', '*.example.org'], 'http https HTTPS', ''),
    'https': ('under', 'https://example.org' + DIRECTORY, 'https HTTPS http',
              'example.org EXAMPLE.org example.org:443 example.org:8443'),
    'file': ('under', 'file://' + DIRECTORY, 'file FILE',
             '|||localhost|c:|/|//h'),
    'docs': ('under', 'docs://h' + DIRECTORY, 'docs Docs', 'h H h:80 g'),
}
HOSTS = ('example.org EXAMPLE.org a.example.org evil.com evilexample.org '
         'example.org.evil.com example.org. .example.org 127.0.0.1 2130706433 '
         '0x7f.1 127.1 [::1] [0::1] [::ffff:127.0.0.1] localhost '
         'exa\u00admple.org example\u3002org example%2eorg 127.0.0.1. '
         'xn--example.org a_b.example.org').split(' ')
JOINTS = ('@ %40 \\@ #@ ?@ ;@ : :80@ \t \\ // %2f \uff20 \uff0f :80 :080 '
          ':65536 : :80:80').split(' ')
BEGINS = ['://'] * 12 + [':/', ':', ':///', ':\\\\', '\t://', '://\t', ':// ']
SEGMENTS = ('a b srv data Srv .. .. .. . %2e%2e .%2e ..; ..;x a;b ..%2f %2f '
            '..%5c ..\\ \\ %5c C: c| C%7c ? # ?x #x ? ?/../.. .. # ..? ..# '
            '%252e%252e %00 %c0%ae \u00e9 %20 ... %28 ( ~ %zz %3f %3b @ : '
            'a:b ;').split(' ') + ['', '', '', '.. ', '..\u200b', '..\u00a0']
ODD = ['\t', '\n', '\r', ' ', '\u00a0', '\ufeff', '\0', '\x7f', *'@:/\\?#%.;[|',
       '..', '/../', '//', '%2e', '%2f', '\u212a', '\u017f', '\u0131']


def generate(pick, kind):
    _, _, schemes, hosts = KINDS[kind]
    host = pick.choice(hosts.split('|' if '|' in hosts else ' '))
    path = [pick.choice(SEGMENTS) for _ in range(pick.randint(0, 6))]
    if kind == 'host':
        host = pick.choice(HOSTS)
        for _ in range(pick.choice([0, 0, 0, 1, 1, 2])):
            host += pick.choice(JOINTS) + pick.choice(HOSTS + [''])
    elif pick.random() < 0.85:
        at = pick.randint(0, len(path))
        path[at:at] = DIRECTORY.split('/')[1:]
    uri = pick.choice(schemes.split(' ')) + pick.choice(BEGINS) + host
    uri += '/' + '/'.join(path) if path or pick.random() < 0.5 else ''
    for _ in range(pick.choice([0, 0, 0, 0, 1, 1, 2])):
        at = pick.randint(0, len(uri))
        uri = uri[:at] + pick.choice(ODD) + uri[at + pick.randint(0, 1):]
    return uri


def judge(key, op, value, uris):
    """The numbers of those that weir passes on; cat is the server."""
    policy = {'version': '1', 'default': 'deny', 'tools': {
        't': {key: [{'path': 'args.x', 'op': op, 'value': value}]}}}
    calls = ''.join(json.dumps({
        'jsonrpc': '2.0', 'id': i, 'method': 'tools/call',
        'params': {'name': 't', 'arguments': {'x': uri}}}) + '\n'
        for i, uri in enumerate(uris))
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        json.dump(policy, file)
        file.flush()
        out = subprocess.run([os.environ['WEIR'], '-p', file.name, '--', 'cat'],
                             input=calls.encode(), stdout=subprocess.PIPE,
                             check=True).stdout
    lines = (json.loads(line) for line in out.decode().splitlines() if line)
    return {line['id'] for line in lines if 'method' in line}


def read_python(uri):
    try:
        u = urllib.parse.urlsplit(uri)
        rest = uri.split('://', 1)[-1].partition('/')
        return [u.scheme, u.netloc if u.scheme == 'docs' else u.hostname or '',
                str(u.port or ''), u.path, rest[1] + rest[2]]
    except ValueError:
        return None


def read_node(uris):
    return [json.loads(line) for line in subprocess.run(
        ['node', HERE + '/places.js'], stdout=subprocess.PIPE, check=True,
        input=''.join(json.dumps(uri) + '\n' for uri in uris).encode(),
    ).stdout.splitlines()]


def is_there(kind, seen, whole):
    """Is it the place that is asked for?  whole: to a reader of files."""
    scheme, host, port, path, rest = seen
    if kind == 'host':
        return scheme in ('http', 'https') and (
            host == 'example.org' or host.endswith('.example.org'))
    want = {'https': 'example.org', 'file': '', 'docs': 'h'}[kind]
    if scheme != kind or host != want:
        return False
    if port and (kind, port) != ('https', '443'):
        return False
    path = urllib.parse.unquote(rest if whole else path)
    path = posixpath.normpath('/' + path.lstrip('/'))
    return path == DIRECTORY or path.startswith(DIRECTORY + '/')


def main():
    pick = random.Random(int(sys.argv[1]))
    count = int(sys.argv[2]) // len(KINDS)
    findings = 0
    for kind, (op, value, _, _) in KINDS.items():
        uris = [generate(pick, kind) for _ in range(count)]
        readers = {'python': [read_python(uri) for uri in uris]}
        try:
            readers['node'] = read_node(uris)
        except FileNotFoundError:
            print('places: node is not here')
        passed = {key: judge(key, op, value, uris)
                  for key in ('require', 'deny_if')}
        for key, ids in passed.items():
            for i in sorted(ids):
                for name, seen in readers.items():
                    if not seen[i]:
                        continue
                    places = {is_there(kind, seen[i], whole)
                              for whole in ((False,) if kind == 'https' else
                                            (False, True))}
                    if (key != 'require') in places:
                        findings += 1
                        print(f'{key} {value}: {uris[i]!r}: {name} {seen[i]}')
        print(f'places {kind}: {count} uris, '
              f'{len(passed["require"])} and {len(passed["deny_if"])} pass')
        if min(map(len, passed.values())) < count // 100:
            sys.exit('places: fewer than 1 in 100 pass, which tests little')
    sys.exit(findings > 0)


main()
