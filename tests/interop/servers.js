// The servers that are tested, and what is asked of each.
//
//   hidden, denied   tools that the policy takes away
//   limited          a call that the policy allows twice a minute
//   allowed          calls that answer the same at any time
//   asks             calls on whose way the server asks the client, or tells it of progress
//   environment      a tool that tells the environment of the server
//   prompts, resources   what is fetched of them
//   lines            requests, byte by byte, for a session without a client

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newPlace } from './lib.js';

const MODERN = '2026-07-28';

const npm = (name, ...args) =>
  [process.execPath, path.resolve('node_modules', name, 'dist/index.js'), ...args];

// What the file system server serves. It is only read.
export const files = newPlace('files');
const readme = path.join(files, 'readme.txt');
mkdirSync(path.join(files, 'deep/er'), { recursive: true });
writeFileSync(readme, 'Grüße, 水\r\n');
writeFileSync(path.join(files, 'large.txt'), '0123456789\n'.repeat(30_000));

const meta = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'interop', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
export const hello = [
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"interop","version":"1"}}}\n',
  '{"jsonrpc":"2.0","method":"notifications/initialized"}\n',
];

// One request in as many spellings as a server reads: a string for an id,
// white space, another order of keys, escapes, CRLF, letters beyond ASCII.
const spellings = (name, args) => [
  ...hello,
  '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n',
  ' { "jsonrpc" : "2.0" , "id" : "two", "method":\t"tools/list", "params" : { } } \n',
  '{"params":{},"method":"tools\\/list","id":3,"jsonrpc":"2.0"}\r\n',
  `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"${name}","arguments":${JSON.stringify(args)}}}\n`,
  `{"params":{"arguments":${JSON.stringify(args)},"n\\u0061me":"${name}"},"method":"tools/call","id":"\\u00e9 \u00e9","jsonrpc":"2.0"}\n`,
  '{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"no-such-tool","arguments":{}}}\n',
  '{"jsonrpc":"2.0","id":7,"method":"no/such/method","params":{"tools":[]}}\n',
  '{"jsonrpc":"2.0","id":8,"method":"prompts/list"}\n',
  '{"jsonrpc":"2.0","id":9,"method":"resources/list","params":{}}\n',
  '{"jsonrpc":"2.0","id":10,"method":"resources/templates/list"}\n',
  '{"jsonrpc":"2.0","id":11,"method":"ping"}\n',
  '{"jsonrpc":"2.0","id":9007199254740991,"method":"tools/list"}\n',
];

const envelope = (id, method, params = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }) + '\n';

const modernLines = (name, args) => [
  envelope(1, 'server/discover'),
  envelope('two', 'tools/list'),
  envelope(3, 'tools/call', { name, arguments: args }),
  envelope(4, 'tools/call', { name: 'no-such-tool', arguments: {} }),
  envelope(5, 'no/such/method'),
  envelope(6, 'prompts/list'),
  envelope(7, 'resources/list'),
  envelope(8, 'tools/list'),
];

// Ours, in two languages, with the same tools.
const own = {
  hidden: 'secret',
  denied: 'remove',
  limited: { name: 'add', arguments: { a: 2, b: 3 } },
  allowed: [
    { name: 'echo', arguments: { text: 'Grüße, 水, \u2028, 🦭' } },
    { name: 'echo', arguments: { text: 'x'.repeat(200_000) } },
    { name: 'filler_7', arguments: {} },
  ],
  prompts: [{ name: 'greet', arguments: { who: 'you' } }],
  resources: ['own://note'],
};

export const servers = [
  {
    name: 'everything',
    eras: ['legacy'],
    argv: npm('@modelcontextprotocol/server-everything'),
    hidden: 'get-tiny-image',
    denied: 'get-resource-links',
    limited: { name: 'get-sum', arguments: { a: 2, b: 3 } },
    allowed: [
      { name: 'echo', arguments: { message: 'Grüße, 水, \u2028, 🦭' } },
      { name: 'echo', arguments: { message: 'x'.repeat(200_000) } },
      { name: 'get-structured-content', arguments: { location: 'Chicago' } },
      { name: 'get-annotated-message', arguments: { messageType: 'error', includeImage: true } },
      { name: 'no-such-tool', arguments: {} },
    ],
    environment: 'get-env',
    asks: [
      { name: 'get-roots-list', arguments: {} },
      { name: 'trigger-sampling-request', arguments: { prompt: 'Hm?' } },
      { name: 'trigger-elicitation-request', arguments: {} },
      { name: 'trigger-long-running-operation', arguments: { duration: 0.1, steps: 4 } },
    ],
    prompts: [
      { name: 'simple-prompt' },
      { name: 'args-prompt', arguments: { city: 'Ulm' } },
    ],
    resources: ['demo://resource/static/document/features.md'],
    lines: spellings('echo', { message: 'Grüße, 水' }),
  },
  {
    name: 'filesystem',
    eras: ['legacy'],
    argv: npm('@modelcontextprotocol/server-filesystem', files),
    hidden: 'move_file',
    denied: 'write_file',
    limited: { name: 'list_directory', arguments: { path: files } },
    allowed: [
      { name: 'read_text_file', arguments: { path: readme } },
      { name: 'read_text_file', arguments: { path: path.join(files, 'large.txt') } },
      { name: 'directory_tree', arguments: { path: files } },
      { name: 'list_allowed_directories', arguments: {} },
      { name: 'read_text_file', arguments: { path: '/etc/hostname' } },
      { name: 'read_text_file', arguments: { path: 7 } },
    ],
    lines: spellings('read_text_file', { path: readme }),
  },
  {
    name: 'memory',
    eras: ['legacy'],
    argv: npm('@modelcontextprotocol/server-memory'),
    // It remembers, so every session gets a memory of its own.
    env: () => ({ MEMORY_FILE_PATH: path.join(newPlace('memory'), 'graph') }),
    hidden: 'delete_entities',
    denied: 'delete_relations',
    limited: { name: 'search_nodes', arguments: { query: 'Ada' } },
    allowed: [
      { name: 'create_entities', arguments: { entities: [
        { name: 'Ada', entityType: 'person', observations: ['née Byron'] }] } },
      { name: 'read_graph', arguments: {} },
      { name: 'open_nodes', arguments: { names: ['Ada'] } },
    ],
    prompts: [],
    resources: ['memory://knowledge-graph'],
    lines: spellings('open_nodes', { names: ['Ada', 'née'] }),
  },
  {
    name: 'own',
    eras: ['modern', 'legacy'],
    argv: [process.execPath, path.resolve('own.js')],
    ...own,
    asks: [{ name: 'ask', arguments: {} }],
    lines: modernLines('echo', { text: 'Grüße, 水' }),
  },
  {
    // Its tools ask a service on the network: only what needs none is called.
    name: 'context7',
    eras: ['modern', 'legacy'],
    argv: npm('@upstash/context7-mcp'),
    hidden: 'query-docs',
    denied: 'resolve-library-id',
    allowed: [{ name: 'no-such-tool', arguments: {} }],
    lines: modernLines('no-such-tool-either', {}),
  },
];

if (existsSync('venv/made-from'))
  servers.push({
    name: 'python',
    eras: ['modern', 'legacy'],
    argv: [path.resolve('venv/bin/python'), path.resolve('own.py')],
    ...own,
    lines: spellings('echo', { text: 'Grüße, 水' }),
  });
