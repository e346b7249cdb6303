"""Tools that tell on stderr what they were called with, served by FastMCP, as
the SDK for Python calls it up to 1.x."""

import json
import os

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:
    from mcp.server.fastmcp import FastMCP as MCPServer

server = MCPServer("attacked")


def tell(tool, value):
    os.write(2, f"ran {tool} {json.dumps(value)}\n".encode())


@server.tool()
def number(value: float) -> str:
    tell("number", value)
    return ""


@server.tool()
def tags(value: list[str]) -> str:
    tell("tags", value)
    return ""


server.run()
