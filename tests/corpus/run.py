#!/usr/bin/env python3
"""Runs client.tsv against any command that stands before an MCP stdio server.

    CMD='weir -p policy.json -- {SERVER}' python3 tests/corpus/run.py [NAME...]

CMD is a line for the shell; {SERVER} in it becomes the command of a server
that keeps every byte it is given.  Without CMD it is $WEIR, or build/weir, with
a policy that allows everything.  NAMEs choose cases by how they begin.

Each line is sent whole; then byte by byte; then cut in two at every offset, or
at a sample of them if it is long.  A piece is written once the one before it
has been read.  After each line comes a ping that the server answers: what the
server got up to there, and what the client got, is that line's doing.  When
the command ends, or does not pass on the ping in time, it is started anew.

CORPUS_SECONDS (110) bounds it all, CORPUS_PATIENCE (2) the wait for a line.
"""

import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from array import array
from collections import namedtuple
from fcntl import ioctl
from termios import FIONREAD

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = float(os.environ.get("CORPUS_SECONDS", 110))
PATIENCE = float(os.environ.get("CORPUS_PATIENCE", 2))
TO_START = 20  # seconds until a command must pass on the first line
TO_ANSWER = 0.5  # seconds that an answer may come later than the ping's
TO_READ = 0.05  # seconds until a piece is followed by the next all the same
SLOW = 100_000  # bytes a second that a command must read
SHORT = 400  # bytes of a line that is cut at every offset
CHUNK = 1 << 20

Case = namedtuple("Case", "name verdict id line place")
Job = namedtuple("Job", "case way pieces")  # pieces: a list for each sending

# What the server answers to the pings; it serves for initialize as well.
ANSWER = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "corpus", "version": "1"},
}
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "corpus", "version": "1"},
}
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
PING = b'"method":"ping"'
MARK_BEGIN = b'{"jsonrpc":"2.0","id":"corpus-mark-'
MARK = re.compile(rb"corpus-mark-\d+-")


def mark(number, rest=PING):
    """A request that the server knows again wherever it stands."""
    return MARK_BEGIN + b'%d-",%s}\n' % (number, rest)


# ---------------------------------------------------------------- the server


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def serve(path):
    """Copies stdin to the file at path as it comes; answers the marks."""
    out = os.open(path, os.O_WRONLY)
    tail = b""
    while True:
        data = os.read(0, CHUNK)
        if not data:
            return
        write_all(out, data)
        tail += data
        end = 0
        for found in MARK.finditer(tail):
            end = found.end()
            answer = {"jsonrpc": "2.0", "id": found.group().decode()}
            answer["result"] = ANSWER
            write_all(1, json.dumps(answer).encode() + b"\n")
        tail = tail[max(end, len(tail) - 64) :]


# ----------------------------------------------------------------- the table


def unescape(text):
    """The bytes of a field, as the table's head has them."""
    single = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
    out = bytearray()
    i = 0
    while i < len(text):
        if text[i] != "\\":
            out += text[i].encode()
            i += 1
        elif text[i + 1] == "x":
            out.append(int(text[i + 2 : i + 4], 16))
            i += 4
        elif text[i + 1] == "{":
            end = text.index("}", i)
            times, _, once = text[i + 2 : end].partition(":")
            out += unescape(once) * int(times)
            i = end + 1
        else:
            out += single[text[i + 1]]
            i += 2
    return bytes(out)


def read_table(path, chosen):
    cases = []
    with open(path, encoding="utf-8", newline="\n") as table:
        for number, row in enumerate(table, 1):
            row = row.rstrip("\n")
            if not row or row.startswith("#"):
                continue
            name, verdict, id, _rule, _readers, line = row.split("\t")
            if chosen and not name.startswith(tuple(chosen)):
                continue
            line = unescape(line)
            assert b"\n" not in line, name
            place = f"{os.path.relpath(path)}:{number}"
            cases.append(Case(name, verdict, id, line, place))
    assert len({case.name for case in cases}) == len(cases), "a name twice"
    return cases


# -------------------------------------------------------------- the sessions


class Ended(Exception):
    """The command ended, or is not to be waited for any longer."""


class Session:
    """One run of the command.  What the server got is in got, what the client
    was told in told, as far as it has not been put down to a line yet."""

    def __init__(self, command, directory):
        self.fifo = os.path.join(directory, f"fifo-{time.monotonic_ns()}")
        os.mkfifo(self.fifo)
        # Open for writing too: then it has no end, and opens at once.
        self.record = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        server = [sys.executable, os.path.abspath(__file__)]
        server = shlex.join(server + ["--serve", self.fifo])
        self.errors = os.path.join(directory, "stderr")
        with open(self.errors, "wb") as errors:
            self.child = subprocess.Popen(
                command.replace("{SERVER}", server),
                shell=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                start_new_session=True,
            )
        self.stdin = self.child.stdin.fileno()
        self.stdout = self.child.stdout.fileno()
        os.set_blocking(self.stdin, False)
        os.set_blocking(self.stdout, False)
        self.poll = select.poll()
        self.poll.register(self.record, select.POLLIN)
        self.poll.register(self.stdout, select.POLLIN)
        self.got = bytearray()
        self.told = bytearray()
        self.unread = array("i", [0])
        self.ended = False

    def close(self):
        """Ends the command and all that it started."""
        self.child.stdin.close()
        self.child.stdout.close()
        try:
            self.child.wait(0.5)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        os.close(self.record)
        os.unlink(self.fifo)

    def last_words(self):
        with open(self.errors, "rb") as errors:
            lines = errors.read()[-4096:].decode(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def pump(self):
        """Takes what is there to be read; False: there was nothing."""
        any_read = False
        for fd, buffer in ((self.record, self.got), (self.stdout, self.told)):
            try:
                data = os.read(fd, CHUNK)
            except BlockingIOError:
                continue
            buffer += data
            any_read |= bool(data)
            self.ended |= not data
        return any_read

    def wait(self, until, to_write=False):
        """Waits until something was read, or, to_write, can be written."""
        if self.pump() and time.monotonic() < until:
            return
        left = until - time.monotonic()
        if self.ended or left <= 0:
            raise Ended
        if to_write:
            self.poll.register(self.stdin, select.POLLOUT)
        ready = self.poll.poll(left * 1000)
        if to_write:
            self.poll.unregister(self.stdin)
        if not ready:
            raise Ended

    def send(self, data, apart=False):
        """Writes data; apart: and waits, not for long, until it is read."""
        until = time.monotonic() + PATIENCE + len(data) / SLOW
        data = memoryview(data)
        while data:
            try:
                data = data[os.write(self.stdin, data) :]
            except BlockingIOError:
                self.wait(until, to_write=True)
            except BrokenPipeError:
                self.ended = True
                raise Ended from None
        until = time.monotonic() + TO_READ
        while apart and time.monotonic() < until:
            ioctl(self.stdin, FIONREAD, self.unread)
            if self.unread[0] == 0:
                break
            os.sched_yield()


def take(buffer, number):
    """What stands in buffer before the line of the mark; both are cut off.
    None: the mark is not there yet."""
    token = b"corpus-mark-%d-" % number
    at = buffer.find(token)
    end = buffer.find(b"\n", at)
    if at < 0 or end < 0:
        return None
    start = buffer.rfind(mark(number), 0, end + 1)
    if start < 0:  # the server's answer, or laid out in another way
        start = buffer.rfind(b"\n", 0, at) + 1
    before = bytes(buffer[:start])
    del buffer[: end + 1]
    return before


# --------------------------------------------------------------- the verdict


def answers_of(told):
    """The answers among what the client was told: (code, the line)."""
    found = []
    for line in bytes(told).split(b"\n"):
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if not isinstance(message, dict) or "method" in message:
            continue
        if MARK.fullmatch(str(message.get("id")).encode()):
            continue
        error = message.get("error")
        code = error.get("code") if isinstance(error, dict) else "a result"
        found.append((str(code), line))
    return found


def has_id(line, id):
    id = re.escape(id.encode())
    return re.search(rb'"id"\s*:\s*' + id + rb"\s*[,}]", line)


def judge_got(case, got):
    """What is wrong with what the server got: None, or (sort, words)."""
    line = case.line + b"\n"
    how = "as it is" if got == line else f"as {got[:200]!r}"
    if case.verdict != "pass":
        return ("through", f"reached the server {how}") if got else None
    if not got:
        return "lost", "did not reach the server"
    return ("lost", f"reached the server {how}") if got != line else None


def answers_due(case, sendings):
    return sendings if case.verdict.startswith("-") else 0


def judge_told(case, answers, sendings):
    """The same for what the client got."""
    want = answers_due(case, sendings)
    if len(answers) != want:
        return "answered", f"{len(answers)} answers, not {want}"
    for code, line in answers:
        if code != case.verdict:
            return "answered", f"answered {code}, not {case.verdict}"
        if not has_id(line, case.id):
            return "answered", f"answered with another id than {case.id}"
    return None


# ------------------------------------------------------------------ the ways


def whole(line):
    return [[line, b""]]


def byte_by_byte(line):
    cuts = range(1, len(line))
    if len(line) > SHORT:
        ends = SHORT // 2
        step = (len(line) - SHORT) // 20 + 1
        cuts = [*range(1, ends), *range(ends, len(line) - ends, step)]
        cuts += range(len(line) - ends, len(line))
    cuts = [0, *cuts, len(line)]
    return [[line[a:b] for a, b in zip(cuts, cuts[1:])] + [b""]]


def cut_in_two(line):
    cuts = range(1, len(line))
    if len(line) > SHORT:
        step = len(line) // 30 + 1
        cuts = {*range(1, 8), *range(step, len(line), step)}
        cuts |= {*range(len(line) - 8, len(line))}
    return [[line[:cut], line[cut:]] for cut in sorted(cuts)]


def jobs(cases):
    ways = {
        "whole": whole,
        "byte by byte": byte_by_byte,
        "cut in two": cut_in_two,
    }
    for name, way in ways.items():
        for case in cases:
            yield Job(case, name, way(case.line + b"\n"))


# ------------------------------------------------------------------- the run


class Run:
    def __init__(self, command, directory, cases):
        self.command = command
        self.directory = directory
        self.jobs = jobs(cases)
        self.faults = {}  # the name of a case that failed: how
        self.seen = set()  # the names of the cases that were sent
        self.sendings = 0
        self.marks = 0
        self.deadline = time.monotonic() + SECONDS

    def blame(self, job, at, sort, words):
        if job.case.name in self.faults:
            return
        self.faults[job.case.name] = sort
        if len(job.pieces) > 1 and at is not None:
            at = f"cut at {len(job.pieces[at][0])}"
        else:
            at = job.way
        print(f"{job.case.place}: {job.case.name}: {at}: {words}", flush=True)

    def next_mark(self, rest=PING):
        self.marks += 1
        return mark(self.marks, rest)

    def got(self, session, number, patience=PATIENCE):
        """What the server got before the mark."""
        until = time.monotonic() + patience
        while (got := take(session.got, number)) is None:
            session.wait(until)
        return got

    def told(self, session, answers, patience=PATIENCE):
        """The answers that the client got before the last mark came back, or
        soon after it if so many are expected."""
        until = time.monotonic() + patience
        while (told := take(session.told, self.marks)) is None:
            session.wait(until)
        found = answers_of(told)
        until = time.monotonic() + TO_ANSWER
        try:
            while len(found) < answers:
                session.wait(until)
                end = session.told.rfind(b"\n") + 1
                found += answers_of(session.told[:end])
                del session.told[:end]
        except Ended:
            pass
        return found

    def greet(self, session):
        hello = b'"method":"initialize","params":' + json.dumps(HELLO).encode()
        try:
            for before, rest in ((b"", hello), (INITIALIZED, PING)):
                session.send(before + self.next_mark(rest))
                self.got(session, self.marks, TO_START)
                self.told(session, 0, TO_START)
        except Ended:
            sys.exit(f"corpus: {self.command}: {session.last_words()}")

    def send(self, session, job):
        """All sendings of a line, one after the other without a wait.  Whose
        an answer is cannot be told among them, but they are all alike."""
        case = job.case
        first = self.marks + 1
        at = 0
        self.seen.add(case.name)
        try:
            for pieces in job.pieces:
                for piece in pieces[:-1]:
                    session.send(piece, apart=True)
                session.send(pieces[-1] + self.next_mark())
                session.pump()
            for at in range(len(job.pieces)):
                fault = judge_got(case, self.got(session, first + at))
                if fault:
                    self.blame(job, at, *fault)
            failed = case.name in self.faults
            expected = 0 if failed else answers_due(case, len(job.pieces))
            answers = self.told(session, expected)
        except Ended:
            self.ended(session, job, at)
            raise
        fault = judge_told(case, answers, len(job.pieces))
        if fault:
            self.blame(job, None, *fault)
        self.sendings += len(job.pieces)

    def ended(self, session, job, at):
        got = bytes(session.got).partition(MARK_BEGIN)[0]
        how = "ended" if session.ended else "does not go on"
        through = got and job.case.verdict != "pass"
        words = f"the command {how}; the server got {got[:200]!r}"
        self.blame(job, at, "through" if through else "lost", words)

    def session(self):
        """Sends jobs to one run of the command; True: there are no more."""
        session = Session(self.command, self.directory)
        try:
            self.greet(session)
            for job in self.jobs:
                # What has failed once says nothing new.
                if job.pieces and job.case.name not in self.faults:
                    self.send(session, job)
                if time.monotonic() > self.deadline:
                    return False
            return True
        except Ended:
            return False
        finally:
            session.close()

    def all(self):
        while not self.session():
            if time.monotonic() > self.deadline:
                return False
        return True


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2])
    cases = read_table(os.path.join(HERE, "client.tsv"), sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="corpus-") as directory:
        policy = os.path.join(directory, "policy.json")
        with open(policy, "w", encoding="utf-8") as out:
            out.write('{"version": "1", "default": "allow"}\n')
        weir = shlex.quote(os.environ.get("WEIR", "build/weir"))
        weir += f" -p {shlex.quote(policy)} -- {{SERVER}}"
        run = Run(os.environ.get("CMD", weir), directory, cases)
        done = run.all()
    if not done:
        print(f"corpus: no time for more than {run.sendings} sendings")
    sorts = list(run.faults.values())
    expected = len(run.seen) - len(sorts)
    summary = (
        f"corpus: {len(cases)} cases, {expected} as expected, "
        f"{sorts.count('through')} let through, {sorts.count('lost')} lost"
    )
    if "answered" in sorts:
        summary += f", {sorts.count('answered')} answered otherwise"
    print(summary)
    return 0 if done and expected == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
