"""The tools of own.js, served by the SDK for Python."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("own")


@server.tool()
def secret() -> str:
    return "told"


@server.tool()
def echo(text: str) -> str:
    return text


@server.tool()
def add(a: int, b: int) -> int:
    return a + b


@server.tool()
def remove() -> str:
    return "removed"


def filler(number: int):
    return lambda: str(number)


for number in range(400):
    server.add_tool(
        filler(number),
        name=f"filler_{number}",
        description='Does nothing, "quotes" and \\ included: ' + "{[,]} " * 12,
    )


@server.prompt()
def greet(who: str) -> str:
    return f"Greet {who}"


@server.resource("own://note")
def note() -> str:
    return "a note"


server.run()
