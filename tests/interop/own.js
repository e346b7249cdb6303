// A server that speaks MCP 2026-07-28, and the revisions before it when it
// is greeted with them. Its list of tools is larger than a pipe.

import { McpServer, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const say = (text) => ({ content: [{ type: 'text', text }] });

serveStdio(() => {
  const server = new McpServer({ name: 'own', version: '1' });

  server.registerTool('secret', { inputSchema: z.object({}) }, () => say('told'));
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) },
    ({ text }) => say(text));
  server.registerTool('add', {
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    outputSchema: z.object({ sum: z.number() }),
  }, ({ a, b }) => ({ ...say(`${a + b}`), structuredContent: { sum: a + b } }));
  server.registerTool('remove', { inputSchema: z.object({}) }, () => say('removed'));

  // Answers with a question first, and is called again with the answer.
  server.registerTool('ask', { inputSchema: z.object({}) }, (_, { mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'who');
    if (answer.kind !== 'missing') return say(JSON.stringify(answer));
    return inputRequired({
      requestState: 'asked',
      inputRequests: {
        who: inputRequired.elicit({
          message: 'Who?',
          requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
        }),
      },
    });
  });
  for (let i = 0; i < 400; i++)
    server.registerTool(`filler_${i}`, {
      description: `Does nothing, "quotes" and \\ included: ${'{[,]} '.repeat(12)}`,
      inputSchema: z.object({}),
    }, () => say(`${i}`));

  server.registerPrompt('greet', { argsSchema: z.object({ who: z.string() }) },
    ({ who }) => ({ messages: [{ role: 'user', content: say(`Greet ${who}`).content[0] }] }));
  server.registerResource('note', 'own://note', {},
    ({ href }) => ({ contents: [{ uri: href, text: 'a note' }] }));
  return server;
});
