// Sessions of the official clients: what the policy takes away is gone, and
// all else is as it is without weir.

import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import * as v1 from '@modelcontextprotocol/sdk/client/index.js';
import * as v1stdio from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import * as v2 from '@modelcontextprotocol/client';
import * as v2stdio from '@modelcontextprotocol/client/stdio';
import { allGone, check, has, hear, marked, newMark, noPolicy, Policy, until } from './lib.js';
import { files } from './servers.js';

const REASON = 'not here, not "now"';

// The two kinds of session: with a handshake, as up to MCP 2025-11-25, and
// without, where every request carries its version.
const eras = {
  legacy: {
    Client: v1.Client,
    Transport: v1stdio.StdioClientTransport,
    requests: {
      'roots/list': ListRootsRequestSchema,
      'sampling/createMessage': CreateMessageRequestSchema,
      'elicitation/create': ElicitRequestSchema,
    },
    call: (client, call, options) => client.callTool(call, undefined, options),
  },
  modern: {
    Client: v2.Client,
    Transport: v2stdio.StdioClientTransport,
    options: { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    requests: {
      'roots/list': 'roots/list',
      'sampling/createMessage': 'sampling/createMessage',
      'elicitation/create': 'elicitation/create',
    },
    call: (client, call, options) => client.callTool(call, options),
  },
};
// A client that does not know what the server speaks, and finds out.
eras.auto = { ...eras.modern, options: { versionNegotiation: { mode: 'auto' } } };

// What the client says when a server asks.
const answers = {
  'roots/list': { roots: [{ uri: pathToFileURL(files).href }] },
  'sampling/createMessage': {
    model: 'none', role: 'assistant', content: { type: 'text', text: 'Hm.' },
  },
  'elicitation/create': { action: 'accept', content: { name: 'Ada' } },
};

// A client and its server, with weir between where there is a policy.
// `wire` holds every message as it came, before the client looks at it.
async function open(era, server, policy = noPolicy) {
  const { Client, Transport, options, requests, call } = eras[era];
  const mark = newMark();
  const [command, ...args] = policy.before(server.argv);
  const transport = new Transport({
    command, args, stderr: 'pipe',
    env: { ...server.env?.(), ...policy.env, INTEROP: mark },
  });
  const client = new Client({ name: 'interop', version: '1' }, {
    capabilities: { roots: {}, sampling: {}, elicitation: {} }, ...options,
  });
  transport.stderr.on('data', hear);
  const session = { client, mark, wire: [], asked: [], modern: era === 'modern' };
  for (const [method, schema] of Object.entries(requests))
    client.setRequestHandler(schema, ({ params }) => {
      session.asked.push({ method, params });
      return answers[method];
    });
  transport.onmessage = (message) => session.wire.push(message);
  session.call = (params, more) => call(client, params, more);
  session.reply = () => session.wire.findLast((m) => m.id !== undefined && !m.method);
  await client.connect(transport);
  return session;
}

// The result of a call, or the error that the server itself answers with.
// An error that the client makes up, a timeout say, is none.
async function outcome(session, call) {
  try {
    return await session.call(call);
  } catch (error) {
    if (!(error.code >= -32700 && error.code <= -32600)) throw error;
    return { code: error.code, message: error.message };
  }
}

async function each(list, get) {
  const got = [];
  for (const item of list) got.push(await get(item));
  return got;
}

const names = ({ tools }) => tools.map(({ name }) => name);

function assertRefused(session, result, rule) {
  assert.equal(result.isError, true);
  assert.equal(result.content.length, 1);
  assert.equal(result.content[0].type, 'text');
  assert.match(result.content[0].text, /^Denied by policy: ./);
  assert.ok(result._meta['weir/rule'].startsWith(rule), result._meta['weir/rule']);

  // The clients fill in what is missing: the bytes decide. A client of
  // 2026-07-28 takes no result without it, an older revision has no such key.
  const { result: raw } = session.reply();
  assert.deepEqual(raw.content, result.content);
  assert.equal(raw.resultType, session.modern ? 'complete' : undefined);
}

// What only a policy does. Each of these has to fail without weir.
const refusals = {
  'the hidden tool is not listed': async (session, { hidden }) => {
    assert.ok(!names(await session.client.listTools()).includes(hidden));
  },
  'the hidden tool does not exist when it is called': async (session, { hidden }) => {
    await assert.rejects(session.call({ name: hidden, arguments: {} }));
    const { code, message } = session.reply().error;
    assert.deepEqual({ code, message },
      { code: -32602, message: `Unknown tool: ${hidden}` });
  },
  'the denied tool answers with the reason': async (session, { denied }) => {
    const result = await session.call({ name: denied, arguments: {} });
    assertRefused(session, result, `/tools/${denied}`);
    assert.equal(result.content[0].text, `Denied by policy: ${REASON}`);
    assert.equal(result._meta['weir/retryAfterMs'], undefined);
  },
  'the limit lets two pass and says when the third may': async (session, { limited }) => {
    for (let i = 0; i < 2; i++)
      assert.ok(!(await session.call(limited)).isError, `call ${i + 1} is refused`);
    assertLimited(session, await session.call(limited), limited);
  },
};

function assertLimited(session, result, { name }) {
  assertRefused(session, result, `/tools/${name}/limits/0`);
  const wait = result._meta['weir/retryAfterMs'];
  assert.ok(wait > 0 && wait <= 60_000, `retryAfterMs is ${wait}`);
  assert.match(result.content[0].text, /\b(again|retry|wait)\b.*\d|\d.*\b(again|retry|wait)\b/i);
}

const applies = (what, server) => server.limited || !what.includes('limit');

export async function sessions(server, era) {
  const say = (what, test) => check(`${server.name}, ${era}: ${what}`, test);
  const { hidden, denied, limited } = server;
  const policy = new Policy({
    default: 'allow',
    hide: [hidden],
    tools: {
      [denied]: { action: 'deny', reason: REASON },
      ...limited && {
        [limited.name]: { limits: [{ counter: 'calls', window: 'minute', max: 2 }] },
      },
    },
  });
  let direct, session;
  await say('a session opens', async () => {
    direct = await open(era, server);
    session = await open(era, server, policy);
  });
  if (!session) return direct?.client.close();

  // The same is asked of both, and has to come out equal.
  const same = (what, ask) => say(what, async () => {
    assert.deepEqual(await ask(session), await ask(direct));
  });

  await same('what the server says of itself', ({ client }) => [
    client.getServerVersion(), client.getServerCapabilities(), client.getInstructions(),
  ]);
  await same('all other tools are listed as they are', async ({ client }) => {
    const { tools, ...rest } = await client.listTools();
    return { ...rest, tools: tools.filter(({ name }) => name !== hidden) };
  });
  await same('allowed calls', (s) => each(server.allowed, (call) => outcome(s, call)));
  if (server.environment)
    await same('the environment of the server', async (s) => {
      const { content: [{ text }] } = await s.call({ name: server.environment, arguments: {} });
      return Object.entries(JSON.parse(text))
        .filter(([key]) => key !== 'INTEROP' && !key.startsWith('WEIR_')).sort();
    });
  if (server.asks)
    await same('the server asks back, and tells of progress', async (s) => {
      const results = await each(server.asks,
        (call) => s.call(call, { onprogress: () => {} }));
      const progress = s.wire.filter((m) => m.method === 'notifications/progress');
      // A server asks for the roots when it likes, once or twice.
      const asked = s.asked.filter(({ method }) => method !== 'roots/list');
      assert.ok(asked.length > 0);
      return { results, progress, asked };
    });
  if (server.prompts)
    await same('prompts', async ({ client }) => [
      server.prompts.length && await client.listPrompts(),
      await each(server.prompts, (prompt) => client.getPrompt(prompt)),
    ]);
  if (server.resources)
    await same('resources', async ({ client }) => [
      await client.listResources(),
      await client.listResourceTemplates(),
      await each(server.resources, (uri) => client.readResource({ uri })),
    ]);

  for (const [what, test] of Object.entries(refusals))
    if (applies(what, server)) await say(what, () => test(session, server));

  await say('those checks fail without weir', async () => {
    for (const [what, test] of Object.entries(refusals))
      if (applies(what, server))
        await assert.rejects(test(direct, server), undefined, what);
  });

  // The modern client has started the command once more, to ask for the
  // version: that one has to be gone by now, too.
  await say('weir and the server end with the session', async () => {
    await until('weir and one server run', () => marked(session.mark).length === 2);
    await session.client.close();
    await allGone(session.mark);
  });
  await direct.client.close();

  if (limited && has['counters that outlive a session'])
    await say('a new session finds the limit used up', async () => {
      session = await open(era, server, policy);
      assertLimited(session, await session.call(limited), limited);
      await session.client.close();
    });
}

// Policies that name one tool and leave the rest to the default.
export async function defaults(server, era) {
  const one = server.limited ?? { name: server.denied };
  const opened = async (rules, test) => {
    const session = await open(era, server, new Policy({ tools: { [one.name]: {} }, ...rules }));
    await test(session).finally(() => session.client.close());
  };
  await check(`${server.name}, ${era}: default hide lists what is named, no more`, () =>
    opened({ default: 'hide' }, async (session) => {
      assert.deepEqual(names(await session.client.listTools()), [one.name]);
      if (server.limited) assert.ok(!(await session.call(one)).isError);
      await refusals['the hidden tool does not exist when it is called'](session, server);
    }));
  await check(`${server.name}, ${era}: default deny lists all and calls what is named`, () =>
    opened({ default: 'deny' }, async (session) => {
      assert.ok(names(await session.client.listTools()).includes(server.hidden));
      if (server.limited) assert.ok(!(await session.call(one)).isError);
      const result = await session.call({ name: server.hidden, arguments: {} });
      assertRefused(session, result, '(default deny)');
    }));
}

// Without a handshake a server asks back by its result, and the client calls
// again with the answer. That is a call like any other.
export async function repeated(server) {
  const [call] = server.asks;
  const limits = [{ counter: 'calls', window: 'minute', max: 2 }];
  const policy = new Policy({ default: 'allow', tools: { [call.name]: { limits } } });
  await check(`${server.name}, modern: a call repeated with an answer counts twice`, async () => {
    const session = await open('modern', server, policy);
    assert.ok(!(await session.call(call)).isError);
    assertLimited(session, await session.call(call), call);
    await session.client.close();
  });
}

// Prompts and resources under the same rules as tools.
export async function otherLists(server, era) {
  if (!has['rules for prompts'] || !has['rules for resources']) return;
  if (!server.prompts?.length || !server.resources?.length) return;
  const [{ name }] = server.prompts;
  const [uri] = server.resources;
  const policy = new Policy({
    default: 'allow',
    prompts: { [name]: { action: 'deny', reason: REASON } },
    resources: { [uri]: { action: 'hide' } },
  });
  const what = 'a denied prompt is listed, a hidden resource is not';
  await check(`${server.name}, ${era}: ${what}`, async () => {
    const session = await open(era, server, policy);
    const { client } = session;
    const refused = async (promise, reason) => {
      await assert.rejects(promise);
      assert.equal(session.reply().error.code, -32602);
      assert.ok(session.reply().error.message.includes(reason), session.reply().error.message);
    };
    assert.ok((await client.listPrompts()).prompts.some((prompt) => prompt.name === name));
    assert.ok(!(await client.listResources()).resources.some((resource) => resource.uri === uri));
    await refused(client.getPrompt(server.prompts[0]), REASON);
    await refused(client.readResource({ uri }), '');
    await client.close();
  });
}

// A client in doubt asks with `server/discover`, which an older server does
// not know, and falls back: weir has to pass on the question and the no.
export async function fallback(server) {
  await check(`${server.name}: a client of 2026-07-28 falls back`, async () => {
    const policy = new Policy({ default: 'allow', hide: [server.hidden] });
    const session = await open('auto', server, policy);
    assert.notEqual(session.client.getNegotiatedProtocolVersion(), '2026-07-28');
    await refusals['the hidden tool is not listed'](session, server);
    await session.client.close();
    await allGone(session.mark);
  });
}
