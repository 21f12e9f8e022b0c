"""Free text becomes a skeleton: the constants of a template stay, variable parts become types.

Here: log bodies, exception and status messages, span names, stack traces. Not here: paths and
statements (`treatments`), and the Presidio stack that looks at what is left (`detect`).

One combined pattern finds every checksummed or formatted identifier, in the order below; the
first alternative that matches wins, so the specific stand before the general. Words after a
cue such as `username=` or `player` are masked unless they are words of a log template.
"""

import re
from pathlib import Path

from privacy.detection.findings import Finding, blank, render, union
from privacy.detection.logs import is_constant
from privacy.paths import template_path, template_url

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("jwt", r"\beyJ[\w-]{2,}(?:\.[\w-]*){0,2}"),
    ("secret", r"\b(?:sk|pk|rk|ghp|gho|ghs|xox[abprs]|AKIA|AIza|glpat|hf)[-_]?[A-Za-z0-9_-]{10,}"),
    ("credential", r"(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}"),
    (
        "credential",
        r"(?i:\b(?:token|api[-_ ]?key|secret|password|passwd|passphrase|pwd|pin|authorization"
        r"|set-cookie|cookie)\b[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?)[^\s\"',;)\]}]{3,}",
    ),
    ("credential", r"(?i:\b(?:token|key|secret|password)\s+)(?=\S*\d)[^\s\"',;)\]}]{8,}"),
    # RFC 5322 allows more signs in front of the @ than people use; only from the start of a word.
    ("email", r"(?<![^\s<>,;\"()\[\]=:'])[^\s@<>,;\"()\[\]]{1,64}@[\w-]+(?:\.[\w-]+)*"),
    ("email", r"[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*"),
    (
        "email",
        r"\b[\w.+-]+\s*(?:\(at\)|\[at\]|\{at\}|\s+at\s+)\s*[\w-]+"
        r"(?:\s*(?:\(dot\)|\[dot\]|\{dot\}|\s+dot\s+|\.)\s*[A-Za-z]{2,})+\b",
    ),
    ("url", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://[^\s\"'<>)\]}]+"),
    (
        "uuid",
        r"\b[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\b",
    ),
    ("mac", r"\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b"),
    (
        "timestamp",
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b",
    ),
    ("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    ("time", r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"),
    (
        "ip",
        r"(?<![\w:.])(?=[0-9a-fA-F:]*\d)(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)[0-9a-fA-F]{0,4}"
        r"(?::[0-9a-fA-F]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:%\w+)?(?![\w:])",
    ),
    ("iban", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
    ("home", r"(?:/home/|/Users/|\b[A-Za-z]:\\+Users\\+|~)[\w.@-]+(?:[/\\][^\s\"',:;)]*)?"),
    ("path", r"(?<![\w<])/[\w.~%@:{}+-]+(?:/[\w.~%@:{}+<>-]*)*(?:\?[^\s\"']*)?"),
    (
        "duration",
        r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?\s?(?:ns|us|µs|ms|s|sec|seconds?|min|minutes?|h|hours?)\b",
    ),
    ("number", r"(?<![\w.+(-])\d{1,4}\.\d{6,}(?![\w.])"),
    # Longer digit groups are phones, cards, national ids, account numbers: all one type.
    ("digits", r"(?<!\w)[+(]{0,2}\d(?:[ ()./-]{0,2}\d){6,}"),
    ("hex", r"\b(?:0x)?(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b"),
    ("id", r"\b(?=\w*\d)(?=\w*[A-Za-z_])[\w]+(?:[.-][\w]+)*\b"),
    ("number", r"\d+(?:[.,:]\d+)*"),
)
_KINDS = [kind for kind, _ in _PATTERNS]
_COMBINED = re.compile("|".join(f"({pattern})" for _, pattern in _PATTERNS))
# Constants of templates that hold a digit: versions, encodings, well-known names.
_CONSTANTS = re.compile(
    r"(?i:v\d|utf-?8|utf-?16|latin-?1|base64|sha-?(?:1|256|384|512)|md5|http[s/]?\d?|http/\d(?:\.\d)?|"
    r"ipv[46]|neo4j|s3|k8s|oauth2|h2|x86_64|amd64|arm64|int(?:8|16|32|64)|float(?:16|32|64)|"
    r"(?:step|branch|attempt|retry|phase|task|node|stage|worker|shard|pool|queue|level|part)[_-]?\d{1,3}|"
    r"p(?:50|90|95|99)|llama[\d.]+|gpt-[\w.-]+|python3?(?:\.\d+)?|psycopg2|log4j|ec2|i18n|utf8mb4)\Z"
)
_PARTS = re.compile(r"[._-]+")
_ERRNO = re.compile(r"(?i:errno|status|code|port|line|exit code)\W{0,3}\Z")

_CUE = re.compile(
    r"(?i:(?<![\w/}-])(user[ _-]?name|user[ _-]?id|user|player[ _-]?name|player|patient|"
    r"client name|therapist|"
    r"login|nick(?:name)?|account|member|customer|author|owner|contact|sender|recipient|"
    r"first[ _-]?name|last[ _-]?name|full[ _-]?name|display[ _-]?name|surname|e-?mail|mail|phone|"
    r"tel|address|street|city|name|profile for|logged in as|signed in as|on behalf of|welcome|"
    r"hello|dear)\b)"
    r"(?P<join>[\"']?\s*(?:[:=]|\bis\b|\bnamed\b)\s*[\"'(]?|\s+[\"'(]?)"
    r"(?P<word>[^\W\d_][\w.'\u2019-]*(?:[ ][A-Z][\w.'\u2019-]+){0,2})"
)
_STRONG_JOIN = re.compile(r"[:=\"'(]|\bnamed\b")
# After a cue and a blank these are grammar or template words, not names.
_TEMPLATE_WORDS = frozenset(
    Path(__file__).with_name("template_words.txt").read_text(encoding="utf-8").split()
)


def skeletonise(text: str) -> str:
    """The skeleton of one text; idempotent, no identifier that has a format survives."""
    if not _may_vary(text):
        return text
    return render(text, cue_findings(text, format_findings(text)))


def format_findings(text: str) -> list[Finding]:
    """Identifiers that have a format, in order; constants of templates are not among them."""
    found = (_find(match) for match in _COMBINED.finditer(text))
    return [finding for finding in found if finding is not None]


def cue_findings(text: str, formats: list[Finding]) -> list[Finding]:
    """The formats and what follows a cue such as `username=` or `player`, in order."""
    # The types stand in the text as they will later, so that a skeleton's skeleton is the same.
    places = _CUE.finditer(blank(text, formats))
    found = [finding for match in places if (finding := _find_after_cue(match)) is not None]
    return union([*formats, *found]) if found else formats


def _may_vary(text: str) -> bool:
    """Cheap proof that nothing can match: no digit, no sign of a format, no cue."""
    return bool(_TRIGGER.search(text))


_TRIGGER = re.compile(
    r"[\d@%/\\~]|eyJ|[0-9a-fA-F]{2}:[0-9a-fA-F]{2}:|"
    r"(?i:bearer|basic|token|key|secret|passw|pwd|cookie|authoriz| at |\(at|\[at|\{at|"
    r"sk[-_]|pk[-_]|gh[pos]_|xox|akia|aiza|glpat|hf_)|::|"
    + _CUE.pattern.replace("(?P<join>", "(?:").replace("(?P<word>", "(?:")
)


def _find(match: re.Match[str]) -> Finding | None:
    kind = _KINDS[(match.lastindex or 1) - 1]
    found = match.group()
    if kind in {"id", "number", "hex"} and _CONSTANTS.match(found):
        return None
    if kind == "id" and all(_CONSTANTS.match(p) or is_constant(p) for p in _PARTS.split(found)):
        return None
    if kind in {"url", "path"}:
        kept = template_url(found) if kind == "url" else template_path(found)
        return None if kept == found else Finding(match.start(), match.end(), kind, kept)
    if kind == "number" and len(found) <= 5 and _ERRNO.search(match.string, 0, match.start()):
        return None
    return Finding(match.start(), match.end(), kind)


def _find_after_cue(match: re.Match[str]) -> Finding | None:
    join, word = match.group("join"), match.group("word")
    first = word.partition(" ")[0].lower()
    if not _is_value(join) and (word.lower() in _TEMPLATE_WORDS or first in _TEMPLATE_WORDS):
        return None
    if first in {"none", "null", "true", "false", "unknown"}:
        return None
    return Finding(match.start("word"), match.end("word"), "name")


def _is_value(join: str) -> bool:
    """`username=will` names somebody; `user will` may be grammar."""
    return bool(_STRONG_JOIN.search(join))
