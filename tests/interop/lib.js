// What every part of the tests needs: checks that are counted, servers
// behind weir, and the processes that belong to them.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';

// How long to wait for one condition, and for a whole check. A check takes a
// second or two, and only one that hangs gets there.
const PATIENCE_MS = 15_000;
const DEADLINE_MS = 60_000;

// Policies, counters, files, recordings: each run has a directory of its own,
// and leaves it for a look where a check has failed.
const tmp = path.resolve('tmp', `${process.pid}`);
rmSync(tmp, { recursive: true, force: true });

let places = 0;
export function newPlace(name) {
  const place = path.join(tmp, `${++places}-${name}`);
  mkdirSync(place, { recursive: true });
  return place;
}

const count = { passed: 0, failed: 0 };

// What weir says on stderr is printed with the check that it breaks.
let heard = '';
export const hear = (bytes) => heard += bytes;

// Runs one check, prints one line, and never throws. True if it passed.
export async function check(name, test) {
  heard = '';
  try {
    await within(test(), DEADLINE_MS);
    count.passed++;
    console.log(`ok    ${name}`);
    return true;
  } catch (error) {
    count.failed++;
    console.log(`FAIL  ${name}`);
    const said = heard.split('\n').filter((line) => line.includes('weir: '));
    const why = String(error?.message ?? error).split('\n').slice(0, 24);
    for (const line of [...why, ...said])
      if (line) console.log(`      | ${line.slice(0, 160)}`);
    return false;
  }
}

export async function within(promise, ms = PATIENCE_MS) {
  const timer = new AbortController();
  const late = pause(ms, undefined, timer).then(() => {
    throw new Error(`nothing came in ${ms} ms`);
  });
  late.catch(() => {});
  return Promise.race([promise, late]).finally(() => timer.abort());
}

// Waits until a condition holds, and says which one never did.
export async function until(what, holds) {
  for (const end = Date.now() + PATIENCE_MS; !holds(); await pause(10))
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
}

// --- weir ------------------------------------------------------------------

// Where libweir.so is, weir is not put before a command: the environment of
// the command does the same.
const preload = process.env.PRELOAD;

// A policy as weir takes it: a file, and a state directory of its own, so
// that no other run and no other check has used its limits up. One policy
// may stand before several sessions, which then share its counters.
export class Policy {
  constructor(rules) {
    const place = newPlace('policy');
    this.file = path.join(place, 'policy.json');
    this.env = {
      WEIR_STATE: path.join(place, 'state'),
      ...preload && { LD_PRELOAD: preload, WEIR_POLICY: this.file },
    };
    writeFileSync(this.file, JSON.stringify({ version: '1', ...rules }));
  }

  // The command line that starts a server behind this policy.
  before(argv) {
    return preload ? argv : [process.env.WEIR, '-p', this.file, '--', ...argv];
  }
}

// Stands for no weir at all.
export const noPolicy = { env: {}, before: (argv) => argv };

// What a weir may lack whose time has not come. It is asked, so that the
// checks run from the day on that it has it.
function says(...args) {
  const { stdout, stderr } = spawnSync(process.env.WEIR, args);
  return `${stdout}${stderr}`;
}
const loads = (rules) =>
  !says('check', new Policy({ default: 'allow', ...rules }).file).includes('does not have');

export const has = {
  'counters that outlive a session': says('--help').includes('--state'),
  'rules for prompts': loads({ prompts: {} }),
  'rules for resources': loads({ resources: {} }),
};

// --- processes -------------------------------------------------------------

// A mark in the environment is inherited by every process that a session
// starts, so that also those are found whose parent has gone. All marks of a
// run begin alike.
const all = randomUUID();
let marks = 0;
export const newMark = () => `${all}.${++marks}.`;

export function marked(mark) {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
    } catch {
      return false; // it has just ended, or is another user's
    }
  });
}

export const allGone = (mark) =>
  until('no process is left', () => marked(mark).length === 0);

// Says how it went, and leaves nothing running: a check that failed may have.
export function finish() {
  for (const pid of marked(all)) process.kill(pid, 'SIGKILL');
  if (!count.failed) rmSync(tmp, { recursive: true, force: true });
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exit(count.failed ? 1 : 0);
}

// A server on pipes, spoken to in bytes. `run.out` grows as it writes.
export function start(policy, server, env = {}) {
  const mark = newMark();
  const [command, ...args] = policy.before(server);
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env, ...policy.env, INTEROP: mark },
  });
  const run = { child, mark, out: Buffer.alloc(0), err: '' };
  child.stdout.on('data', (bytes) => run.out = Buffer.concat([run.out, bytes]));
  child.stderr.on('data', (bytes) => run.err += bytes);
  child.stderr.on('data', hear);
  child.stdin.on('error', () => {}); // the end of the child tells more
  run.ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  run.ended.catch((error) => error).then((how) => run.over = how);
  // Waits for what the server writes, as long as it runs.
  run.until = async (what, holds) => {
    await until(what, () => run.over || holds(run.out));
    assert.ok(holds(run.out), `${JSON.stringify(run.over)} before ${what}\n${run.err}`);
  };
  return run;
}

export const replies = (bytes) => bytes.toString().split('\n').filter(Boolean);

// The JSON of a line, or undefined for noise.
export function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
