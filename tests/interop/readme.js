// The commands of README.md that need npm, as they stand there: what scans a
// server, and what each client is given to start. Claude Code, Codex and Gemini
// CLI are not here: sh says what words they would get.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { check, finish, newPlace } from './lib.js';

rmSync('files.json', { force: true }); // which a scan does not write over
const home = newPlace('home');
mkdirSync(path.join(home, 'bin'));
symlinkSync(process.env.WEIR, path.join(home, 'bin', 'weir'));
// npx takes what is installed here, and asks no registry.
const env = {
  ...process.env, HOME: home, npm_config_offline: 'true',
  PATH: `${home}/bin:${process.env.PATH}`,
};
const sh = (command, input = '') => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { env, input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
};

const commands = readFileSync(process.env.README, 'utf8').split('\n')
  .map((line) => /^ {4}((weir|mkdir|claude|codex|gemini) .*?)( {3}.*)?$/.exec(line)?.[1])
  .filter((command) => command?.startsWith('mkdir ') || / npx /.test(command));
const line = (id, method, params = {}) => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const session = line(1, 'initialize', {
  protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'readme', version: '1' },
}) + line(undefined, 'notifications/initialized') + line(2, 'tools/list')
  + line(3, 'tools/call', { name: 'write_file', arguments: { path: `${home}/shared/x`, content: 'x' } });

let clients = 0;
for (const command of commands)
  await check(command.slice(0, 60), async () => {
    const start = /^(claude|codex|gemini) mcp add shared (.*)$/.exec(command)?.[2];
    if (!start) return sh(command);
    clients++;
    // The first "--" is the client's own.
    const said = sh(start.replace(/^(weir --|-- weir) /, 'weir '), session).split('\n');
    const answer = (id) => JSON.parse(said.find((l) => l.includes(`"id":${id}`)));
    const names = answer(2).result.tools.map(({ name }) => name);
    assert.ok(names.includes('read_text_file') && !names.includes('write_file'), `${names}`);
    assert.match(answer(3).error.message, /Unknown tool: write_file/);
  });
await check('all of them were there', async () =>
  assert.ok(clients === 3 && commands.length >= 6, commands.join('\n')));
finish();
