"""Writes python-urllib.json: what CPython's urllib.parse makes of queries. Run: python3 python-urllib.py > python-urllib.json"""

import json
import platform
import random
from urllib.parse import parse_qs, quote, unquote

random.seed(20240229)
PIECES = [
    "a", "b", "Z", "0", "_", ".", "-", "~", "/", "!", "*", "'", "(", ")", ";", ":", "@", "$", ",", "?", "[", "]", "+",
    "%", "%2", "%zz", "%%", "%25", "%26", "%3D", "%3d", "%2B", "%2f", "%7E", "%00", "%0A", "%0d", "%20", "%41",
    "%C3%AB", "%c3", "%AB", "%FF", "%E6%9D%B1", "%E6%9D", "%F0%9F%98%80", "%F0%9F%98", "%F0%9F", "%EF%BD%9E",
    "%ED%A0%80", "%C0%80", "%EF%BB%BF", "%F4%90%80%80", "%E0%80%80",
]
TEXTS = ["a", "Z", "9", " ", "%", "&", "=", "+", "/", "~", "\n", "\0", "!", "*", "'", "(", ")", "é", "東", "～", "😀", "\x7f", "\ufffd"]


def canonical(query):
    groups = parse_qs(query, keep_blank_values=True)
    return "&".join(f"{name}={quote(value)}" for name, values in sorted(groups.items()) for value in sorted(values))


def some(pieces, most):
    return "".join(random.choice(pieces) for _ in range(random.randint(0, most)))


def query():
    return "".join(some(PIECES, 3) + random.choice(["", "=", "=", "==", "&"]) + some(PIECES, 4) + random.choice(["&", "&", "&&", ""]) for _ in range(random.randint(1, 5)))


def rows(cases, function):
    return [[case, function(case)] for case in cases]


def show(name, cases):
    return f"{json.dumps(name)}:[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"


decode = [some(PIECES, 8) for _ in range(200)]
encode = [some(TEXTS, 8) for _ in range(100)]
queries = ["", "a", "=", "a=&a", "b=2&a=1&b=1"] + [query() for _ in range(300)]
print("{" + ",\n".join([
    f'"source":"CPython {platform.python_version()} urllib.parse, made by python-urllib.py"',
    show("decode", rows(decode, lambda text: unquote(text.replace("+", " ")))),
    show("encode", rows(encode, quote)),
    show("canonicalQuery", rows(queries, canonical)),
]) + "}")
