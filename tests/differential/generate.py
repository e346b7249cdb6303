"""Lines for weir to judge: generate.py SEED COUNT [FIRST] <client.tsv

Each line depends on the seed, its number and the corpus only, so that one of
them can be had again.  Some are sound messages, spelled in odd ways; the others
have been changed where readers disagree.  Both begin with lines of the corpus,
or with messages made here.
"""

import json
import re
import sys
from random import Random

# Of the corpus' lines; longer ones take too long, and deeper ones too much of
# the stack: in bytes, and in brackets.
LONGEST = 20_000
DEEPEST = 300


# --- where the lines come from ------------------------------------------------


ESCAPE = re.compile(rb"\\(?:\{(\d+):([^}]*)\}|x([0-9a-fA-F]{2})|([rnt0\\]))")
PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def unescape(field):
    """The line that a field of the corpus stands for; its header says how."""

    def plain(match):
        times, repeated, byte, letter = match.groups()
        if times:
            return unescape(repeated) * int(times)
        return bytes([int(byte, 16)]) if byte else PLAIN[letter]

    return ESCAPE.sub(plain, field)


def corpus(file):
    """The lines that pass, and all of them."""
    passing, lines = [], []
    for row in file:
        fields = row.rstrip(b"\n").split(b"\t", 5)
        if row.startswith(b"#") or len(fields) < 6:
            continue
        line = unescape(fields[5]).replace(b"\n", b" ")
        if len(line) <= LONGEST:
            lines.append(line)
            if fields[1] == b"pass":
                passing.append(line)
    return passing, lines


class Object(list):
    """The members of an object: in order, and one key twice if need be."""


class Number(str):
    """A number as it is spelled."""


ENDS = ["\u2028", "\u2029", "\u0085"]  # of a line, to some
KEYS = """a b x path name Name NAME na\u017fe id ID method METHOD params Params
 param\u017f jsonrpc result error uri URI arguments Arguments _meta task cursor
 inputResponses requestState \u212aey token constructor prototype toString
 hasOwnProperty length __proto _proto__ proto \u00e9 e\u0301 \U0001f600 0 -1
 null true $ref @type argument""".split() + ENDS + ["", " ", "a b"]
TEXTS = """a forbidden allowed tools/call ping /srv/data ../../etc/passwd 2.0
 \u00e9 e\u0301 \u212aill \ufeff \u200b \x7f \ufffd
 \uffff \U0001f600 \U0010ffff \U00010000 \ud7ff \ue000 {} [] null 66 // /**/
 # <!-- */ \\ \\u0061 \\n ' " "" \ud800 \udc00 \ud800x \udc00\ud800""".split()
TEXTS += ["", " ", "\n", "\r", "\r\n", "\t", "\b\f", "\0", "a\0b", "\x1b[0m"]
TEXTS += ENDS + ["\u00a0"]
NUMBERS = """0 1 -1 -0 66 1.5 -0.0 1e3 1E+3 1e-3 0.1 1.0 1e0 2147483648
 9007199254740993 9223372036854775807 18446744073709551616 1e308 1e309 -1e999
 1e-999 123456789012345678901234567890 0.1234567890123456789 5e-324""".split()
METHODS = """ping initialize prompts/list resources/list completion/complete
 tools/calls tools tools/ xtools/call tools/call/ tools//call logging/setLevel
 sampling/createMessage tasks/get server/discover a \u00e9 \U0001f600""".split()
METHODS += ["", " ", "tools call", "rpc.discover"]
TOOLS = """forbidden allowed a read_file Forbidden FORBIDDEN \u00e9 e\u0301
 \u212aill a.b a/b a-b \U0001f600 for\u200bbidden \x7f 0 true constructor
 toString""".split() + ENDS + ["", " ", "forbidden ", "\tforbidden", "\n"]


def inner(rng):
    """A call that must not be seen."""
    return (
        b'{"jsonrpc":"2.0","id":%d,"method":"tools/call",'
        b'"params":{"name":"forbidden","arguments":{}}}' % rng.randrange(60, 70)
    )


def text(rng):
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(TEXTS)
    if kind < 0.8:
        return "".join(rng.choices(TEXTS, k=rng.randrange(2, 6)))
    if kind < 0.9:
        split = rng.choice(["", "\r", "\n", "\0", *ENDS])
        return split + inner(rng).decode() + split
    if kind < 0.98:
        return "".join(chr(rng.randrange(32, 0x3000)) for _ in range(8))
    return rng.choice("a\u00e9\\") * rng.choice([255, 1024, 5000])


def value(rng, depth=0):
    kind = rng.random()
    if depth < 4 and kind < 0.35:
        if kind < 0.2:
            size = rng.randrange(4)
            keys = [rng.choice(KEYS) for _ in range(size)]
            return Object((key, value(rng, depth + 1)) for key in keys)
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if 0.35 <= kind < 0.37:
        deep = value(rng, 4)
        for _ in range(rng.choice([5, 60, 115])):
            deep = [deep] if rng.random() < 0.5 else Object([("a", deep)])
        return deep
    if kind < 0.42:
        return model(inner(rng))
    if kind < 0.75:
        return text(rng)
    if kind < 0.92:
        return Number(rng.choice(NUMBERS))
    return rng.choice([True, False, None])


def identity(rng):
    kind = rng.random()
    if kind < 0.6:
        return Number(rng.randrange(100))
    if kind < 0.8:
        digits = rng.choice([15, 16, 17, 18, 19])
        sign = rng.choice(["", "-"])
        return Number(sign + str(rng.randrange(10 ** (digits - 1), 10**digits)))
    return re.sub("[\0\ud800-\udfff]", "", text(rng))[:40]


def sound(texts):
    """Those that may be a method or name something."""
    return [text for text in texts if not re.search("[\0\ud800-\udfff]", text)]


NAMES = sound(TOOLS + TEXTS)


def message(rng):
    """A sound message."""
    version, number = ("jsonrpc", "2.0"), ("id", identity(rng))
    kind = rng.random()
    if kind < 0.06:
        return Object([version, number, ("result", value(rng))])
    if kind < 0.1:
        error = Object([("code", Number(-32000)), ("message", text(rng))])
        if rng.random() < 0.2:
            number = ("id", None)
        return Object([version, number, ("error", error)])
    params = Object()
    method = rng.choice(METHODS)
    if kind < 0.6:
        method = "tools/call"
        params.append(("name", rng.choice(NAMES)))
        if rng.random() < 0.8:
            pairs = [(rng.choice(KEYS), value(rng)) for _ in range(2)]
            none = rng.random() < 0.05
            params.append(("arguments", None if none else Object(pairs)))
    elif kind < 0.68:
        method = "prompts/get"
        params.append(("name", rng.choice(NAMES)))
    elif kind < 0.76:
        method = "resources/read"
        params.append(("uri", rng.choice(NAMES)))
    elif kind < 0.8:
        method = "tools/list"
    elif rng.random() < 0.3:
        params.append((rng.choice(["name", "arguments", "uri"]), value(rng)))
    while rng.random() < 0.3:
        key = rng.choice(["x", "_meta", "y", "constructor", rng.choice(KEYS)])
        params.append((key, value(rng)))
    top = Object([version, ("method", method)])
    if kind < 0.9:
        top.append(number)
    if params or rng.random() < 0.3:
        top.append(("params", params or rng.choice([params, None])))
    return top


def model(line):
    """The line as values that spell() takes, or None."""
    if line.count(b"[") + line.count(b"{") > DEEPEST:
        return None
    try:
        return json.loads(
            line.decode(errors="surrogatepass"),
            object_pairs_hook=Object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=Number,
        )
    except ValueError:
        return None


# --- how they are spelled ----------------------------------------------------


class Style:
    """How one line is spelled: how much is escaped, spaced, put elsewhere."""

    SHORT = dict(zip('"\\/\b\f\n\r\t', '"\\/bfnrt'))

    def __init__(self, rng):
        self.rng = rng
        self.escape = rng.choice([0, 0, 0.02, 0.3, 1])
        self.space = rng.choice([0, 0, 0.05, 0.5])
        self.shuffle = rng.random() < 0.5
        self.ascii = rng.random() < 0.3

    def unit(self, unit):
        return "\\u" + ("%04X" if self.rng.random() < 0.3 else "%04x") % unit

    def character(self, c):
        code, rng = ord(c), self.rng
        wanted = rng.random() < self.escape if self.escape else False
        if c in '"\\' or code < 32 or (c in self.SHORT and wanted):
            if c in self.SHORT and rng.random() < 0.7:
                return "\\" + self.SHORT[c]
            return self.unit(code)
        if 0xD800 <= code < 0xE000:
            return self.unit(code)  # UTF-8 has none
        if not wanted and not (self.ascii and code > 126):
            return c
        if code < 0x10000:
            return self.unit(code)
        code -= 0x10000
        return self.unit(0xD800 + (code >> 10)) + self.unit(
            0xDC00 + (code & 0x3FF)
        )

    def string(self, s):
        return '"' + "".join(map(self.character, s)) + '"'

    def blank(self):
        if not self.space or self.rng.random() > self.space:
            return ""
        return "".join(self.rng.choices(" \t", k=self.rng.randrange(1, 4)))

    def spell(self, v):
        s = self.blank
        if isinstance(v, Object):
            members = list(v)
            # Equal keys stay in order: the last one counts.
            if self.shuffle and len(dict(members)) == len(members):
                self.rng.shuffle(members)
            inside = ",".join(
                s() + self.string(key) + s() + ":" + s() + self.spell(v) + s()
                for key, v in members
            )
            return "{" + inside + ("" if v else s()) + "}"
        if isinstance(v, list):
            inside = ",".join(s() + self.spell(v) + s() for v in v)
            return "[" + inside + ("" if v else s()) + "]"
        if isinstance(v, Number):
            return v
        if isinstance(v, str):
            return self.string(v)
        return {True: "true", False: "false", None: "null"}[v]


def spell(rng, v):
    style = Style(rng)
    return (style.blank() + style.spell(v) + style.blank()).encode()


# --- what is done to them ----------------------------------------------------

SEPARATORS = [b"\r", b"\r", b"\r", b"\r\r", b"\r \r", b"\xe2\x80\xa8"]
SEPARATORS += [b"\xe2\x80\xa9", b"\xc2\x85", b"\x0b", b"\x0c", b"\0", b"\x1c"]
SEPARATORS += [b"\x1e", b"", b" ", b"\t", b",", b";", b"//", b"#", b"\xc2\xa0"]
BOMS = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0"]
BROKEN = [b"\x80", b"\x85", b"\xff", b"\xc0\x80", b"\xc1\xa6", b"\xed\xa0\x80"]
BROKEN += [b"\xed\xa0\xbd\xed\xb8\x80", b"\xf0\x9f\x98", b"\xe2\x80", b"\xc3"]
BROKEN += [b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80", b"\xf5"]
BROKEN += [b"\xf8\x88\x80\x80\x80", b"\xe2\x80\xa8\xa8"]
ESCAPES = [rb"\u0000", rb"\ud800", rb"\udc00", rb"\ud800\u0061", rb"\q", b"\\"]
ESCAPES += [rb"\ud83d\ude00", rb"\'", rb"\x41", rb"\u{41}", rb"\u004", rb"\v"]
ESCAPES += [rb"\U0041", rb"\0", rb"\u0022", rb"\u005c", rb"\u000a", rb"\u2028"]
NOISE = SEPARATORS + BOMS + BROKEN + ESCAPES
NOISE += b"/**/ /*x*/ <!-- NaN Infinity - + 01 1e999 0x1 ' \" \"\"".split()
NOISE += b", : { } [ ] null undefined true \x7f \x1b[0m 1 }} log:".split()
VALUES = b'null true 66 7 "2.0" "forbidden" "tools/call" "ping" {} []'.split()
VALUES += [b'{"name":"forbidden"}', b'"forbidden "', b'["forbidden"]', b"1.0"]
VALUES += b'"tools/list" "TOOLS/CALL" " tools/call" "tools/call\\u0000"'.split()
VALUES += b"NaN -Infinity 01 +1 .5 1. 1e999 0x10 1_0 tru True None ''".split()
VALUES += [b"9" * 400, b"9" * 1001, b"9" * 4301, b"0." + b"3" * 1500, b"1e9999"]
DECIDING = b"jsonrpc id method params result error name arguments uri".split()
DECIDING += b"_meta task cursor inputResponses requestState".split()
DECIDING += [b"__proto__"] * 3
# Values that make a second member look like the first.
FITTING = {
    b"jsonrpc": [b'"2.0"'],
    b"id": [b"66", b'"66"', b"0"],
    b"method": [b'"tools/call"', b'"ping"', b'"tools/list"'],
    b"params": [b'{"name":"forbidden"}', b'{"arguments":{"a":1}}', b"{}"],
    b"name": [b'"forbidden"', b'"allowed"', b'"t"'],
    b"arguments": [b"{}", b'{"a":1}', b'{"path":"/etc/passwd"}'],
    b"uri": [b'"file:///etc/passwd"', b'"own://note"'],
    b"__proto__": [b'{"name":"forbidden"}', b'{"arguments":{"a":1}}'],
}
KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"(?=[ \t]*:)')
STRUCTURE = re.compile(rb"[{}\[\]:,]")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


def put(line, at, what, upto=None):
    return line[:at] + what + line[at if upto is None else upto :]


def some(rng, pattern, line):
    """One of the places where the pattern is, or None."""
    found = list(pattern.finditer(line))
    return rng.choice(found) if found else None


def respell(rng, key):
    """A key that some reader takes for this one."""
    if not key:
        return b"\\u0000"
    at = rng.randrange(len(key))
    c = key[at : at + 1]
    return rng.choice(
        [
            key.upper(),
            key.capitalize(),
            put(key, at, c.swapcase(), at + 1),
            key.replace(b"s", b"\xc5\xbf"),
            key.replace(b"s", b"\\u017f"),
            key.replace(b"S", b"\\u017F").replace(b"k", b"\\u212a"),
            key.replace(b"k", b"\xe2\x84\xaa"),
            put(key, at, b"\\u%04x" % c[0], at + 1),
            put(key, at, b"\\u%04X" % (c.swapcase()[0]), at + 1),
            put(key, at, b"\\" + c, at + 1),
            key + b"\\u0000",
            b"\\u0000" + key,
            key + b"\\ud800",
            key + rng.choice(NOISE),
            rng.choice([b" ", b"\\t", b"\xef\xbb\xbf"]) + key,
            key + rng.choice([b" ", b"\\n", b"\xc2\xa0", b"\xe2\x80\x8b"]),
            b"__proto__",
            b"\\u005f_proto__",
            rng.choice(DECIDING),
            key,
        ]
    )


def member(rng, key):
    """One more, its value of the kind that the key wants, or of any."""
    fitting = key in FITTING and rng.random() < 0.7
    value = rng.choice(FITTING[key] if fitting else VALUES)
    if rng.random() < 0.6:
        key = respell(rng, key)
    return b'"%s":%s' % (key, value)


def scatter(rng, line):
    return put(line, rng.randrange(len(line) + 1), rng.choice(NOISE))


def scatter_between(rng, line):
    at = some(rng, STRUCTURE, line)
    end = at.end() if at else 0
    return put(line, end - (rng.random() < 0.5) * bool(at), rng.choice(NOISE))


def scatter_in_string(rng, line):
    at = some(rng, STRING, line)
    if not at:
        return scatter(rng, line)
    place = rng.choice([at.start() + 1, at.end() - 1])
    return put(line, place, rng.choice(BROKEN + ESCAPES + SEPARATORS))


def space(rng, line):
    at = some(rng, STRUCTURE, line)
    blank = rng.choice([b" ", b"\t", b"  \t ", b"\r", b"\r", b"\x0b", b"\x0c"])
    return put(line, at.start() if at else 0, blank)


def hide(rng, line):
    """A whole message where a value may be, the rest as sound as it was."""
    hidden = inner(rng)
    if rng.random() < 0.3:
        hidden = hidden.replace(b'"', b'\\"')
    split = rng.choice(SEPARATORS)
    if rng.random() < 0.3:
        at = some(rng, STRING, line)
        if at:
            return put(line, at.end() - 1, split + hidden + split)
    at = some(rng, re.compile(rb":"), line)
    what = split + hidden + split + b',"y":'
    return put(line, at.end(), what) if at else what + line


def rename(rng, line):
    at = some(rng, KEY, line)
    if not at:
        return scatter(rng, line)
    return put(line, at.start(1), respell(rng, at[1]), at.end(1))


def repeat(rng, line):
    """A member again, with another value, before or behind."""
    at = some(rng, KEY, line)
    again = member(rng, at[1] if at else rng.choice(DECIDING))
    if at and rng.random() < 0.5:
        return put(line, at.start(), again + b",")
    end = some(rng, re.compile(rb"\}"), line)
    return put(line, end.start() if end else 0, b"," + again)


def add(rng, line):
    """A member more at the top, or somewhere."""
    at = some(rng, re.compile(rb"\{"), line)
    first = line.find(b"{") + 1
    more = member(rng, rng.choice(DECIDING)) + b","
    return put(line, first if rng.random() < 0.6 or not at else at.end(), more)


def revalue(rng, line):
    at = some(rng, re.compile(rb'(?<=:)[ \t]*([\w.+-]+|"[^"\\]*")'), line)
    if not at:
        return scatter(rng, line)
    if at[1][:1] == b'"' and rng.random() < 0.5:
        other = respell(rng, at[1][1:-1])
        return put(line, at.start(1) + 1, other, at.end(1) - 1)
    return put(line, at.start(1), rng.choice(VALUES), at.end(1))


def nest(rng, line):
    at = some(rng, re.compile(rb":"), line)
    depth = rng.choice([10, 100, 120, 124, 125, 126, 127, 128, 129, 300, 1100])
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b"[", b"")])
    deep = opening * depth + b"1" + closing * depth
    return put(line, at.end() if at else 0, deep + b',"y":')


def splice(rng, line, other):
    a = some(rng, STRUCTURE, line)
    b = some(rng, STRUCTURE, other)
    if not a or not b or rng.random() < 0.2:
        return line[: rng.randrange(len(line) + 1)] + other[len(other) // 2 :]
    return line[: a.end()] + other[b.end() :]


def follow(rng, line, other):
    split = rng.choice(SEPARATORS)
    what = rng.choice([inner(rng), other, rng.choice(NOISE)])
    return rng.choice([line + split + what, what + split + line])


def batch(rng, line, other):
    return rng.choice(
        [
            b"[%s]" % line,
            b"[%s,%s]" % (line, other),
            b"[[%s]]" % line,
            b'{"0":%s}' % line,
            b'{"0":%s,"1":%s}' % (line, other),
            b'{"params":%s}' % line,
            b'"%s"' % line.replace(b'"', b'\\"'),
        ]
    )


def cut(rng, line):
    at, by = rng.randrange(len(line) + 1), rng.choice([1, 1, 1, 8, 1000])
    return rng.choice([line[:at], put(line, at, b"", at + by), line[at:]])


def flip(rng, line):
    if not line:
        return line
    at = rng.randrange(len(line))
    return put(line, at, bytes([line[at] ^ 1 << rng.randrange(8)]), at + 1)


def surround(rng, line):
    return rng.choice(BOMS + SEPARATORS) + line + rng.choice(NOISE + [b"", b""])


def lengthen(rng, line):
    at = some(rng, STRING, line)
    fill = rng.choice([b"a", b"\xc3\xa9", rb"\u0061", b"\\\\"])
    return put(line, at.end() - 1 if at else 0, fill * rng.choice([1100, 9000]))


ALONE = [scatter, scatter_between, scatter_in_string, space, revalue, flip, cut]
ALONE += [hide, rename, repeat, add] * 2 + [nest, surround]
PAIRED = [splice, follow, batch]


def hostile(rng, line, other):
    for _ in range(rng.choice([1, 1, 1, 1, 2, 3])):
        if rng.random() < 0.01:
            line = lengthen(rng, line)
        elif rng.random() < 0.15:
            line = rng.choice(PAIRED)(rng, line, other)
        else:
            line = rng.choice(ALONE)(rng, line)
    return line


def generate(rng, passing, lines):
    kind = rng.random()
    if kind < 0.5:
        line = spell(rng, message(rng))
    elif kind < 0.8:
        line = rng.choice(passing)
        known = model(line)
        if known is not None:
            line = spell(rng, known)
    else:
        line = rng.choice(lines)
    if rng.random() < 0.65:
        line = hostile(rng, line, rng.choice(lines))
    line = line.replace(b"\n", b" ")
    return line + b"\r\n" if rng.random() < 0.1 else line + b"\n"


def main():
    seed, count = sys.argv[1], int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    sys.setrecursionlimit(10 * DEEPEST)
    passing, lines = corpus(sys.stdin.buffer)
    for number in range(first, first + count):
        rng = Random(f"{seed}/{number}")
        sys.stdout.buffer.write(generate(rng, passing, lines))


main()
