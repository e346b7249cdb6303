// A tool that tells on stderr what it was called with, served by the SDK for
// TypeScript.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

const server = new McpServer({ name: 'attacked', version: '1' });
server.registerTool('number', { inputSchema: { value: z.number() } }, ({ value }) => {
  console.error('ran number', JSON.stringify(value));
  return { content: [] };
});
await server.connect(new StdioServerTransport());
