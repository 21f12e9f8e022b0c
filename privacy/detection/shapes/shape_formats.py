# ruff: noqa: E501 - a pattern reads better unbroken
"""Identifiers that have a format: addresses, numbers, keys, ids, paths, by one combined pattern.

Here: finding them in a text as it was written; the first alternative that matches wins, so the
specific stand before the general. Not here: words after a cue (`privacy/detection/cues`), Presidio's
checksummed recognisers (`privacy/detection/presidio`), which number is a national id (`national_ids`), what a
path keeps (`privacy/detection/shapes/paths`).
"""

import re
from functools import cache

from privacy.detection.shapes.constants import CONSTANTS, is_constant, is_constant_with_digits
from privacy.detection.shapes.national_ids import typed
from privacy.detection.shapes.paths import path_edits, template_url
from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import is_in_names, is_program_word

_TLD = r"(?:com|org|net|edu|gov|mil|info|io|co|uk|ac|me|de|at|ch|fr|es|pt|it|nl|eu|us|ca|au|nz|ie|in|br|mx|jp|example)"
_DOT = r"(?:\s*(?:\(dot\)|\[dot\]|\{dot\}|<dot>)\s*|\s+(?i:dot)\s+)"
_AT = r"(?:\s*(?:\((?i:at|a)\)|\[(?i:at)\]|\{(?i:at)\}|<(?i:at)>)\s*|[ \t]+(?i:at)[ \t]+)"
_SIGNED_AT = r"(?:\s*(?:\((?i:at|a)\)|\[(?i:at)\]|\{(?i:at)\}|<(?i:at)>)\s*)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("secret", "secrets", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    ("jwt", "secrets", r"\beyJ[\w-]{2,}(?:\.[\w-]*){0,4}"),
    (
        "secret", "secrets",
        r"\b(?:(?:sk|pk|rk|whsec|sntrys|shp(?:at|ss|ca|pa)|lin_api|dckr_pat|figd|PMAK|NRAK|npm|pypi|gsk|xai|nvapi|hf"
        r"|gh[pousr]|github_pat|glpat|xox[abeoprs]|xapp|AKIA|ASIA|AIza|GOCSPX|ya29|ATATT|dop_v1|sq0[a-z]{3}|EAAC|SG)"
        r"[-_.]?(?=[\w.-]*\d)[\w.-]{10,}|(?:sk|pk|gh[pousr]|glpat|hf)[-_][A-Za-z_-]{10,}|AIza[\w-]{10,})",
    ),
    ("credential", "secrets", r"(?i:\b(?:bearer|basic|digest)\s+)[\w.~+/=-]{6,}"),
    (
        "credential", "secrets",
        r"(?i:(?<![A-Za-z])(?:token|api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|secret|passw(?:or)?d|passphrase|passcode|pwd|pin|authorization"
        r"|set-cookie|cookie|csrf|otp|nonce)\b[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?)(?:(?!&[A-Za-z][\w.\[\]-]{0,40}=)[^\s\"',;)\]}]){3,}",
    ),
    ("credential", "secrets", r"(?i:\b(?:token|key|secret|password)\s+)(?=\S*\d)[^\s\"',;)\]}]{8,}"),
    ("url", "paths", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://[^\s\"'<>)\]}]+"),
    ("email", "addresses", r"[\w.~+-]{1,64}@(?=[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:)[0-9a-fA-F:.]{6,45}"),
    # RFC 5322 allows more signs in front of the @ than people use; only from the start of a word.
    ("email", "addresses", r"(?<![^\s<>,;\"()\[\]=:'])[^\s@<>,;\"()\[\]]{1,64}[@\uff20][\w-]+(?:\.[\w-]+)*" rf"(?:{_DOT}[A-Za-z]{{2,}})*"),
    ("email", "addresses", r"\"(?![:,])[^\"@\n]{1,64}\"@[\w-]+(?:\.[\w-]+)*"),
    ("email", "addresses", r"[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*"),
    ("email", "spelled", rf"\b[\w+-]+(?:(?:{_DOT}|\.)[\w+-]+){{0,3}}{_AT}[\w-]+(?:(?:\.[\w-]+)*{_DOT}[A-Za-z]{{2,}})+\b"),
    ("email", "spelled", rf"\b[\w.+-]+{_SIGNED_AT}[\w-]+(?:\.[\w-]+)+\b"),
    ("email", "spelled", rf"\b[\w+-]+(?:(?:{_DOT}|\.)[\w+-]+){{0,3}}{_AT}(?!www\.)[\w-]+(?:\.[\w-]+)*\.{_TLD}\b"),
    (
        "uuid", "digits",
        r"\b[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\b",
    ),
    ("mac", "colons", r"\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b|\b[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}\b"),
    (
        "timestamp", "digits",
        r"\b(?:\d{4}(?:-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?|/\d\d/\d\d \d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)"
        r"|[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6})\b",
    ),
    (
        "date", "months",
        rf"\b\d\d/{_MONTH}/\d{{4}}:\d\d:\d\d:\d\d(?: [+-]\d{{4}})?|\b\d{{1,2}}(?:st|nd|rd|th|\.)?[ -]{_MONTH}\b(?:[ ,-]+\d{{4}})?|\b{_MONTH}\.? \d{{1,2}}\b(?:,? \d{{4}}\b)?",
    ),
    ("ip", "digits", r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?!\.\d)"),
    ("time", "colons", r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"),
    (
        "ip", "digits",
        r"(?<![\w:.])(?=[0-9a-fA-F:]*\d)(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)[0-9a-fA-F]{0,4}"
        r"(?::[0-9a-fA-F]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:%\w+)?(?::\d{1,5})?(?![\w:])",
    ),
    ("iban", "digits", r"\b(?i:[A-Z]{2})\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?\b"),
    ("iban", "digits", r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){3,7}(?: ?[a-z0-9]{1,4})?\b"),
    # National insurance number (UK) and identity card (Hong Kong); others are digits or ids below, and
    # which of them is one is decided afterwards (`national_ids`).
    ("national_id", "digits", r"\b[A-Z]{1,2}\d{6}\([0-9A]\)"),
    ("national_id", "digits", r"\b(?i:[A-Z]{2}[ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D])\b"),
    ("home", "paths", r"(?<![\w.])(?:/home/|/Users/|/var/home/|\b[A-Za-z]:[\\/]+(?i:Users|Documents and Settings)[\\/]+)(?:[^\\/:*?\"<>|\r\n,;)']{1,60}(?=[\\/])|[\w.@-]+)"),
    ("home", "paths", r"(?<![\w/~])~[A-Za-z_][\w.-]*"),
    ("path", "paths", r"(?<![\w<>])/[\w.~%@:{}+-]+(?:/[\w.~%@:{}+<>-]*)*(?:\?[^\s\"']*)?"),
    (
        "duration", "digits",
        r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?\s?(?:ns|us|µs|ms|s|sec|seconds?|min|minutes?|h|hours?)\b",
    ),
    ("number", "digits", r"(?<![\w.+(-])\d{1,4}\.\d{6,}(?![\w.])"),
    # Longer digit groups are phones, cards, national ids, account numbers: all one type.
    (
        "digits", "digits",
        r"(?<!\w)(?!\d{1,3} \d{4}-\d\d-\d\dT)[+(]{0,2}\d(?:[ ()./+\u2010-\u2013-]{0,3}\d){6,}(?:[ -]?[A-Z][ -]?\d{2,}|-?[A-Za-z]{1,2}(?!\w))?"
        r"(?:\s?(?:x|ext\.?|extension|#)\s?\d{1,5}\b)?",
    ),
    ("hex", "digits", r"\b(?:0x)?(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b"),
    ("id", "digits", r"\b(?=[\w.-]*\d)(?=[\w.-]*[^\W\d])\w+(?:[.-]\w+)*\b"),
    ("number", "digits", r"\d+(?:[.,:]\d+)*"),
)  # fmt: skip
# Without one of these signs (lower case) nothing of the group can match; most lines lack most of them.
_SIGNS = {
    "secrets": """token key secret passw passc passp pwd pin authoriz cookie csrf otp nonce bearer basic digest eyj sk- sk_ sk.
        pk- pk_ pk. rk_ rk- whsec sntrys shp lin_api dckr_pat figd pmak nrak npm_ pypi gsk xai nvapi hf_ hf- gho ghp ghu ghr ghs
        github_pat glpat xox xapp akia asia aiza gocspx ya29 atatt dop_v1 sq0 eaac sg. begin""".split(),
    "addresses": ["@", "%40", "\uff20"],
    "spelled": [" at ", "(at)", "[at]", "{at}", "<at>", "(a)"],
    "paths": ["/", "~", "\\"],
    "colons": [":", "-", "."],
    "months": "jan feb mar apr may jun jul aug sep oct nov dec".split(),
}


@cache
def _combined(absent: frozenset[str]) -> tuple[re.Pattern[str], list[str]]:
    """The pattern without the absent groups, and the kind of each of its alternatives."""
    present = [(kind, pattern) for kind, group, pattern in _PATTERNS if group not in absent]
    forms = "|".join(f"({pattern})" for _, pattern in present) or r"(?!)"
    return re.compile(rf"{_MAY_BEGIN}(?:{forms})"), [kind for kind, _ in present]


# None begins with a blank or between two letters: most places of a text need not try them all.
_MAY_BEGIN = r"(?=\S)(?:(?<![^\W\d_])|(?![^\W\d_]))"


_LONGEST_SHORT_ID = 20
_PARTS = re.compile(r"[._-]+")
_ERRNO = re.compile(
    r"(?i:http/|errno|status|(?<!sort )(?<!zip )(?<!post )(?<!postal )(?<!area )(?<!bank )(?<!branch )(?<!door )(?<!gate )(?<!access )(?<!security )(?<!client )(?<!patient )(?<!customer )(?<![a-z])code|port|line|exit code)\W{0,3}\Z"
)
_SIZE = re.compile(r"\d+(?:\.\d+)?(?=(?:[KMGTP]i?)?[Bb](?:ps|/s)?\Z)")
_CREDENTIAL_CUE = re.compile(
    r"(?i:bearer|basic|digest)\s+|[\w -]+?[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?(?i:(?:bearer|basic)\s+)?|\w+\s+"
)
# `password is required` says nothing about a password.
_NO_SECRET = frozenset(
    """required invalid incorrect missing expired wrong empty null none not too weak valid used already being
    set unset true false disabled enabled revoked refreshed stored rejected malformed unknown <credential>
    """.split()
)
_KEY = re.compile(r"'|(?:[\w.\[\]-]+[=:&]'?)+(?=[^@])")
_LOADED_URL = re.compile(r"[?#]|://[^/]*@")


def format_findings(text: str) -> list[Finding]:
    """Identifiers that have a format, in order; constants of templates are not among them."""
    pattern, kinds = _combined(_absent(text))
    found = [
        finding
        for match in pattern.finditer(text)
        for finding in _find(match, kinds[(match.lastindex or 1) - 1])
    ]
    return typed(text, found) if found and _DIGIT.search(text) else found


def _absent(text: str) -> frozenset[str]:
    lower = " ".join(text.lower().split())
    absent = [group for group, signs in _SIGNS.items() if not any(map(lower.__contains__, signs))]
    if not _DIGIT.search(text):
        absent += ["digits", "months"]
    return frozenset(absent)


_DIGIT = re.compile(r"\d")


def _find(match: re.Match[str], kind: str) -> list[Finding]:
    found, start = match.group(), match.start()
    if kind in _SPECIAL:
        return _SPECIAL[kind](found, start)
    if kind in {"id", "number", "hex"} and _is_constant_with_digits(kind, found):
        return []
    if kind == "id":
        return _id(found, start)
    if kind == "number" and len(found) <= 5 and _ERRNO.search(match.string, 0, start):
        return []
    return [Finding(start, match.end(), kind)]


def _is_constant_with_digits(kind: str, found: str) -> bool:
    if CONSTANTS.match(found):
        return True
    parts = _PARTS.split(found)
    is_known = kind == "id" and all(CONSTANTS.match(p) or is_constant(p) for p in parts)
    return is_known or (kind == "id" and is_constant_with_digits(found))


def _id(found: str, start: int) -> list[Finding]:
    """An id without its unit (`512MB`) and without words of programs in front (`tta-api-7d9f`)."""
    size = _SIZE.match(found)
    if size:
        return [Finding(start, start + size.end(), "number")]
    at = 0
    for part in re.finditer(r"([^\W\d_]{3,})[.-]", found):
        if part.start() != at or not is_program_word(part[1].lower()):
            break
        at = part.end()
    if len(found) - at > _LONGEST_SHORT_ID:
        at = 0  # `key-3ax6…`: the word belongs to the key
    return [Finding(start + at, start + len(found), "id")]


def _url(found: str, start: int) -> list[Finding]:
    """A URL that carries somebody (user info, query, fragment) goes as a whole, else by segments."""
    if _LOADED_URL.search(found):
        scheme, _, rest = template_url(found).partition("://")
        segments = [s if _is_known_segment(s) else "{id}" for s in rest.split("/")[1:]]
        kept = "/".join([f"{scheme}://{rest.split('/')[0]}", *segments])
        return [Finding(start, start + len(found), "url", kept)]
    path_at = found.find("/", found.index("://") + 3)
    if path_at < 0:
        return []
    return _path(found[path_at:], start + path_at)


def _is_known_segment(segment: str) -> bool:
    return segment[:1] in {"", "{", "<", ":", "*"} or all(
        is_constant(part) for part in re.split(r"[._-]+", segment)
    )


def _path(found: str, start: int) -> list[Finding]:
    return [Finding(start + a, start + b, kind, kept) for a, b, kind, kept in path_edits(found)]


def _email(found: str, start: int) -> list[Finding]:
    """The address without the key in front of it: `user=jo@example.org`."""
    if _RELEASE.match(found) or _is_of_a_component(found):
        return []
    key = _KEY.match(found)
    return [Finding(start + (key.end() if key else 0), start + len(found), "email")]


# `react@18.2.0`, `@types/node@20.1`: a package and its version.
_RELEASE = re.compile(r"@?[A-Za-z][\w./-]*@v?\d{1,4}(?:\.\d{1,5}){1,2}(?:[-+.][\w.]+)?\Z")


def _is_of_a_component(found: str) -> bool:
    """`celery@worker-1`, `auth@docker`: no domain, and on both sides words of programs that nobody is called."""
    words = _PARTS.split(found.replace("@", "-"))
    return "." not in found and all(
        is_constant(w) and not is_in_names(w.lower()) and w.lower() not in _ACCOUNTS for w in words
    )


_ACCOUNTS = frozenset("support contact help hello office mail me user".split())


def _credential(found: str, start: int) -> list[Finding]:
    """What follows the cue; the cue itself is a constant of the template."""
    cue = _CREDENTIAL_CUE.match(found)
    at = cue.end() if cue and cue.end() < len(found) else 0
    if found[at:].lower().rstrip(".:") in _NO_SECRET:
        return []
    return [Finding(start + at, start + len(found), "credential")]


_SPECIAL = {"email": _email, "url": _url, "path": _path, "credential": _credential}
