// A server that ends its lines with what it is given, as JSON:
// node untidy.js '"\n\r"'

import { createInterface } from 'node:readline';

const end = JSON.parse(process.argv[2]);
const tool = (name) => ({ name, inputSchema: { type: 'object' } });
const results = {
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'untidy', version: '1' },
  },
  'tools/list': { tools: [tool('shown'), tool('forbidden')] },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  if (id === undefined) continue;
  const result = results[method];
  const error = { code: -32601, message: 'Method not found' };
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...result ? { result } : { error } }) + end);
}
