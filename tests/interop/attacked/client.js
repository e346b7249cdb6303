// The tools that a client of an SDK for TypeScript sees, a line each:
// node client.js sdk|client COMMAND...

const sdks = {
  sdk: ['@modelcontextprotocol/sdk/client/index.js', '@modelcontextprotocol/sdk/client/stdio.js'],
  client: ['@modelcontextprotocol/client', '@modelcontextprotocol/client/stdio'],
};
const [, , sdk, command, ...args] = process.argv;
const [{ Client }, { StdioClientTransport }] =
  await Promise.all(sdks[sdk].map((name) => import(name)));

const client = new Client({ name: 'attacks', version: '1' });
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
for (const { name } of (await client.listTools()).tools) console.log(name);
await client.close();
