// What has got past weir once, tried on the real SDKs that read it so. All of
// it runs without weir as well: where an SDK no longer falls for it, a check
// behind weir proves nothing.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { check, finish, noPolicy, parse, Policy, replies, start, within } from './lib.js';
import { hello } from './servers.js';

// --- what is attacked ------------------------------------------------------

const file = (name) => path.resolve('attacked', name);
const node = (...args) => ({ argv: [process.execPath, file(args[0]), ...args.slice(1)] });
const go = (what) =>
  ({ needs: 'attacked-go', log: 'go.log', argv: [path.resolve('attacked-go'), what] });
const python = (venv, program) => ({
  needs: `${venv}/made-from`, log: `${venv}.log`,
  argv: [path.resolve(venv, 'bin/python'), file(program)],
});

// A client writes the names of the tools that it sees, and a server writes on
// stderr which tool runs, with what.
const sdks = {
  'typescript sdk 1.32.2, client': node('client.js', 'sdk'),
  'typescript client 2.4.0': node('client.js', 'client'),
  'python mcp 1.30.0, client': python('mcp-1.30.0', 'client.py'),
  'mcp-go 1.2.1, client': go('client'),
  'typescript sdk 1.32.2': node('server.js'),
  'python mcp 1.6.0': python('mcp-1.6.0', 'server.py'),
  'python mcp 1.30.0': python('mcp-1.30.0', 'server.py'),
  'python mcp 2.3.0': python('venv', 'server.py'),
  'fastmcp 4.2.3': python('venv', 'app.py'),
  'mcp-go 1.2.1': go('mcp-go'),
  'mcp-golang 0.16.1': go('metoro'),
  'rmcp 3.11.0':
    { needs: 'attacked-rust', log: 'cargo.log', argv: [path.resolve('attacked-rust')] },
};

// --- the attacks -----------------------------------------------------------

const message = (id, method, params) =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}\n`;
const call = (id, tool, args) =>
  message(id, 'tools/call', `{"name":"${tool}","arguments":${args}}`);

// Three lines around the 4,096 bytes that a server reads at a time. It takes
// the first line, and keeps the second, whose end is not there yet, as a slice
// of what it reads the third one over.
function aroundBuffer(size = 4096, at = 2048) {
  const ping = (id, length) => {
    const around = message(id, 'ping', '{"x":""}').length;
    return message(id, 'ping', `{"x":"${'x'.repeat(length - around)}"}`);
  };
  const inner = call(4, 'forbidden', '{"value":1}').trim();
  // The third begins behind the end of the second.
  const begin = '{"jsonrpc":"2.0","id":3,"method":"ping","params":{"x":'.padEnd(at - 1);
  return ping(1, at) + ping(2, size - at + 1) +
    `${begin}${inner.slice(0, -1).padEnd(size - at - 1)}}}}\n`;
}

// One line, of which it takes the second 4,096 bytes for the first, too.
const longLine = [
  message(3, 'ping', '{"x":{"y":[').trim().replace(/}$/, '').padEnd(4096),
  call(4, 'forbidden', '{"value":1,"y":[').trim().replace(/}}$/, '').padEnd(4096),
  ']}}}]}}}\n',
].join('');

const raw = JSON.stringify({
  value: { '$serde_json::private::RawValue': '{"path":"/etc/shadow"}' },
});
const number = (condition) => ({ tools: { number: condition } });
const condition = (op, value, at = 'args.value') => [{ path: at, op, value }];
const doubles = [
  'typescript sdk 1.32.2', 'python mcp 1.30.0', 'mcp-go 1.2.1', 'rmcp 3.11.0',
];
const fastmcps = ['python mcp 1.6.0', 'python mcp 1.30.0', 'python mcp 2.3.0'];
const alias = createHash('sha256').update('app\0forbidden').digest('hex').slice(0, 12);

// To the sdks that are named a call is made, which a policy is against, and
// one that it allows. Of the first the server makes `ran`.
const calls = [
  {
    name: 'a call between the lines', sdks: ['mcp-golang 0.16.1'], tries: 20,
    rules: { hide: ['forbidden'] },
    first: aroundBuffer(), allowed: ['number', '{"value":7}'], ran: 'forbidden 1',
  }, {
    name: 'a call inside a first line', sdks: ['mcp-golang 0.16.1'],
    rules: { hide: ['forbidden'] },
    first: longLine, allowed: ['number', '{"value":7}'], ran: 'forbidden 1',
  }, {
    name: 'an object that comes out of a string', sdks: ['rmcp 3.11.0'],
    rules: { tools: { options: { deny_if: condition('eq', '/etc/shadow', 'args.value.path') } } },
    call: ['options', raw], allowed: ['options', '{"value":{"path":"/srv"}}'],
    ran: 'options {"path":"/etc/shadow"}',
  }, {
    name: '1e-400 is 0', sdks: doubles, rules: number({ deny_if: condition('eq', 0) }),
    call: ['number', '{"value":1e-400}'], allowed: ['number', '{"value":7}'], ran: 'number 0',
  }, {
    name: '22.000000000000000001 is 22', sdks: doubles,
    rules: number({ deny_if: condition('eq', 22) }),
    call: ['number', '{"value":22.000000000000000001}'], allowed: ['number', '{"value":22.1}'],
    ran: 'number 22',
  }, {
    name: '9.99999999999999999999 is 10', sdks: doubles,
    rules: number({ require: condition('lt', 10) }),
    call: ['number', '{"value":9.99999999999999999999}'], allowed: ['number', '{"value":9.99}'],
    ran: 'number 10',
  }, {
    name: 'a denied value in a text that is read as a list', sdks: fastmcps,
    rules: { tools: { tags: { deny_if: condition('contains', 'prod') } } },
    call: ['tags', String.raw`{"value":"[\"\\u0070rod\"]"}`], allowed: ['tags', '{"value":["dev"]}'],
    ran: 'tags ["prod"]',
  }, {
    name: 'no required value in a text that is read as a list', sdks: fastmcps,
    rules: { tools: { tags: { require: condition('contains', 'reviewed') } } },
    call: ['tags', String.raw`{"value":"[\"not reviewed\"]"}`],
    allowed: ['tags', '{"value":["reviewed"]}'], ran: 'tags ["not reviewed"]',
  }, {
    name: 'the other name of a tool', sdks: ['fastmcp 4.2.3'], rules: { hide: ['forbidden'] },
    call: [`__${alias}_forbidden`, '{"value":1}'], allowed: ['number', '{"value":7}'],
    ran: 'forbidden 1',
  }, {
    name: 'a key in another case, beyond ASCII', sdks: ['mcp-go 1.2.1'],
    rules: { tools: { size: { deny_if: condition('gt', 10, 'args.größe') } } },
    call: ['size', '{"GRÖßE":100}'], allowed: ['size', '{"größe":7}'], ran: 'size 100',
  },
];

// --- the checks ------------------------------------------------------------

// What tools run in a server that gets both calls, each as "tool value".
async function ranIn({ argv }, policy, { first, call: attack, allowed }) {
  const lines = (first ?? hello.join('') + call(3, ...attack)) + call(5, ...allowed);
  const asked = lines.split('\n').filter((line) => line.includes('"id"'));
  const isAnswer = (line) => parse(line) && !parse(line).method;
  const run = start(policy, argv);
  run.child.stdin.write(lines);
  await run.until('all is answered', (out) => out.at(-1) === 10 &&
    replies(out).filter(isAnswer).length >= asked.length);
  run.child.kill('SIGKILL'); // the end of its input does not end every server
  await within(run.ended);
  return run.err.split('\n').filter((line) => line.startsWith('ran '))
    .map((line) => line.slice(4).replace(/ .*/, (value) => ` ${JSON.stringify(JSON.parse(value))}`))
    .sort();
}

// The tools that a client sees of a server whose lines end so.
async function listedBy({ argv }, policy, end) {
  const run = start({ ...policy, before: (server) => [...argv, ...policy.before(server)] },
    node('untidy.js', JSON.stringify(end)).argv);
  assert.deepEqual(await within(run.ended), { code: 0, signal: null }, run.err);
  return replies(run.out);
}

// `show` tells what is seen behind weir, or without it. That proves something
// where `attacked` is seen without weir.
async function compare(name, sdk, show, attacked, allowed, tries = 1) {
  if (!sdks[sdk]) return;
  const open = await show(noPolicy).catch((error) => error);
  if (open.includes?.(allowed) && !open.includes(attacked))
    return console.log(`skip  ${sdk}, ${name}: this SDK no longer reads it so`);
  await check(`${sdk}, ${name}`, async () => {
    if (open instanceof Error) throw open;
    assert.ok(open.includes(allowed), `without weir, not even ${allowed}: ${open}`);
    for (let i = 0; i < tries; i++) assert.deepEqual(await show(), [allowed]);
  });
}

for (const [sdk, { needs, log }] of Object.entries(sdks))
  if (needs && !existsSync(needs)) {
    console.log(`skip  ${sdk}: it could not be had, see build/interop/${log}`);
    delete sdks[sdk];
  }

for (const end of ['\n\r', '\n ', '\n\t'])
  for (const sdk of Object.keys(sdks).filter((name) => name.includes('client'))) {
    const policy = new Policy({ default: 'allow', hide: ['forbidden'] });
    await compare(`a list whose lines end ${JSON.stringify(end)}`, sdk,
      (how = policy) => listedBy(sdks[sdk], how, end), 'forbidden', 'shown');
  }

for (const attack of calls)
  for (const sdk of attack.sdks) {
    const policy = new Policy({ default: 'allow', ...attack.rules });
    const [tool, args] = attack.allowed;
    await compare(attack.name, sdk, (how = policy) => ranIn(sdks[sdk], how, attack), attack.ran,
      `${tool} ${JSON.stringify(Object.values(JSON.parse(args))[0])}`, attack.tries);
  }

finish();
