"""One value in, its kept form out: the treatments of the allow-list applied to single strings.

Here: the functions behind each `allow_list.Treatment`. Not here: which field gets which treatment
(`allow_list`), remembering distinct values (`remembered`), Arrow columns (`columns`).
"""

import re

from privacy.detection.identity import is_trusted
from privacy.detection.presidio import mask_leftovers
from privacy.detection.redact import log_spans
from privacy.detection.shapes.constants import is_constant
from privacy.detection.shapes.paths import template_path, template_url
from privacy.detection.shapes.program_names import known_host, without_unknown
from privacy.detection.vocabulary.findings import render
from privacy.detection.vocabulary.lexicon import template_words
from privacy.gate.stack_skeletons import scrub_stack, short_file

DROPPED = "<dropped>"
"""What stands for a text that no trusted detector has seen."""
MAX_TEXT = 2_000
MAX_STACK = 200_000

# With a scope in front: `@types/node`.
_TOKEN = re.compile(r"(?:@(?=[\w.-]+/))?[A-Za-z0-9_][\w.:/+*<>=#-]{0,119}\Z", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d+)?(?:e[-+]?\d+)?\Z|NaN\Z|-?Infinity\Z|true\Z|false\Z")
_HOST = re.compile(
    r"(?:[A-Za-z0-9_][\w.-]{0,100}|\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:]{3,39})(?::\d{1,5})?\Z", re.ASCII
)
_LABEL = re.compile(r"[A-Za-z0-9][\w .()/+:#-]{0,79}\Z", re.ASCII)
_WORD = re.compile(r"[^\W\d_]\w*")
_RUN = re.compile(r"[A-Za-z0-9]{12,}")
_MIXED = re.compile(r"\d[A-Za-z]+\d|[A-Za-z]\d+[A-Za-z]")
_MANY_DIGITS = re.compile(r"(?:\d[ .:()+-]?){8}")
# `H200`, `80GB`, `RTX4090`: capitals and at most five digits.
_MODEL_NUMBER = re.compile(r"(?=.*\d)[A-Z]{1,4}\d{1,5}[A-Z]{0,3}\Z")
_OPAQUE = re.compile(r"[0-9a-f]{32,64}\Z")
_SUSPICIOUS = re.compile(
    r"\d{7}|eyJ|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|(?:\d[.:-]?){9}|(?i:bearer|passw|secret|AKIA|ghp_|sk-)"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}"
)
# A server's address may stand in a host's field; a device's, a document's number or a key may not.
_NO_HOST = re.compile(
    r"eyJ|\d{9}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|\d{3}-\d\d-\d{4}"
    r"|(?i:bearer|passw|secret|AKIA|ghp_|sk-)|(?<![\w:])(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}(?![\w:])"
)
_FILE = re.compile(r"[^\s:]*(?::[/\\][^\s:]*)?[/\\.][^\s:]*\Z|<[\w ]{1,30}>\Z|node:[\w/]+\Z")
_PRODUCT = re.compile(r"([A-Za-z][A-Za-z_-]{1,40}?)(?:/[\d.]+)?(?=[\s;(]|\Z)")
_SQL_LITERAL = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"|\$\$.*?\$\$|\b0x[0-9a-fA-F]+\b|(?<![\w$?:.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?\b",
    re.DOTALL,
)
_SQL_QUOTED_NAME = re.compile(r'"([A-Za-z_][\w]*)"(?=\.|\s*\()|(?<=\.)"([A-Za-z_]\w*)"')
_SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_SQL_VERB = re.compile(
    r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|MATCH|MERGE|CALL|UNWIND|OPTIONAL|BEGIN|COMMIT"
    r"|ROLLBACK|SET|SHOW|EXPLAIN|PRAGMA|RETURN|TRUNCATE|LOCK|COPY|FETCH|DECLARE|VALUES|USE)\b",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"\s*([A-Za-z][A-Za-z._]{0,30})\b")


def keep(value: str) -> str:
    """The value when it is a number or a token of words that are nobody's; else its skeleton."""
    if _NUMBER.match(value):
        return value
    if _OPAQUE.match(value) or not _is_name(value):
        return scrub(value)
    # A plain token needs no detector: what nobody knows in it goes.
    return _WORD.sub(lambda word: word[0] if _is_known(word[0]) else "<word>", value)


def name(value: str) -> str:
    """What a program or a thing is called, without parts that nobody knows; else its skeleton."""
    if _NUMBER.match(value) or _OPAQUE.match(value):
        return value
    return without_unknown(value) if _is_name(value) else scrub(value)


def service(value: str) -> str:
    """What its operator calls a service: a plain token that is no secret; else its skeleton."""
    if _NUMBER.match(value):
        return value
    return value if _is_name(value) else scrub(value)


def _is_name(value: str) -> bool:
    if _OPAQUE.match(value):
        return True
    is_plain = _TOKEN.match(value) and not _SUSPICIOUS.search(value)
    return bool(is_plain) and not _is_secret(value)


def _is_known(value: str) -> bool:
    """Whether every word belongs to software, to TTA's templates or to the language, and to nobody."""
    words = (word for word in _WORD.findall(value) if not _MODEL_NUMBER.match(word))
    return all(is_constant(word) or word.lower() in template_words() for word in words)


def _is_secret(value: str) -> bool:
    """A run of twelve letters and digits in which cases and digits mix as nobody names a thing."""
    return any(
        run.lower() != run and run.upper() != run and _MIXED.search(run)
        for run in _RUN.findall(value)
    )


def allow(value: str) -> str:
    """A number of at most six digits, or words of software; anything else as a skeleton."""
    return value if _NUMBER.match(value) else scrub(value)


def host(value: str) -> str:
    """A host name or private address with an optional port; anything else as a skeleton."""
    is_host = _HOST.match(value) and not _NO_HOST.search(value) and not _is_secret(value)
    return known_host(value) if is_host else scrub(value)


def label(value: str) -> str:
    """A product name such as `NVIDIA H200`; anything else as a skeleton."""
    is_plain = _LABEL.match(value) and not _SUSPICIOUS.search(value)
    if is_plain and not _MANY_DIGITS.search(value) and not _is_secret(value) and _is_known(value):
        return value
    return scrub(value)


def scrub(value: str) -> str:
    """Free text as a skeleton of at most MAX_TEXT characters; DROPPED without a trusted detector."""
    if not is_trusted():
        return DROPPED
    text = value[:MAX_TEXT]
    return render(text, log_spans(text))


def stack(value: str) -> str:
    """A stack trace with frames and types only."""
    if len(value) > MAX_STACK:
        # Both ends tell: Python raises at the end, JavaScript and Java at the start.
        value = value[: MAX_STACK // 2] + "\n" + value[-MAX_STACK // 2 :].partition("\n")[2]
    return scrub_stack(value, scrub)


def path(value: str) -> str:
    """A path or URL as a template: segments are words that are nobody's name, or `{id}`."""
    return template_url(value[:MAX_TEXT]) if is_trusted() else DROPPED


def statement(value: str) -> str:
    """A statement without literals; a key-value command keeps its verb and `?` per argument."""
    if not is_trusted():
        return DROPPED
    text = value[:MAX_TEXT]
    if _SQL_VERB.match(text):
        bare = _SQL_QUOTED_NAME.sub(lambda m: m[1] or m[2], _SQL_COMMENT.sub(" ", text))
        return mask_leftovers(" ".join(_SQL_LITERAL.sub("?", bare).split()))
    verb = _COMMAND.match(text)
    if not verb:
        return "?"
    arguments = len(text[verb.end() :].split())
    return " ".join([without_unknown(verb[1]), *["?"] * min(arguments, 8)])


def product(value: str) -> str:
    """`Mozilla/5.0 (X11…)` → `Mozilla`."""
    found = _PRODUCT.match(value)
    return found[1] if found and ("/" in value or _is_known(found[1])) else "<user_agent>"


def file(value: str) -> str:
    """A source file below its package root; what does not look like a file, as a skeleton."""
    is_file = _FILE.match(value) and not _is_secret(value)
    return short_file(value) if is_file or not value else scrub(value)


def span_name(value: str) -> str:
    """A span or event name: routes inside it become templates, the rest a skeleton."""
    if not is_trusted():
        return DROPPED
    words = [template_path(w) if w.startswith("/") else w for w in value[:MAX_TEXT].split(" ")]
    return scrub(" ".join(words))
