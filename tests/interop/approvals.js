// Calls that a person must approve, with the official clients, which show the
// question, and with servers that ask questions of their own.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as v1 from '@modelcontextprotocol/sdk/client/index.js';
import * as v1stdio from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as v2 from '@modelcontextprotocol/client';
import * as v2stdio from '@modelcontextprotocol/client/stdio';
import { check, finish, hear, newMark, Policy, until } from './lib.js';

const must = 'Denied by policy: a person must approve this';
const refused = 'Denied by policy: a person has refused this';
const ask = { action: 'require_approval', approval_timeout: 5 };
const policy = () => new Policy({
  default: 'allow',
  tools: { remove: ask, ask, echo: ask },
});

const clients = {
  'TypeScript 1': {
    Client: v1.Client, Transport: v1stdio.StdioClientTransport, method: ElicitRequestSchema,
    call: (client, call) => client.callTool(call),
  },
  'TypeScript 2, before 2026-07-28': {
    Client: v2.Client, Transport: v2stdio.StdioClientTransport, method: 'elicitation/create',
    call: (client, call) => client.callTool(call),
  },
};
clients['TypeScript 2, 2026-07-28'] = {
  ...clients['TypeScript 2, before 2026-07-28'], modern: true,
  options: { versionNegotiation: { mode: { pin: '2026-07-28' } } },
};

// A session whose person answers like this; null: the client cannot ask.
async function open(kind, server, answer) {
  const { Client, Transport, method, options, call } = clients[kind];
  const rules = policy();
  const [command, ...args] = rules.before(server);
  const transport = new Transport({
    command, args, stderr: 'pipe', env: { ...process.env, ...rules.env, INTEROP: newMark() },
  });
  const client = new Client({ name: 'interop', version: '1' },
    { capabilities: answer ? { elicitation: {} } : {}, ...options });
  const asked = [];
  if (answer)
    client.setRequestHandler(method, ({ params }) => {
      asked.push(params.message);
      return answer(params);
    });
  transport.stderr.on('data', hear);
  await client.connect(transport);
  const text = async (name, args = {}) =>
    (await call(client, { name, arguments: args })).content[0].text;
  return { client, asked, text };
}

const accept = () => ({ action: 'accept', content: { name: 'Ada' } });

const checks = {
  'each yes is for one call': async (open) => {
    const { asked, text } = await open(accept);
    for (let i = 1; i < 3; i++) {
      assert.equal(await text('remove'), 'removed');
      assert.equal(asked.length, i);
      assert.match(asked[0], /^weir asks: .*\nTool: remove\n/s);
    }
  },
  'a no is kept': async (open) => {
    for (const action of ['decline', 'cancel']) {
      const { asked, text } = await open(() => ({ action }));
      for (let i = 0; i < 2; i++) assert.equal(await text('remove'), refused);
      assert.equal(asked.length, 1);
    }
  },
  'what fails is no yes': async (open, { modern }) => {
    const { text } = await open(() => { throw new Error('closed'); });
    // This one never repeats the call.
    if (modern) await assert.rejects(text('remove'));
    else assert.equal(await text('remove'), refused);
  },
  'who cannot ask is told': async (open) => {
    const { text } = await open(null);
    assert.equal(await text('remove'), must);
  },
  'three at once, in another order': async (open) => {
    const said = [];
    const { text } = await open(() => new Promise((resolve) => said.push(resolve)));
    const calls = ['a', 'b', 'c'].map((word) => text('echo', { text: word }));
    await until('three questions', () => said.length === 3);
    for (const [i, action] of [[2, 'accept'], [0, 'decline'], [1, 'accept']])
      said[i]({ action });
    assert.deepEqual(await Promise.all(calls), [refused, 'b', 'c']);
  },
  'too late': async (open) => {
    const { asked, text } = await open(() =>
      new Promise((resolve) => setTimeout(() => resolve({ action: 'accept' }), 6000)));
    assert.equal(await text('echo', { text: 'a' }), must);
    assert.equal(asked.length, 1);
  },
  'the server asks, too': async (open) => {
    const { asked, text } = await open(accept);
    assert.equal(JSON.parse(await text('ask')).content.name, 'Ada');
    assert.equal(asked.length, 2);
    assert.equal(asked[1], 'Who?');
  },
};

const python = ['venv/bin/python', 'own.py'];
const servers = { node: [process.execPath, 'own.js'] };
if (existsSync(python[0])) servers.python = python;

for (const [what, server] of Object.entries(servers))
  for (const [kind, client] of Object.entries(clients))
    for (const [name, test] of Object.entries(checks)) {
      // The SDK for Python asks so since 2026-07-28 alone.
      if (what === 'python' && name.startsWith('the server asks') && !client.modern) continue;
      await check(`${kind}, a server of ${what}: ${name}`, async () => {
        const sessions = [];
        try {
          await test(async (answer) => {
            sessions.push(await open(kind, server, answer));
            return sessions.at(-1);
          }, client);
        } finally {
          for (const session of sessions) await session.client.close();
        }
      });
    }

// The client of the SDK for Python, whose words come as JSON.
for (const era of servers.python ? ['legacy', 'modern'] : [])
  for (const [action, want] of [['accept', 'removed'], ['decline', refused], ['none', must]])
    await check(`Python, ${era}: ${action}`, async () => {
      const rules = policy();
      const { stdout, stderr } = spawnSync(python[0],
        ['approvals.py', era, action, ...rules.before(servers.node)],
        { env: { ...process.env, ...rules.env, INTEROP: newMark() } });
      hear(stderr);
      assert.deepEqual(JSON.parse(stdout), [want, want, action === 'accept' ? 2 : action === 'none' ? 0 : 1]);
    });

finish();
