// Messages on stdin, as a server with Node's readline reads them; what is
// printed is told in reader.py.  readline ends lines at a bare CR, and from
// version 24 on at U+2028 and U+2029 too.

import { createInterface } from 'node:readline';
import { show } from './show.js';

function read(line) {
  try {
    return show(JSON.parse(line));
  } catch {
    return 'unreadable';
  }
}

let out = [];
const flush = () => { process.stdout.write(out.join('')); out = []; };
createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on('line', (line) => { if (out.push(`${read(line)}\n`) > 1000) flush(); })
  .on('close', flush);
