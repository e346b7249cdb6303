"""The tools of own.js, served by the SDK for Python."""

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

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


# Answers with a question first, and is called again with the answer.
@server.tool()
def ask(context: Context) -> str | InputRequiredResult:
    answers = context.input_responses
    if answers and "who" in answers:
        return answers["who"].model_dump_json()
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    params = ElicitRequestFormParams(message="Who?", requested_schema=schema)
    return InputRequiredResult(
        input_requests={"who": ElicitRequest(params=params)}, request_state="asked"
    )


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
