// Byte for byte: what a real server wrote once is served again through weir,
// and every byte that comes out is accounted for.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { check, has, newPlace, noPolicy, parse, Policy, replies, start, within } from './lib.js';

// --- the expected bytes ----------------------------------------------------

// The index behind the JSON value that starts at `at`. The servers write no
// white space between tokens; where one does, it would end up inside a span.
function behindValue(text, at) {
  if (text[at] === '"') {
    for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    return at + 1;
  }
  if (!'[{'.includes(text[at])) {
    while (!',:]}'.includes(text[at])) at++;
    return at;
  }
  for (at++; !']}'.includes(text[at]);)
    at = ',:'.includes(text[at]) ? at + 1 : behindValue(text, at);
  return at + 1;
}

// The members of the object, or the elements of the array, that starts at
// `at`, each with the span of its value.
function parts(text, at) {
  const list = [];
  const isObject = text[at] === '{';
  for (at++; !']}'.includes(text[at]); at += text[at] === ',') {
    let key;
    if (isObject) {
      const end = behindValue(text, at);
      key = JSON.parse(text.slice(at, end));
      at = end + 1;
    }
    const end = behindValue(text, at);
    list.push({ key, from: at, to: end });
    at = end;
  }
  return list;
}

// A line of the server without the entries of `list` (tools, prompts,
// resources) that `gone` tells by name or uri. Other lines stay as they are.
function cut(line, list, gone) {
  if (!parse(line)?.result?.[list]) return line;
  const member = (at, key) => parts(line, at).find((part) => part.key === key);
  const { from, to } = member(member(0, 'result').from, list);
  const kept = parts(line, from)
    .map((part) => line.slice(part.from, part.to))
    .filter((text) => !gone(JSON.parse(text)));
  return `${line.slice(0, from)}[${kept.join(',')}]${line.slice(to)}`;
}

// --- conversations ---------------------------------------------------------

// Sends line after line, each when the one before is answered, and returns
// the turns: what went in, and the bytes that came out.
async function converse(policy, server, lines, env) {
  const run = start(policy, server, env);
  const turns = [];
  let at = 0;
  for (const line of lines) {
    const { id } = parse(line);
    run.child.stdin.write(line);
    const answered = (out) => out.at(-1) === 10 &&
      replies(out.subarray(at)).map(parse).some((message) =>
        message?.id === id && !message.method);
    if (id !== undefined) await run.until(`an answer to ${line.trim()}`, answered);
    turns.push({ in: line, out: run.out.subarray(at).toString() });
    at = run.out.length;
  }
  run.child.stdin.end();
  const status = await within(run.ended);
  turns.at(-1).out += run.out.subarray(at).toString();
  return { turns, status };
}

// Sends everything at once, closes the input, and returns all that comes.
async function pour(policy, server, bytes) {
  const run = start(policy, server);
  run.child.stdin.end(bytes);
  const status = await within(run.ended);
  assert.deepEqual(status, { code: 0, signal: null }, run.err);
  return run.out.toString();
}

const outOf = (turns) => turns.map(({ out }) => out).join('');

// Where two texts part, rather than two texts of 100 KB.
function assertSameBytes(got, expected, what = '') {
  if (got === expected) return;
  let at = 0;
  while (at < got.length && got[at] === expected[at]) at++;
  const show = (text) => JSON.stringify(text.slice(Math.max(0, at - 30), at + 60));
  assert.fail(`${what}${got.length} characters, not ${expected.length}; from ${at} on\n` +
    `got      ${show(got)}\nexpected ${show(expected)}`);
}

// --- the checks ------------------------------------------------------------

// Which entries of a list are hidden: at both ends, in the middle, next to
// each other, all of them, none.
const choices = {
  'none': () => false,
  'the first': (i) => i === 0,
  'the middle': (i, n) => i === n >> 1,
  'the last': (i, n) => i === n - 1,
  'the first two': (i) => i < 2,
  'the last two': (i, n) => i >= n - 2,
  'every second': (i) => i % 2 === 0,
  'all but one': (i) => i !== 1,
  'all': () => true,
};

const hide = {
  tools: (names) => ({ hide: names }),
  prompts: (names) => ({ prompts: actions(names) }),
  resources: (names) => ({ resources: actions(names) }),
};
const actions = (names) =>
  Object.fromEntries(names.map((name) => [name, { action: 'hide' }]));

// One line that no client understands, before every list and at the start:
// a server may print what it likes.
const noise = '╭── npm WARN deprecated ──╮\n';
const withNoise = (turns) => turns.map((turn) => ({ ...turn, out: noise + turn.out }));

export async function bytes(server) {
  const say = (what, test) => check(`${server.name}, bytes: ${what}`, test);
  const open = new Policy({ default: 'allow' });
  let recorded;

  await say('a conversation is recorded', async () => {
    recorded = await converse(noPolicy, server.argv, server.lines, server.env?.());
    assert.ok(outOf(recorded.turns).includes('"tools":[{'));
  });
  if (!recorded) return;
  const { turns } = recorded;

  // Two runs of a server may differ in what they tell unasked, and when.
  await say('every answer is the same through weir, and so is the end', async () => {
    const live = await converse(open, server.argv, server.lines, server.env?.());
    const answers = (all) => all.map(({ out }) =>
      replies(out).filter((line) => parse(line)?.id !== undefined).join('\n')).join('\n');
    assertSameBytes(answers(live.turns), answers(turns));
    assert.deepEqual(live.status, recorded.status);
  });

  // From here on the recording is the server, and ends with an error where
  // the bytes that it gets are not the ones that were recorded.
  const file = path.join(newPlace('recording'), 'turns.json');
  const player = (conversation, way) => {
    writeFileSync(file, JSON.stringify(conversation));
    return [process.execPath, path.resolve('replay.js'), file, way];
  };
  const replay = (conversation, policy, way) => pour(policy, player(conversation, way),
    conversation.map((turn) => turn.in).join(''));
  for (const way of ['whole', 'pieces'])
    await say(`the recording passes untouched, in ${way}`, async () => {
      assertSameBytes(await replay(turns, open, way), outOf(turns));
      assertSameBytes(await replay(withNoise(turns), open, way), outOf(withNoise(turns)));
    });
  await say('turn by turn as well, with a tool hidden that is not there', async () => {
    const policy = new Policy({ default: 'allow', hide: ['not-there', 'no?one*'] });
    const live = await converse(policy, player(turns, 'pieces'), turns.map((turn) => turn.in));
    assertSameBytes(outOf(live.turns), outOf(turns));
    assert.deepEqual(live.status, { code: 0, signal: null });
  });

  for (const list of ['tools', 'prompts', 'resources']) {
    const entries = replies(outOf(turns)).map(parse)
      .find((message) => message?.result?.[list]?.length)?.result[list];
    if (!entries || has[`rules for ${list}`] === false) continue;
    const names = entries.map(({ uri, name }) => uri ?? name);
    // A call might be one of a hidden tool, and is left out.
    const asked = withNoise(turns.filter((turn) => !turn.in.includes('/call')));
    await say(`what is hidden of ${list} is cut out, and no more`, async () => {
      for (const [what, chosen] of Object.entries(choices)) {
        const gone = names.filter((_, i) => chosen(i, names.length));
        const policy = new Policy({ default: 'allow', ...hide[list](gone) });
        const expected = outOf(asked).split('\n')
          .map((line) => cut(line, list, ({ uri, name }) => gone.includes(uri ?? name)))
          .join('\n');
        assert.equal(expected === outOf(asked), gone.length === 0);
        for (const way of ['whole', 'pieces'])
          assertSameBytes(await replay(asked, policy, way), expected, `${what}, in ${way}: `);
      }
    });
  }

  // weir's own answers carry the id as the client spelled it, which a client
  // that compares numbers does not see.
  await say('a refusal repeats the id to the byte', async () => {
    const policy = new Policy({
      default: 'allow', hide: [server.hidden], tools: { [server.denied]: { action: 'deny' } },
    });
    const ids = ['7', '"7"', '-0', '"\\u00e9\\/ é"', '9007199254740993', '""'];
    const calls = ids.flatMap((id) => [server.hidden, server.denied].map((name) =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}"}}\n`));
    const run = start(policy, server.argv, server.env?.());
    run.child.stdin.write(calls.join(''));
    await run.until('all are answered', (out) => replies(out).length >= calls.length);
    for (const [i, line] of replies(run.out).entries()) {
      const expected = `"id":${ids[i >> 1]}`;
      assert.ok(line.includes(expected), `${expected} is not in ${line}`);
      assert.equal('error' in parse(line), i % 2 === 0);
    }
    run.child.stdin.end();
    await within(run.ended);
  });
  await say('one byte more, or less, or other is noticed', async () => {
    const out = outOf(turns);
    for (const other of [`${out} `, out.slice(0, -1), out.replace('"', "'")])
      assert.throws(() => assertSameBytes(other, out));
    const [first, ...rest] = turns;
    const wrong = [{ ...first, in: first.in.replace('\n', ' \n') }, ...rest];
    await assert.rejects(pour(noPolicy, player(wrong, 'whole'),
      turns.map((turn) => turn.in).join('')), /line 1/);
  });
}
