"""compare.py READER SEED STREAM OUTPUT: did a reader see what weir saw?

STREAM is what judge wrote: lines that pass, each with its control and its mark.
OUTPUT is what the reader saw in it; reader.py tells how it is written.  Between
two marks there must be two equal messages.  Short of that, these do no harm:

  - the reader refuses the line: then it does not do what the line asks for
  - a reader that takes characters inside of strings for the end of a line sees
    pieces of it: no message, as long as each of them is none

All else is a finding.  They become files, and the first few are printed.
"""

import itertools
import re
import sys

PRINTED, KEPT, WIDTH = 3, 100, 400

# What ends a line for a reader, and may be in a string.
PIECES = {
    "node-readline": ["\u2028", "\u2029"],
    "python-splitlines": ["\x85", "\u2028", "\u2029"],
}
NO_MESSAGE = ("unreadable", "nothing")


def pairs(file):
    """The lines that passed, each with its control and number."""
    for line, control, mark in itertools.zip_longest(file, file, file):
        yield line, control, mark.split(b":")[2].split(b",")[0]


def seen(file):
    """What was read up to each mark, and the number in it."""
    group = []
    for line in file:
        fields = line.rstrip(b"\n").split(b"\t")
        if len(fields) > 2 and fields[2] == b'"weir/mark"':
            yield group, fields[1]
            group = []
        else:
            read = line.rstrip(b"\n").decode()
            # To weir, arguments that are null are not there.
            group.append(re.sub("\tnull$", "\t-", read))
    yield group, None


def is_message(read):
    return "\t" in read


def verdict(reader, line, group):
    if len(group) == 2 and "unreadable" not in group:
        if group[0] == group[1]:
            return "equal"
        if group[0] == "refused":
            return "refused"
    ends = (end.encode() for end in PIECES.get(reader, []))
    if group and any(end in line for end in ends):
        *pieces, control = group
        if not any(map(is_message, pieces)) and control not in NO_MESSAGE:
            return "in pieces"
    return "finding"


def escape(line):
    """As the corpus has it, so that a finding can become a case."""
    short = {0: "\\0", 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\"}
    plain = {b: chr(b) for b in range(32, 127)} | short
    return "".join(plain.get(b) or f"\\x{b:02x}" for b in line)


def tell(reader, seed, number, line, control, group):
    read = group or ["(nothing up to the next mark)"]
    return "\n".join(
        [
            f"{reader}, SEED={seed}, line {number.decode()}",
            f"line     {escape(line.removesuffix(chr(10).encode()))}",
            f"to weir  {control.decode().rstrip()}",
        ]
        + [f"read as  {escape(message.encode())}" for message in read]
    )


def main():
    reader, seed, stream, output = sys.argv[1:]
    count = dict.fromkeys(["equal", "refused", "in pieces", "finding"], 0)
    messages = 0
    with open(stream, "rb") as lines, open(output, "rb") as out:
        read = seen(out)
        # One mark that is missing: what came before the next was read for both.
        group, at = next(read)
        for line, control, number in pairs(lines):
            here = group if at == number else []
            messages += sum(map(is_message, here))
            judged = verdict(reader, line, here)
            count[judged] += 1
            if judged == "finding" and count[judged] <= KEPT:
                told = tell(reader, seed, number, line, control, here)
                name = f"finding-{reader}-{number.decode()}.txt"
                with open(name, "w", encoding="ascii") as file:
                    print(told, file=file)
                if count[judged] <= PRINTED:
                    for part in told.splitlines():
                        print(part[:WIDTH])
            if at == number:
                group, at = next(read)
    told = [f"{messages} messages", f"{count['equal']} pairs equal"]
    told += [f"{count[w]} {w}" for w in ("refused", "in pieces") if count[w]]
    told += [f"{count['finding']} FINDINGS"] * (count["finding"] > 0)
    print(f"{reader}: {', '.join(told)}")
    sys.exit(count["finding"] > 0)


main()
