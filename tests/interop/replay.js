// A server that says what another one said: `node replay.js TURNS whole|pieces`.
//
// It waits for each line of the recording, byte for byte, and then writes
// what was recorded behind it: in one piece, or in many.

import { readFileSync } from 'node:fs';

const [, , file, way] = process.argv;
const turns = JSON.parse(readFileSync(file, 'utf8'));

// Short and long ones, none a divisor of a pipe or of another.
const SIZES = [1, 2, 1009, 7, 1, 16381, 61];

function write(bytes) {
  return new Promise((resolve) => process.stdout.write(bytes, resolve));
}

function fail(what) {
  process.stderr.write(`replay: ${what}\n`);
  process.exit(3);
}

let input = Buffer.alloc(0);
let next = 0;
for await (const bytes of process.stdin) {
  input = Buffer.concat([input, bytes]);
  while (next < turns.length) {
    const end = input.indexOf('\n') + 1;
    if (!end) break;
    const turn = turns[next++];
    if (input.subarray(0, end).toString() !== turn.in)
      fail(`line ${next} is not the recorded one: ${input.subarray(0, end)}`);
    input = input.subarray(end);

    const out = Buffer.from(turn.out);
    for (let at = 0, i = 0; at < out.length; i++) {
      const size = way === 'whole' ? out.length : SIZES[i % SIZES.length];
      await write(out.subarray(at, at + size));
      at += size;
    }
  }
}
if (next < turns.length) fail(`it ends before line ${next + 1}`);
if (input.length) fail(`more than was recorded: ${input}`);
