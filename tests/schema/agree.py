#!/usr/bin/env python3
"""Do policy.schema.json and `weir check` say the same of a policy?

    WEIR=build/weir python3 tests/schema/agree.py

Asked of cases.tsv, of tests/policies, and of SCHEMA_MUTANTS (4000) policies
that are made of sound ones by small changes, from SCHEMA_SEED (1) on.  Where
both refuse one, they must also find the same places in it at fault.  What no
schema can say is in UNSAID: there, and nowhere else, weir may refuse alone.

Besides: the schema itself is sound, its examples are valid, and its keys and
words are those that weir names as allowed.
"""

import copy
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor

from jsonschema import Draft202012Validator, ValidationError, validators

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WEIR = os.path.abspath(os.environ.get("WEIR", f"{ROOT}/build/weir"))
MUTANTS = int(os.environ.get("SCHEMA_MUTANTS", 4000))
SEED = os.environ.get("SCHEMA_SEED", "1")
LONG = 3000  # characters of a policy that makes no mutants
SHOWN = 20  # failures that are told in full
SHOWN_LINE = 600  # characters of a line of these

# What a schema cannot say, and weir's words for it.
UNSAID = {
    # A reader of JSON keeps one of two, and the schema sees that one.
    "twice": r"this (key|name) is there twice$",
    # No regular expression, or one past weir's bounds.
    "pattern": r"(\(byte \d+ of the pattern\)|"
    r"at most \d+ characters .* has \d+)$",
    # JSON Schema takes 10.0 and 1e1 for integers.
    "fraction": r"a whole number from .* in digits alone, not [-+.eE\d]+$",
    # A fraction is nothing that a schema counts the digits of.
    "digits": r"at most 6 digits after the point, not [-+.eE\d]+$",
    # Lengths in bytes; a schema counts code points.
    "bytes": r"(a name has 1 to \d+ bytes|longer than \d+ bytes)$",
    # More of a uri's directory, and of an IP address, than patterns say; what
    # ~/ and ./ lead to.
    "address": r"(is no (directory|host): write .*"
    r"|; write the whole path here)$",
    # How a character is escaped, and an escape of what is none.
    "escape": r"(an unpaired surrogate.*|an escape past U\+1FFFF.*)$",
    # How a number is written: an exponent that weir cannot compare, or a
    # fraction behind more digits than json-parser reads.
    "number": r"(an exponent of at most \d+ digits.*|json-parser cannot.*)$",
}

# After these weir looks no further into the file.
ENDS = re.compile(
    r"these are the rules of a tool|the key __proto__|\\u0000|an escape past"
    r"|json-parser|not a policy"
)

# ------------------------------------------------------------------- policies

HEAD = '{"version":"1","default":"deny"'
TOOL = HEAD + ',"tools":{"t":%s}}'
LIMIT = TOOL % '{"limits":[%s]}'
CONDITION = TOOL % '{"require":[%s]}'
OPERATOR = CONDITION % '{"path":"args.a","op":"%s","value":%%s}'
PLACES = {
    "policy": "%s",
    "top": HEAD + ",%s}",
    "tools": HEAD + ',"tools":%s}',
    "rules": TOOL,
    "limit": LIMIT,
    "max": LIMIT % '{"max":%s,"window":1}',
    "sum": LIMIT % '{"max":%s,"window":1,"increment_from":"args.a"}',
    "amount": LIMIT % '{"increment_from":%s,"max":1,"window":1}',
    "window": LIMIT % '{"max":1,"window":%s}',
    "rate": TOOL % '{"rate_limit":%s}',
    "condition": CONDITION,
    "denied": TOOL % '{"deny_if":[%s]}',
    "asked": TOOL % '{"ask_if":[%s],"ask_unless":[]}',
    "unless": TOOL % '{"ask_unless":[%s]}',
    "ways": TOOL % '{"approve_in":%s,"ask_if":[]}',
    "by": TOOL % '{"approve_by":%s}',
    "timeout": TOOL % '{"approval_timeout":%s}',
    "path": CONDITION % '{"path":%s,"op":"exists","value":true}',
}

# answer: as in cases.tsv, or None where any will do.
Policy = namedtuple("Policy", "name text answer")


def repeat(text):
    return re.sub(r"\\\{(\d+):(.*?)\}", lambda m: m[2] * int(m[1]), text)


def read_table():
    with open(f"{HERE}/cases.tsv", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("#") or line == "\n":
                continue
            place, answer, text = line.removesuffix("\n").split("\t")
            around = PLACES.get(place) or OPERATOR % place
            name = f"cases.tsv:{number}"
            yield Policy(name, around % repeat(text), answer)


def read_files():
    directory = f"{ROOT}/tests/policies"
    for name in sorted(os.listdir(directory)):
        if name.endswith(".json"):
            with open(f"{directory}/{name}", encoding="utf-8") as file:
                yield Policy(name, file.read(), "sound")


# -------------------------------------------------------------------- mutants


class Members(list):
    """An object: [key, value] lists, so that a key can be there twice."""


class Number(str):
    """A number as it is written."""


def read_tree(text):
    def members(pairs):
        return Members(map(list, pairs))

    return json.loads(
        text, object_pairs_hook=members, parse_int=Number, parse_float=Number
    )


def write_tree(tree):
    if isinstance(tree, Members):
        inner = (f"{write_tree(k)}:{write_tree(v)}" for k, v in tree)
        return "{" + ",".join(inner) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(write_tree, tree)) + "]"
    if isinstance(tree, Number):
        return tree
    return json.dumps(tree, ensure_ascii=False)


def slots(tree):
    """Where values below the top are: (the list that holds one, its index)."""
    for index, value in enumerate(tree):
        holder = tree
        if isinstance(tree, Members):
            holder, index, value = value, 1, value[1]
        yield holder, index
        if isinstance(value, list):
            yield from slots(value)


def lists(tree, kind):
    """All in the tree of this kind, Members or list, that are not empty."""
    found = [tree, *(holder[index] for holder, index in slots(tree))]
    return [value for value in found if type(value) is kind and value]


NUMBERS = """0 -0 1 -1 10 1.5 10.0 1e1 0.1e1 1000000 1000001 31622400 31622401
    0.000001 99.5000000 1e-7 1e12 1000000000000.1 4294967296
    9223372036854775808 -9223372036854775809 1e400
    1e99999999999999999 -1e-100000000000000000""".split()
STRINGS = """1 allow deny hide grant session minute day 10/minute 1000001/day
    args args.a args.a[01] args[*].b /a/~0 /a~ /srv /srv/../a ( a** *.txt
    __proto__ require_approval client terminal program @adm ann in under regex host max_length exists contains
    args.** ~/a ./a https://a.example/b/ a.example *.a.example 127.0.0.1 127.1
    [::1]:80""".split()
STRINGS += ["", " ", "\n", "é"]
KEYS = """version default hide tools prompts resources methods all_tools
    description action reason require deny_if ask_if ask_unless approve_in
    approve_by approval_timeout limits rate_limit path op value
    on_deny max window counter scope increment_from name all any
    __proto__""".split()
MORE = ["x", " ", "\n", "*", "/", ".", "(", "\0", "é" * 600, "x" * 4097]


class Mutator:
    """Makes mutants.  Each way takes a tree, which is no empty object, and
    changes it; it may find nothing to change."""

    def __init__(self, sound, seed):
        self.sound = [read_tree(text) for text in sound]
        self.random = random.Random(seed)
        self.ways = [self.drop, self.rename, self.double, self.add, self.move]
        self.ways += [self.element, self.replace, self.wrap, self.respell]
        self.ways += [self.count]

    def value(self):
        """Any value: of some type, or what stands in another policy."""
        r = self.random
        kind = r.randrange(6)
        if kind == 0:
            return Number(r.choice(NUMBERS))
        if kind == 1:
            return r.choice(STRINGS)
        if kind == 2:
            return r.choice([True, False, None])
        if kind == 3:
            return r.choice([[], Members(), [""], [[]], [Members()]])
        holder, index = r.choice(list(slots(r.choice(self.sound))))
        return copy.deepcopy(holder[index])

    def slot(self, tree, kind):
        """Of a value of this kind; or of none, in a list of its own."""
        found = [(h, i) for h, i in slots(tree) if isinstance(h[i], kind)]
        return self.random.choice(found or [([kind()], 0)])

    def member(self, tree):
        """An object that has members, and the index of one."""
        members = self.random.choice(lists(tree, Members))
        return members, self.random.randrange(len(members))

    def drop(self, tree):
        members, index = self.member(tree)
        del members[index]

    def rename(self, tree):
        members, index = self.member(tree)
        key = members[index][0]
        other = [key[:-1], key + "s", key.upper(), self.random.choice(KEYS)]
        members[index][0] = self.random.choice(other)

    def double(self, tree):
        members, index = self.member(tree)
        key, value = members[index]
        other = self.random.choice([copy.deepcopy(value), self.value()])
        members.insert(self.random.randrange(len(members) + 1), [key, other])

    def add(self, tree):
        members, index = self.member(tree)
        members.insert(index, [self.random.choice(KEYS), self.value()])

    def move(self, tree):
        members, index = self.member(tree)
        self.random.choice(lists(tree, Members)).append(members.pop(index))

    def element(self, tree):
        array = self.random.choice(lists(tree, list) or [[None]])
        if self.random.randrange(2):
            array.pop()
        else:
            other = self.random.choice([array[0], self.value()])
            array.append(copy.deepcopy(other))

    def replace(self, tree):
        holder, index = self.slot(tree, object)
        holder[index] = self.value()

    def wrap(self, tree):
        holder, index = self.slot(tree, object)
        holder[index] = [holder[index]]

    def respell(self, tree):
        r = self.random
        holder, index = self.slot(tree, str)
        s = str(holder[index])
        at = r.randrange(len(s) + 1)
        spellings = [s + r.choice(MORE), s[:at] + r.choice(MORE) + s[at:]]
        spellings += [s[:at] + s[at + 1 :], s.swapcase(), r.choice(STRINGS)]
        holder[index] = r.choice(spellings)

    def count(self, tree):
        holder, index = self.slot(tree, Number)
        holder[index] = Number(self.random.choice(NUMBERS))

    def mutant(self, number):
        tree = copy.deepcopy(self.random.choice(self.sound))
        done = []
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            if tree:
                way = self.random.choice(self.ways)
                way(tree)
                done.append(way.__name__)
        name = f"mutant {number} ({', '.join(done)})"
        return Policy(name, write_tree(tree), None)


# ----------------------------------------------------------------- two judges

# A place is a tuple of keys and indices.  A sound policy has no faults.
Fault = namedtuple("Fault", "place words")

SAID = re.compile(r"error: /dev/stdin:\d+:\d+: (?:(/.*?): )?(.*)")
SOUND = re.compile(r"/dev/stdin: sound\b")


def steps(pointer):
    """A JSON Pointer, as weir prints it, taken apart."""
    parts = json.loads(f'"{pointer or ""}"').split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def place_of(parts):
    return tuple(map(str, parts))


def ask_weir(text):
    """The faults in the text; None: no answer."""
    run = subprocess.run(
        [WEIR, "check", "/dev/stdin"],
        input=text.encode(),
        stdout=subprocess.PIPE,
        check=False,
    )
    lines = run.stdout.decode().split("\n")
    said = [m for m in map(SAID.match, lines) if m]
    if run.returncode != (2 if said else 0):
        return None
    if not said and not any(SOUND.match(line) for line in lines):
        return None
    return [Fault(place_of(steps(m[1])), m[2]) for m in said]


def ask_weir_all(texts):
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        return list(pool.map(ask_weir, texts))


def match_pattern(validator, pattern, instance, _):
    """The keyword as ECMA-262 has it: in Python $ also stands before a newline
    at the end."""
    if validator.is_type(instance, "string"):
        if not re.search(pattern.replace("$", r"\Z"), instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = validators.extend(Draft202012Validator, {"pattern": match_pattern})


def places_of(error):
    path = error.absolute_path
    if "propertyNames" in error.absolute_schema_path:
        yield place_of([*path, error.instance])
    elif error.validator == "additionalProperties":
        for key in error.instance:
            if key not in error.schema["properties"]:
                yield place_of([*path, key])
    else:
        yield place_of(path)


def ask_schema(validator, text):
    """The faults in the text, and whether it has a key twice."""
    twice = []

    def members(pairs):
        twice.append(len(dict(pairs)) < len(pairs))
        return dict(pairs)

    def constant(word):
        raise ValueError(f"{word} is no JSON")

    try:
        value = json.loads(
            text, object_pairs_hook=members, parse_constant=constant
        )
    except ValueError as error:
        return [Fault((), str(error))], False
    errors = validator.iter_errors(value)
    faults = [Fault(p, e.message) for e in errors for p in places_of(e)]
    return faults, any(twice)


# ------------------------------------------------------------------ judgement


def unsaid(faults):
    """The name of what accounts for all of these, which weir found; or None."""
    last = None
    for fault in faults:
        names = [n for n in UNSAID if re.search(UNSAID[n], fault.words)]
        if not names:
            return None
        last = names[0]
    return last


def is_inside(place, other):
    """Of what is inside a fault weir may say nothing.  Not of the policy."""
    return place == other or (other and place[: len(other)] == other)


def compare_places(weir, schema):
    """What only one of them finds, both having refused; or None."""
    if any(ENDS.search(fault.words) for fault in weir):
        return None
    theirs = {fault.place for fault in schema}
    for fault in weir:
        if fault.place not in theirs and not unsaid([fault]):
            return f"only weir finds a fault at /{'/'.join(fault.place)}"
    for place in sorted(theirs):
        if not any(is_inside(place, fault.place) for fault in weir):
            return f"only the schema finds a fault at /{'/'.join(place)}"
    return None


def compare(weir, schema, twice):
    """The answer to be found in cases.tsv, and what is wrong, or None."""
    if weir is None:
        return None, "weir gives no answer"
    if twice:
        # Which of the two the schema sees is nobody's promise.
        return "twice", not weir and "weir lets a key be there twice"
    if not weir:
        return "sound", schema and "the schema refuses it, weir does not"
    if schema:
        return "unsound", compare_places(weir, schema)
    name = unsaid(weir)
    return name, not name and "weir refuses it, the schema does not"


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def note(self, name, wrong, *more):
        if not wrong:
            self.passed += 1
            return
        self.failed += 1
        if self.failed > SHOWN:
            return
        print(f"{name}: {wrong}")
        for line in more:
            print(f"    {line.strip()}"[:SHOWN_LINE])


def judge(tally, validator, what, policies):
    answers = Counter()
    found = ask_weir_all([policy.text for policy in policies])
    for policy, weir in zip(policies, found):
        schema, twice = ask_schema(validator, policy.text)
        answer, wrong = compare(weir, schema, twice)
        if not wrong and policy.answer not in (None, answer):
            wrong = f"{answer}, not {policy.answer}"
        answers[answer] += 1
        more = [f"weir: /{'/'.join(f.place)}: {f.words}" for f in weir or []]
        more += [f"schema: /{'/'.join(f.place)}: {f.words}" for f in schema]
        tally.note(policy.name, wrong, policy.text, *more)
    sorts = ", ".join(f"{n} {answer}" for answer, n in answers.most_common())
    print(f"schema: {len(policies)} {what}: {sorts}")


# ----------------------------------------------------------- the schema alone


def subschemas(schema, at="#"):
    if isinstance(schema, dict):
        # The properties that a policy has are no schema, but hold some.
        if not at.endswith("/properties"):
            yield at, schema
        for key, value in schema.items():
            if key != "examples":
                yield from subschemas(value, f"{at}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from subschemas(value, f"{at}/{index}")


def check_schema(tally, validator):
    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    errors = [e.message for e in meta.iter_errors(validator.schema)]
    tally.note("the schema", errors and "is none", *errors)
    for at, part in subschemas(validator.schema):
        alone = validator.evolve(schema=part)
        for example in part.get("examples", []):
            errors = [e.message for e in alone.iter_errors(example)]
            tally.note(at, errors and "an example is not valid", *errors)


# What weir names as allowed where it meets another word, and where the schema
# has the same words.
WORDS = [
    ("top", '"x":1', "properties"),
    ("policy", '{"default":"x"}', "properties/default/enum"),
    ("rules", '{"x":1}', "$defs/rules/properties"),
    ("rules", '{"action":"x"}', "$defs/rules/properties/action/enum"),
    ("rate", '{"x":1}', "$defs/rules/properties/rate_limit/properties"),
    ("limit", '{"x":1}', "$defs/limit/properties"),
    ("limit", '{"scope":"x"}', "$defs/limit/properties/scope/enum"),
    ("window", '"x"', "$defs/window/anyOf/0/enum"),
    ("condition", '{"x":1}', "$defs/condition/properties"),
    ("condition", '{"op":"x"}', "$defs/condition/properties/op/enum"),
]


def check_words(tally, schema):
    found = ask_weir_all([PLACES[place] % text for place, text, _ in WORDS])
    for (_, _, where), weir in zip(WORDS, found):
        said = " ".join(fault.words for fault in weir or [])
        # What is no word may follow: ", or a number of seconds".
        allowed = re.search(r"\(allowed: (.*?)(, or .*?)?\)", said)
        words = schema
        for step in where.split("/"):
            words = words[int(step) if isinstance(words, list) else step]
        apart = set(words) ^ set(allowed[1].split(", ") if allowed else [])
        wrong = f"only weir or the schema has {', '.join(sorted(apart))}"
        tally.note(where, apart and wrong)


def main():
    with open(f"{ROOT}/policies/policy.schema.json", encoding="utf-8") as file:
        validator = Validator(json.load(file))
    tally = Tally()
    check_schema(tally, validator)
    check_words(tally, validator.schema)

    written = [*read_files(), *read_table()]
    for number, example in enumerate(validator.schema["examples"]):
        written.append(
            Policy(f"example {number}", json.dumps(example), "sound")
        )
    judge(tally, validator, "policies", written)

    sound = [p.text for p in written if p.answer == "sound"]
    mutator = Mutator([text for text in sound if len(text) < LONG], SEED)
    mutants = [mutator.mutant(number) for number in range(MUTANTS)]
    judge(tally, validator, f"mutants (seed {SEED})", mutants)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
