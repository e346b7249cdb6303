// What people say of a policy, each sentence in front of the server that it is
// about: the calls that must pass reach it, the others do not.
//
//   rules            the policy; weir check --strict has no word on it
//   pass, refuse     calls, in this order
//   again            calls that pass after those that were refused
//   seen             what must have become of the files, the repository ...
//
// A call is [tool, arguments], or [method, params] with a slash in its name.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { check, finish, hear, newMark, newPlace, Policy } from './lib.js';
import { servers } from './servers.js';

const place = newPlace('sentences');
const at = (name) => path.join(place, name);
for (const [name, text] of Object.entries({
  'a/readme.txt': 'one', 'b/notes.txt': 'two', 'c/secret.txt': 'three',
  'ab/other.txt': 'four', 'a/.env': 'five', 'c/.ssh/id': 'six',
})) {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}
const text = (name) => readFileSync(at(name), 'utf8');

// A site, which is also the proxy on the way to all others: it tells who was
// asked for.
const visits = [];
const site = createServer((request, response) => {
  visits.push(request.url);
  response.setHeader('Content-Type', 'text/plain');
  response.end('here');
}).listen(0, '127.0.0.1');
const { port } = await new Promise((resolve) =>
  site.on('listening', () => resolve(site.address())));
site.unref();

const repository = at('repository');
const git = (...args) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' });

const program = (venv, name, ...args) => [path.resolve(venv, 'bin', name), ...args];
const filesystem = { ...servers.find(({ name }) => name === 'filesystem') };
filesystem.argv = [...filesystem.argv.slice(0, -1), place];
const everything = servers.find(({ name }) => name === 'everything');
const sqlite = { argv: program('mcp-1.30.0', 'mcp-server-sqlite', '--db-path', at('data.db')) };
const fetching = { argv: program('venv', 'mcp-server-fetch', '--ignore-robots-txt',
  '--allow-private-ips', '--proxy-url', `http://127.0.0.1:${port}`) };
const committing = {
  argv: program('venv', 'mcp-server-git', '--repository', repository),
  env: () => ({ GIT_CONFIG_GLOBAL: at('gitconfig'), PATH: process.env.PATH }),
};

const read = (name) => ['read_text_file', { path: at(name) }];
const write = (name, content = 'x') => ['write_file', { path: at(name), content }];
const edit = (name, oldText, newText) =>
  ['edit_file', { path: at(name), edits: [{ oldText, newText }] }];
const several = (...names) => ['read_multiple_files', { paths: names.map(at) }];
const sum = (a) => ['get-sum', { a, b: 1 }];
const query = (query) => ['read_query', { query }];
const get = (url) => ['fetch', { url }];
const commit = (message) => ['git_commit', { repo_path: repository, message }];
const resource = (uri) => ['resources/read', { uri }];

const under = (path) => ({ require: [{ path, op: 'under', value: [at('a'), at('b')] }] });
const writes = { limits: [{ counter: 'writes', window: 'minute', max: 5 }] };
const noKey = { path: 'args.**', op: 'contains', value: 'PRIVATE KEY-----' };

const sentences = {
  'read only': {
    server: filesystem,
    rules: { default: 'deny', tools: { 'read_*': {}, 'list_*': {}, 'directory_tree': {} } },
    pass: [read('a/readme.txt'), ['list_directory', { path: place }]],
    refuse: [
      write('a/readme.txt'), edit('a/readme.txt', 'one', 'two'),
      ['move_file', { source: at('a/readme.txt'), destination: at('gone') }],
      ['create_directory', { path: at('made') }],
    ],
    seen: () => {
      assert.equal(text('a/readme.txt'), 'one');
      assert.ok(!existsSync(at('made')));
    },
  },
  'only under two directories': {
    server: filesystem,
    rules: { default: 'deny', tools: {
      read_text_file: under('args.path'), read_multiple_files: under('args.paths[*]') } },
    pass: [read('a/readme.txt'), several('a/readme.txt', 'b/notes.txt')],
    refuse: [
      read('c/secret.txt'), read('ab/other.txt'), several('a/readme.txt', 'c/secret.txt'),
      ['read_text_file', { path: `${at('a')}/../c/secret.txt` }],
      ['read_text_file', { path: 'a/readme.txt' }], ['list_directory', { path: place }],
    ],
  },
  'no dot files anywhere': {
    server: filesystem,
    rules: { default: 'allow', all_tools: { deny_if: [
      { path: 'args.**', op: 'regex', value: '(^|[/\\\\])\\.([^./\\\\]|\\.[^/\\\\])' }] } },
    pass: [read('a/readme.txt'), several('a/readme.txt', 'b/notes.txt')],
    refuse: [
      read('a/.env'), read('c/.ssh/id'), several('a/readme.txt', 'a/.env'),
      ['move_file', { source: at('c/secret.txt'), destination: at('a/..hidden') }],
      ['search_files', { path: place, pattern: '.env' }],
    ],
    seen: () => assert.ok(existsSync(at('c/secret.txt'))),
  },
  'at most five writes a minute in all': {
    server: filesystem,
    rules: { default: 'deny', tools: {
      'read_*': {}, write_file: writes, edit_file: writes, create_directory: writes } },
    pass: [
      write('w1'), edit('w1', 'x', 'y'), write('w2'), write('w3'),
      ['create_directory', { path: at('new') }],
    ],
    refuse: [write('w4'), edit('w2', 'x', 'y'), ['create_directory', { path: at('newer') }]],
    again: [read('w2')],
    seen: () => assert.deepEqual([text('w2'), existsSync(at('w4'))], ['x', false]),
  },
  'at most 100 a day in all': {
    server: everything,
    rules: { default: 'deny', tools: { 'get-sum': { limits: [
      { counter: 'spent', window: 'day', max: 100, increment_from: 'args.a' }] } } },
    pass: [sum(60)],
    refuse: [sum(41), sum(-1), sum('1'), ['get-sum', { b: 1 }]],
    again: [sum(40)],
  },
  'only SELECT, and one of them': {
    server: sqlite,
    rules: { default: 'deny', tools: { list_tables: {}, read_query: { require: [
      { path: 'args.query', op: 'regex', value: '^\\s*(?i:select)\\s[^;]*;?\\s*$' }] } } },
    pass: [query('SELECT 1 AS n'), query(' select 2 AS n;\n')],
    refuse: [
      query('DELETE FROM t'), query('SELECT 1; DROP TABLE t'),
      query('WITH x AS (SELECT 1) DELETE FROM t'), query('PRAGMA user_version = 1'),
      ['write_query', { query: 'CREATE TABLE t (n)' }],
    ],
  },
  'only these two sites': {
    server: fetching,
    rules: { default: 'deny', tools: { fetch: { require: [
      { path: 'args.url', op: 'host', value: ['example.org', '*.example.net'] }] } } },
    pass: [get('http://example.org/a'), get('http://docs.example.net:8080/b')],
    refuse: [
      get('http://example.com/'), get('http://example.net/'), get('http://example.org.evil.test/'),
      get('http://example.org@evil.test/'), get('http://evil.test\\@example.org/'),
      get('ftp://example.org/'), get(' http://example.org/'), get('example.org'),
    ],
    seen: () => assert.deepEqual(visits.splice(0),
      ['http://example.org/a', 'http://docs.example.net:8080/b']),
  },
  'no internal hosts': {
    server: fetching,
    rules: { default: 'deny', tools: { fetch: { require: [
      { path: 'args.url', op: 'host', value: ['example.org'] }] } } },
    pass: [get('http://example.org/c')],
    refuse: [
      ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0x7f.1',
        '127.0.0.1.', '[::1]', '[::ffff:127.0.0.1]', 'localhost', '0', '%31%32%37.0.0.1',
        '\uff11\uff12\uff17.0.0.1', '10.0.0.1', '167772161', '0xa.1', '012.0.0.1',
        '[::ffff:a00:1]', '10.1', '169.254.169.254',
      ].map((host) => get(`http://${host}:${port}/`)),
      get('file:///etc/passwd'),
    ],
    seen: () => assert.deepEqual(visits.splice(0), ['http://example.org/c']),
  },
  'a reason with the number of a ticket': {
    server: committing,
    rules: { default: 'deny', tools: { git_commit: { require: [
      { path: 'args.message', op: 'regex', value: '^[A-Z]{2,9}-[0-9]{1,6}: [^\\x00]+$' }] } } },
    before: () => {
      writeFileSync(at('gitconfig'), '[user]\n\tname = a\n\temail = a@example.org\n');
      execFileSync('git', ['init', '-q', repository]);
      writeFileSync(path.join(repository, 'file'), 'x');
      git('add', 'file');
    },
    pass: [commit('WEIR-12: say why')],
    refuse: [
      commit('say why'), commit('weir-12: say why'), commit('see WEIR-12: say why'),
      commit('WEIR-12:'), ['git_commit', { repo_path: repository }],
    ],
    seen: () => assert.equal(git('log', '--format=%s'), 'WEIR-12: say why\n'),
  },
  'files of at most 1 MiB': {
    server: filesystem,
    rules: { default: 'deny', tools: { write_file: { require: [
      { path: 'args.content', op: 'max_length', value: 1048576 }] } } },
    pass: [write('large', '\u00e9'.repeat(1048576))],
    refuse: [
      write('larger', 'x'.repeat(1048577)), ['write_file', { path: at('larger') }],
      write('larger', 7),
    ],
    seen: () => assert.ok(!existsSync(at('larger'))),
  },
  'no private key in any argument': {
    server: filesystem,
    rules: { default: 'allow', all_tools: { deny_if: [noKey] } },
    pass: [write('key.pub', '-----BEGIN PUBLIC KEY-----')],
    refuse: [
      write('key', '-----BEGIN RSA PRIVATE KEY-----\nMII'),
      edit('key.pub', 'PUBLIC KEY-----', 'PRIVATE KEY-----'),
      ['write_file', { path: at('key'), content: 'x', '-----BEGIN PRIVATE KEY-----': 1 }],
    ],
    seen: () => {
      assert.equal(text('key.pub'), '-----BEGIN PUBLIC KEY-----');
      assert.ok(!existsSync(at('key')));
    },
  },
  'only static resources': {
    server: everything,
    rules: { default: 'allow', resources: {
      'demo://resource/dynamic/*': { action: 'hide' },
      '*': { require: [{ path: 'args.uri', op: 'under', value: 'demo://resource/static/' }] } } },
    pass: [resource('demo://resource/static/document/features.md'), sum(1)],
    refuse: [
      resource('demo://resource/dynamic/text/1'), resource('DEMO://resource/dynamic/text/1'),
      resource('demo://resource/static/../dynamic/text/1'),
      resource('demo://resource/static/%2e%2e/dynamic/text/1'),
      ['resources/subscribe', { uri: 'demo://resource/dynamic/text/1' }],
      ['completion/complete', { argument: { name: 'resourceId', value: '' },
        ref: { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' } }],
    ],
    seen: async (client) => {
      const { resourceTemplates } = await client.listResourceTemplates();
      assert.deepEqual(resourceTemplates, []);
      assert.ok((await client.listResources()).resources.length > 0);
    },
  },
  'no prompts': {
    server: everything,
    rules: { default: 'allow', prompts: { '*': { action: 'hide' } } },
    pass: [sum(1)],
    refuse: [
      ['prompts/get', { name: 'simple-prompt' }], ['prompts/get', { name: 'SIMPLE-PROMPT' }],
      ['completion/complete', { argument: { name: 'department', value: '' },
        ref: { type: 'ref/prompt', name: 'completable-prompt' } }],
    ],
    seen: async (client) => assert.deepEqual((await client.listPrompts()).prompts, []),
  },
};

async function open({ argv, env }, policy) {
  const [command, ...args] = policy.before(argv);
  const transport = new StdioClientTransport({
    command, args, stderr: 'pipe', env: { ...env?.(), ...policy.env, INTEROP: newMark() } });
  transport.stderr.on('data', hear);
  const client = new Client({ name: 'interop', version: '1' });
  await client.connect(transport);
  return client;
}

// "passed", the rule of weir that refuses, or what the server itself says.
async function verdict(client, [name, params]) {
  const request = name.includes('/') ? { method: name, params }
    : { method: 'tools/call', params: { name, arguments: params } };
  try {
    const result = await client.request(request, ResultSchema);
    if (!result.isError) return 'passed';
    return result._meta?.['weir/rule'] ?? `the server: ${result.content[0].text}`;
  } catch (error) {
    const told = /^MCP error -32602: (Denied by policy|Unknown prompt|Resource not found)/;
    return error.data?.['weir/rule'] ?? (told.test(error.message) ? '(hidden)' : error.message);
  }
}

for (const [sentence, { server, rules, before, pass, refuse, again = [], seen }]
  of Object.entries(sentences)) {
  if (!existsSync(server.argv[0])) {
    console.log(`skip  ${sentence}: ${server.argv[0]} could not be installed`);
    continue;
  }
  await check(`${sentence}: ${pass.length + again.length} pass, ${refuse.length} do not`, async () => {
    const policy = new Policy(rules);
    const checked = spawnSync(process.env.WEIR, ['check', '--strict', policy.file]);
    assert.equal(checked.status, 0, `${checked.stdout}`);
    before?.();
    const client = await open(server, policy);
    const calls = [...pass, ...refuse, ...again];
    for (const [i, call] of calls.entries()) {
      const got = await verdict(client, call);
      const said = `${JSON.stringify(call).slice(0, 120)}: ${got}`;
      if (i < pass.length || i >= pass.length + refuse.length) assert.equal(got, 'passed', said);
      else assert.match(got, /^(\/|\()/, said);
    }
    await seen?.(client);
    await client.close();
  });
}

finish();
