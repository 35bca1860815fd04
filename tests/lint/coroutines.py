"""The coroutine rules of CONTRIBUTING.md, as far as text can show them. A statement with co_await
holds names, std::move(name), literals and constructor calls; a coroutine lambda captures nothing."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

RULES = [
    (re.compile(r"\?[^;]*\bco_await\b|\bco_await\b[^;]*\?[^;]*:(?!:)"), "co_await with ?:"),
    (re.compile(r"\bthrow\b[^;]*\bco_await\b"), "throw with co_await"),
    (re.compile(r"\bco_await\b[^;]*\[[^\]]*\]\s*(\([^)]*\))?\s*(mutable\s*)?\{"),
     "a lambda in a statement with co_await"),
    (re.compile(r"\bco_await\b[^;]*[,(]\s*\{"), "a braced list in a statement with co_await"),
    (re.compile(r"(&&|\|\|)\s*co_await\b"), "co_await behind && or ||"),
]
CONDITION = re.compile(r"\b(?:if|while|switch)\s*(?:constexpr\s*)?\(")
LAMBDA = re.compile(r"\[([^\]]*)\]\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*(?:mutable\s*)?->\s*Task<")
CATCH = re.compile(r"\bcatch\s*\(")
ANY_LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*(?:mutable\s*)?"
                        r"(?:->\s*[\w:<>,&*\s]+?)?\s*\{")


def blank(text):
    """Comments and strings as spaces, so that lines keep their places."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def statements(text):
    """(offset, statement) pieces between ; { and }, keeping braced initialisers together."""
    start = 0
    for match in re.finditer(r";|\n\s*\}|\{\s*\n", text):
        yield start, text[start:match.end()]
        start = match.end()
    yield start, text[start:]


def closing(text, at):
    """The place of the bracket that closes the one at `at`."""
    pairs = {"(": 1, "{": 1, ")": -1, "}": -1}
    depth = 0
    for i in range(at, len(text)):
        depth += pairs.get(text[i], 0)
        if depth == 0:
            return i
    return len(text)


def catch_blocks(text):
    for match in CATCH.finditer(text):
        at = text.index("{", match.end())
        yield at, text[at:closing(text, at)]


def own_text(body):
    """A function's body without the bodies of the lambdas in it."""
    while match := ANY_LAMBDA.search(body):
        brace = match.end() - 1
        body = body[:match.start()] + body[closing(body, brace) + 1:]
    return body


def main():
    wrong = []
    for path in sorted((ROOT / "src").rglob("*.[ch]pp")):
        text = blank(path.read_text())

        def report(offset, what):
            line = text.count("\n", 0, offset) + 1
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {what}")

        for offset, statement in statements(text):
            if "co_await" not in statement:
                continue
            for rule, what in RULES:
                match = rule.search(statement)
                if match:
                    report(offset + match.start(), what)
        for match in CONDITION.finditer(text):
            at = match.end() - 1
            condition = text[at + 1:closing(text, at)].split(";")[-1]
            if "co_await" in condition:
                report(match.start(), "co_await in a condition")
        for match in LAMBDA.finditer(text):
            brace = text.find("{", match.end())
            body = text[brace + 1:closing(text, brace)]
            if match[1].strip() and re.search(r"\bco_(await|return)\b", own_text(body)):
                report(match.start(), "a coroutine lambda with captures")
        for offset, block in catch_blocks(text):
            if "co_await" in block:
                report(offset, "co_await in a catch block")
    print("\n".join(wrong) or "coroutines: every statement keeps the rules", file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
