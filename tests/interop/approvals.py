"""Calls remove twice through the command, and says what came, and how often the
person was asked, who always answers like this."""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.types import ElicitResult

era, action, command, *args = sys.argv[1:]
asked = []


async def answer(context, params):
    asked.append(params.message)
    return ElicitResult(action=action, content={} if action == "accept" else None)


async def twice(session):
    return [(await session.call_tool("remove", {})).content[0].text for _ in range(2)]


async def main():
    transport = stdio_client(StdioServerParameters(command=command, args=args))
    callback = None if action == "none" else answer
    if era == "modern":
        async with Client(transport, elicitation_callback=callback) as client:
            return await twice(client)
    async with transport as (read, write):
        async with ClientSession(read, write, elicitation_callback=callback) as session:
            await session.initialize()
            return await twice(session)


print(json.dumps([*asyncio.run(main()), len(asked)]))
