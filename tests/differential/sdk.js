// Messages on stdin, as the official SDK for TypeScript reads them: its
// framing, its schema of a message, and the one that a handler sees a request
// through; what is printed is told in reader.py.  The version of zod is one of
// those that let the key __proto__ supply what is not there.

import { ReadBuffer } from '@modelcontextprotocol/sdk/shared/stdio.js';
import {
  CallToolRequestSchema, GetPromptRequestSchema, ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { show } from './show.js';

const schemas = {
  'tools/call': CallToolRequestSchema,
  'prompts/get': GetPromptRequestSchema,
  'resources/read': ReadResourceRequestSchema,
};

function handled(message) {
  const schema = schemas[message.method];
  if (!schema || !('id' in message)) return message;
  return { id: message.id, ...schema.parse(message) };
}

const buffer = new ReadBuffer();

// One line's worth, or null when there is no whole line.
function read() {
  try {
    const message = buffer.readMessage();
    return message && show(handled(message));
  } catch (error) {
    // What is JSON was against a schema: no handler gets to see it.
    return error instanceof SyntaxError ? 'unreadable' : 'refused';
  }
}

for await (const chunk of process.stdin) {
  let out = '';
  buffer.append(chunk);
  for (let line; (line = read()) !== null;) out += `${line}\n`;
  process.stdout.write(out);
}
