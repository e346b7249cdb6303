"""Messages on stdin, as servers in Python read them; one line for each.

reader.py text        as the SDK does: every kind of line end counts, and bytes
                      that are no UTF-8 are replaced
reader.py bytes       lines end at LF; json finds out the encoding
reader.py splitlines  str.splitlines(), as servers written by hand like it
reader.py first       in place of Swift: of equal keys the first one counts, and
                      a result or an error before a method

What every reader prints for a message is its kind, id, method, params.name,
params.uri and params.arguments, with tabs between them, in a form of its own;
- is for what is not there.  Other lines say why there is no message:

unreadable  that is no JSON
nothing     that is JSON, but no message
refused     that may be a message, but the reader has a limit, or a taste, that
            keeps it from reading it
"""

import io
import json
import sys


def lines(how):
    stdin = sys.stdin.buffer
    if how == "text":
        return io.TextIOWrapper(stdin, encoding="utf-8", errors="replace")
    if how != "splitlines":
        return stdin
    text = (line.decode("utf-8", "replace") for line in stdin)
    return (piece for line in text for piece in line.splitlines())


def kind_of(message, first):
    response = next((k for k in ("result", "error") if k in message), None)
    if "method" not in message or (first and response):
        return response
    return "request" if "id" in message else "notification"


def told(value, wanted=object):
    return json.dumps(value) if isinstance(value, wanted) else "-"


def show(message, first):
    kind = kind_of(message, first)
    params = message.get("params")
    if not isinstance(params, dict):
        params = {}
    return "\t".join(
        (
            kind,
            told(message["id"]) if "id" in message else "-",
            told(message.get("method"), str),
            told(params.get("name"), str),
            told(params.get("uri"), str),
            told(params["arguments"]) if "arguments" in params else "-",
        )
    ) if kind else "nothing"


def read(line, first):
    # Of equal keys, a dict keeps the last that it is given.
    hook = (lambda pairs: dict(reversed(pairs))) if first else None
    try:
        message = json.loads(line, object_pairs_hook=hook)
    except ValueError as error:
        # What has more than 4300 digits is not made a number of.
        return "refused" if "digits" in str(error) else "unreadable"
    except RecursionError:
        return "unreadable"
    return show(message, first) if isinstance(message, dict) else "nothing"


how = sys.argv[1]
for line in lines(how):
    print(read(line, how == "first"))
