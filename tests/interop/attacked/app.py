"""An app of FastMCP, whose tools have a second name each."""

import os

from fastmcp import FastMCP, FastMCPApp

app = FastMCPApp("app")


@app.tool()
def number(value: float) -> str:
    os.write(2, f"ran number {value}\n".encode())
    return ""


@app.tool()
def forbidden(value: float) -> str:
    os.write(2, f"ran forbidden {value}\n".encode())
    return ""


FastMCP("attacked", providers=[app]).run(show_banner=False)
