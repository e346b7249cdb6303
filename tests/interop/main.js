// All checks, one after the other: sessions and bytes of every server, then
// how they end.

import assert from 'node:assert/strict';
import { bytes } from './bytes.js';
import { allGone, check, finish, has, marked, Policy, start } from './lib.js';
import { servers } from './servers.js';
import { defaults, fallback, otherLists, repeated, sessions } from './sessions.js';

if (!servers.some(({ name }) => name === 'python'))
  console.log('skip  python: its SDK could not be installed, see build/interop/venv.log');

for (const [what, here] of Object.entries(has))
  if (!here) console.log(`skip  ${what}: this weir does not have them yet`);

// Where this fails, all would, and slowly.
const runs = await check('weir runs a command', async () => {
  const run = start(new Policy({ default: 'allow' }), [process.execPath, '-e', '']);
  assert.deepEqual(await run.ended, { code: 0, signal: null }, run.err);
});
if (!runs) finish();

for (const server of servers) {
  for (const era of server.eras) await sessions(server, era);
  await defaults(server, server.eras[0]);
  await otherLists(server, server.eras[0]);
  if (!server.eras.includes('modern')) await fallback(server);
  else if (server.asks) await repeated(server);
  await bytes(server);
}

// --- how it ends -----------------------------------------------------------

// Whatever ends it, no part of it may stay: a server itself; the chain that a
// client's config file has, where npx runs a shell that runs node; a server
// that waits for an answer and lives on for a minute when its input ends.
const server = (wanted) => servers.find(({ name }) => name === wanted);
const greeting = server('memory').lines.slice(0, 3).join('');
const commands = {
  node: { argv: server('memory').argv },
  // An npx that is alone in getting SIGINT waits for its child, as ever.
  npx: { argv: ['npx', '--offline', '--no', 'mcp-server-memory'], not: 'SIGINT' },
  'a server that waits': {
    argv: server('everything').argv,
    input: greeting.replace('"capabilities":{}', '"capabilities":{"roots":{}}'),
    wait: '"method":"roots/list"',
    not: 'the end of the input',
  },
};
const endings = {
  'the end of the input': ({ child }) => child.stdin.end(),
  SIGTERM: ({ child }) => child.kill('SIGTERM'),
  SIGINT: ({ child }) => child.kill('SIGINT'),
  SIGKILL: ({ child }) => child.kill('SIGKILL'),
};
for (const [what, { argv, input = greeting, wait = '"tools":[{', not }] of Object.entries(commands))
  for (const [how, end] of Object.entries(endings).filter(([how]) => how !== not))
    await check(`${what}: ${how} leaves no process`, async () => {
      const run = start(new Policy({ default: 'allow' }), argv);
      run.child.stdin.write(input);
      await run.until('the session runs', (out) => out.includes(wait));
      assert.ok(marked(run.mark).length > 1);
      end(run);
      await allGone(run.mark);
    });

finish();
