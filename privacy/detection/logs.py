# ruff: noqa: E501 - a pattern reads better unbroken
"""Log lines and exception messages: constants of the template stay, everything else is masked.

Here: words that neither the language of operations nor ordinary English knows, names that are
also words, values of keys about people. Formats and cues come first (`skeleton`). Not here: what
people write to each other (`chat`).
"""

import re
from functools import lru_cache

from privacy.detection.findings import Finding, blank, union
from privacy.detection.lexicon import (
    is_given_name,
    is_only_a_name,
    is_operations_word,
    is_program_word,
    template_words,
    word_list,
)

# A marker of a skeleton, or a word as programs and people write it.
_TOKEN = re.compile(r"<[a-z_]{1,20}>|[^\W\d_]\w*(?:['\u2019]\w+)*")
_SUBWORD = re.compile(r"[A-Z]+(?![a-zß-ÿ])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+")
_NAMING = (
    r"name|first_name|last_name|full_name|display_name|nick|nickname|school|employer|city|town|country|address|"
    r"clinic|hospital|practice|surgery|college|university|street"
)
_PERSONAL_VALUE = re.compile(
    rf"(?i:\b(?:(?:user|username|user_name|login|uid|sub|player|patient|client|member|author|owner|therapist|company|organi[sz]ation|"
    rf"location|dob|birth(?:day|date)?|date_of_birth|age|phone|mobile|email|to|from|recipient|code|cookie|session|sid|sessionid|csrftoken|value|"
    rf"input_value|input|{_NAMING})[\"'`]?\s*(?:=|:\s*[\"'`]|\)=\(|with value|`\s*=)|(?:{_NAMING}):\s(?=[A-Z]))\s*[\"'`(]?)"
    r"(?P<hit>(?<=[\"'`])[^\"'`\n]+|[A-ZÀ-Ý][\w'\u2019-]*(?:\s[A-ZÀ-Ý][\w'\u2019-]*)+(?!\w*=)|[^\s,;\"'`)\]}&|]+)"
)
_QUOTED = re.compile(
    r"(?<![\w])'(?P<a>[^'\n]{1,200})'(?!\w)|\"(?P<b>[^\"\n]{1,400})\"|`(?P<c>[^`\n]{1,200})`"
)
# What somebody says, up to the closing quote or the end; prose is masked, a template is not.
_SPOKEN = re.compile(
    r"(?i:\b(?:(?P<verb>says?|said|wrote|writes|typed|asked)|prompt|message|msg|text|content|input|note|reply|answer|"
    r"(?P<free>(?:note|comment|message|entry)\s(?:saved|added|updated|received|created|stored|posted|sent|submitted|recorded|flagged)"
    r"|utterance|journal|transcript|comment|feedback|reflection|diary|complaint|bio)|moderation)\b[\"']?\s*[:=]\s*)(?:\"(?P<quoted>[^\"\n]+)\"|(?P<hit>[^\"\n]+))"
)
# PostgreSQL's `Key (display_name)=(little star) already exists`.
_KEY_DETAIL = re.compile(r"\bKey \([^()\n]+\)=\((?P<hit>[^()\n]+)\)")
# Whatever stands after the last colon, which may be what somebody wrote.
_PROSE_TAIL = re.compile(r":\s(?P<hit>[^:\n]+)\Z")
_CAPITALISED = r"[A-ZÀ-Ý][\w'\u2019&-]*"
_KINDS_OF_PLACE = (
    r"(?:School|Academy|College|University|Primary|Elementary|Kindergarten|Sixth Form|Hospital|Hospice|Clinic|Surgery|Medical Practice|"
    r"Medical Centre|Health Centre|Pharmacy|Dental|Church|Mosque|Prison|Ltd|GmbH|Inc|LLC|& Sons|Bakery|Logistics|Solicitors|Foundation|Trust)\b"
)
_ORGANISATION = re.compile(
    rf"(?P<hit>(?:{_CAPITALISED}\s(?:(?:of|and|&|the)\s)?){{1,4}}{_KINDS_OF_PLACE}(?:\s(?:Ltd|Inc|LLC))?)"
)
_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Terrace|Crescent|Way|Court|Square|Gardens|Grove|Hill|Row|Place|"
    r"Boulevard|Blvd)\b"
)
_ADDRESS = re.compile(
    rf"(?P<hit>\b\d{{1,5}}[A-Za-z]?,?\s(?:{_CAPITALISED}\s){{1,3}}{_STREET}\.?(?:,\s{_CAPITALISED}(?:\s{_CAPITALISED})?)*)"
)
_PAPERS = (
    r"(?i:\b(?:passport|policy|plate|licen[cs]e|registration|mrn|nhs|insurance|membership|case|claim|reference|ref|chart|"
    r"badge|ni|ssn|tax|voucher|dossier|file|record|student|employee|patient|visa|permit)\b)"
)
_DOCUMENT = re.compile(
    rf"{_PAPERS}(?i:(?:\s+(?:no|number|id|nr|code))?\.?\s*[:=#]?\s*#?)"
    r"(?P<hit>(?=[A-Z\d /-]*\d)[A-Z\d]{1,10}(?:[ /-](?=[A-Z\d]*\d|[A-Z]{1,3}\b)[A-Z\d]{1,8}){0,5})\b"
)
# What a line must hold before the costlier pattern is tried.
_SHAPES = tuple(
    (kind, re.compile(sign), pattern)
    for kind, sign, pattern in (
        ("organisation", _KINDS_OF_PLACE, _ORGANISATION),
        ("address", rf"\d[A-Za-z]?,? [^\d]*{_STREET}", _ADDRESS),
        ("id", rf"{_PAPERS}.{{0,12}}\d", _DOCUMENT),
    )
)
_HANDLE = re.compile(r"(?<![\w.@])(?P<hit>@[a-zA-Z_][\w.]{2,30})\b")
_RENAMED = re.compile(
    r"(?i:\b(?:name|renamed|nickname|handle)\b[^.:;]{0,30}?\bfrom\s+[\"']?)(?P<hit>\w[\w.-]*)[\"']?(?i:\s+to\s+[\"']?)(?P<second>\w[\w.-]*)"
)
_PAIR = re.compile(
    rf"(?P<hit>(?<![\w'])(?P<given>{_CAPITALISED})\s(?:(?:de|van|von|da|del|al|bin)\s)?(?P<last>{_CAPITALISED}))"
)
_TITLED = re.compile(
    rf"\b(?:Dr|Mr|Mrs|Ms|Miss|Prof|Professor|Nurse|Rev|Sir|Coach|Uncle|Aunt)\b\.?\s(?P<name>{_CAPITALISED}(?:\s{_CAPITALISED}){{0,2}})"
)
_ACTOR = re.compile(
    r"(?:\b(?i:by|for|from|to|of|with|user|player|client|member|patient|subject|therapist|moderator|removing|assigned|waiting for|"
    r"contact|hello|dear|welcome(?: back)?|logged in as|removed?|added|joined by)\s+)(?P<hit>[A-ZÀ-Ý][\w'\u2019-]*(?:\s(?:(?:de|van|von|da|del|al)\s)?[A-ZÀ-Ý][\w'\u2019-]*){0,3})"
)
# Language models whose names people have too, but none with a version.
_MODEL_NAMES = (
    r"(?:gemma|phi|claude|gemini)[ :-]?\d|(?:claude|gemini)-(?:opus|sonnet|haiku|instant|pro|flash)"
)
# Constants of templates that hold a digit: versions, encodings, well-known names.
CONSTANTS = re.compile(
    r"(?i:v\d|utf-?8|utf-?16|latin-?1|base64|sha-?(?:1|256|384|512)|md5|http[s/]?\d?|http/\d(?:\.\d)?|"
    r"ipv[46]|neo4j|s3|k8s|oauth2|auth0|h2|x86_64|amd64|arm64|int(?:8|16|32|64)|float(?:16|32|64)|"
    r"(?:step|branch|attempt|retry|phase|task|node|stage|worker|shard|pool|queue|level|part|replica|thread)[_-]?\d{1,3}|"
    r"p(?:50|90|95|99)|(?:gpt|llama|qwen|mi[sx]tral|deepseek)[\w.:-]*|"
    rf"(?:{_MODEL_NAMES})[\w.:-]*|python3?(?:\.\d+)?|"
    r"psycopg2|log4j|ec2|i18n|utf8mb4|(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d[a-z]?)\Z"
)
_SAFE_VALUES = frozenset(
    "none null true false unknown ok success player admin guest user n/a".split()
)


def log_findings(text: str, known: list[Finding]) -> list[Finding]:
    """All findings of a line; `known` are its formats and what follows its cues."""
    before, after = _open_findings(blank(text, known))
    found = [*known, *before, *_shapes(text), *after]
    return union(found) if len(found) > len(known) else known


@lru_cache(maxsize=2_048)
def _open_findings(open_text: str) -> tuple[list[Finding], list[Finding]]:
    """What is found in a line without its formats: before and after what shapes give away.

    Lines of one template differ in their formats alone, so that most lines are known here already.
    """
    found = [f for m in _PERSONAL_VALUE.finditer(open_text) if (f := _value(m)) is not None]
    found += [f for m in _QUOTED.finditer(open_text) if (f := _quoted(m)) is not None]
    found += _spoken(open_text)
    found += [
        Finding(m.start("hit"), m.end("hit"), "value") for m in _KEY_DETAIL.finditer(open_text)
    ]
    if (tail := _PROSE_TAIL.search(open_text)) and _is_prose(tail["hit"]):
        found.append(Finding(tail.start("hit"), tail.end("hit"), "text"))
    found += [f for m in _ACTOR.finditer(open_text) if (f := _actor(m)) is not None]
    return found, [*_in_context(open_text), *_unknown(open_text)]


_IMPERSONAL = re.compile(r"(?i:to|from|code|session|value|input_value|input|sub|location)\b")


def _spoken(text: str) -> list[Finding]:
    found = []
    for match in _SPOKEN.finditer(text):
        group = "quoted" if match["quoted"] else "hit"
        words = len(match[group].split())
        is_speech = (match["verb"] and words > 1) or (match["free"] and words > 2)
        if is_speech or _is_prose(match[group]):
            found.append(Finding(match.start(group), match.end(group), "text"))
    return found


def _shapes(written: str) -> list[Finding]:
    """What its shape gives away, formats included: organisations, addresses, documents."""
    return [
        Finding(m.start("hit"), m.end("hit"), kind)
        for kind, sign, pattern in _SHAPES
        if sign.search(written)
        for m in pattern.finditer(written)
    ]


def _in_context(text: str) -> list[Finding]:
    """What its neighbours give away in a line without its formats: handles, titles, full names."""
    found: list[Finding] = []
    if " from " in text:
        found += [
            Finding(m.start(group), m.end(group), "username")
            for m in _RENAMED.finditer(text)
            for group in ("hit", "second")
        ]
    found += [
        Finding(m.start("hit"), m.end("hit"), "username")
        for m in _HANDLE.finditer(text)
        if not all(is_program_word(p.lower()) for p in re.split(r"[._]", m["hit"][1:]) if p)
    ]
    found += [Finding(m.start(), m.end(), "name") for m in _TITLED.finditer(text)]
    found += [
        Finding(m.start("hit"), m.end("hit"), "name")
        for m in _PAIR.finditer(text)
        if _is_full_name(m["given"], m["last"])
    ]
    return found


def _is_full_name(first: str, last: str) -> bool:
    """`Rose Hunter`: a given name and a surname, although both are words."""
    given, surname = first.lower(), last.lower()
    return (
        not (first.isupper() or last.isupper())
        and is_given_name(given)
        and surname in word_list("surnames")
        and given not in word_list("operations")
        and surname not in word_list("operations")
    )


def _value(match: re.Match[str]) -> Finding | None:
    hit = match["hit"].strip()
    if hit.lower().rstrip(".") in _SAFE_VALUES or not hit.strip("\x01"):
        return None
    # `from=pending to=active` moves nobody.
    words = re.split(r"[\W_]+", hit.lower())
    if _IMPERSONAL.match(match.group()) and all(is_program_word(w) for w in words):
        return None
    return Finding(match.start("hit"), match.end("hit"), "value")


def _quoted(match: re.Match[str]) -> Finding | None:
    """A quoted value stays when it is an identifier of code or words of the template."""
    group = next(g for g in ("a", "b", "c") if match[g] is not None)
    words = _TOKEN.findall(match[group])
    if "\x01" in match[group] and not words:
        return None
    if " " not in match[group] and len(words) > 1:
        return None  # code: what nobody knows in it is masked word by word
    is_named = _is_key(match) or _is_of_programs(words) or _is_own_sentence(match, words)
    if is_named and all(is_constant(w) for w in words) and not _is_prose(match[group]):
        return _quoted_name(match, group) if len(words) == 1 else None
    return Finding(match.start(group), match.end(group), "value")


def _is_key(match: re.Match[str]) -> bool:
    """`"level": …` and `column "title"` name a part of a program, not what somebody typed."""
    line = match.string
    return line[match.end() : match.end() + 2].lstrip()[:1] == ":" or bool(
        _OBJECT.search(line, max(match.start() - 14, 0), match.start())
    )


def _is_own_sentence(match: re.Match[str], words: list[str]) -> bool:
    """`"msg": "token refreshed"`: a logger's sentence in JSON, at least half of it words of programs."""
    key = _SENTENCE_KEY.search(match.string, max(match.start() - 24, 0), match.start())
    return key is not None and 2 * sum(_is_of_programs([w]) for w in words) >= len(words)


_SENTENCE_KEY = re.compile(
    r"(?i:[\"'](?:msg|message|reason|event|error|err|detail|details|status|cause|description|exception|operation|action)[\"']\s*:\s*"
    r"|\b(?:msg|reason|error|err|event|cause)=)\Z"
)
_OBJECT = re.compile(
    r"(?i:\b(?:column|table|relation|constraint|index|attribute|property|argument|parameter|function|method)\s)\Z"
)


def _is_of_programs(words: list[str]) -> bool:
    """`'timeout'` and `'no such table'`, not `'happy ending'`: an error quotes what somebody typed."""
    return all(
        is_program_word(w.lower()) or w.lower() in template_words() or not w.isalpha() or w.isupper()
        or _CAMEL.search(w)
        for w in words
    )  # fmt: skip


_CAMEL = re.compile(r"[a-z][A-Z]")


def _quoted_name(match: re.Match[str], group: str) -> Finding | None:
    """`KeyError: 'Grace'`: a single capitalised word that is somebody's name too."""
    word = match[group]
    if not (word[0].isupper() and _names_somebody(word.lower(), 1)):
        return None
    return Finding(match.start(group), match.end(group), "value")


def _is_prose(text: str) -> bool:
    """Several words with a pronoun in them: somebody speaks."""
    words = re.findall(r"(?<![/\w])[a-z'\u2019]+", text.lower())
    return len(words) >= 3 and not _SPEAKERS.isdisjoint(words)


_SPEAKERS = frozenset("i i'm i've im my me we our he him she her".split())


def _actor(match: re.Match[str]) -> Finding | None:
    words = match["hit"].split()
    # `for Neo4j`, `to Redis`, `from BaseModel`: constants of programs are nobody.
    if all(is_constant(w) and not _names_somebody(w.lower(), len(words)) for w in words):
        return None
    return Finding(match.start("hit"), match.end("hit"), "name")


def _names_somebody(word: str, words: int) -> bool:
    if word in word_list("operations"):
        return False
    return is_given_name(word) or (words > 1 and word in word_list("surnames"))


def _unknown(text: str) -> list[Finding]:
    found: list[Finding] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token[0] == "<" or is_constant(token) or _MODEL.match(text, match.start()):
            continue
        found.append(Finding(*_whole(text, match.start(), match.end()), "word"))
    return union(found)


_MODEL = re.compile(rf"(?i:{_MODEL_NAMES})")


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """`priya.k`, `j.okafor`: what is joined to an unknown word and is no word of programs belongs to it."""
    before, after = (
        _JOINED_BEFORE.search(text, max(start - 40, 0), start),
        _JOINED_AFTER.match(text, end),
    )
    if before and not is_program_word(before["piece"].lower()):
        start = before.start("piece")
    if after and not is_program_word(after["piece"].lower()):
        end = after.end("piece")
    return start, end


_JOINED_BEFORE = re.compile(r"(?<![\w.-])(?P<piece>[^\W_]+)[.-]\Z")
_JOINED_AFTER = re.compile(r"[.-](?P<piece>[^\W_]+)(?![\w-]|\.\w|[(=])")


def is_constant(token: str) -> bool:
    """Whether every part of `psycopg2.errors.UniqueViolation` or `users_email_key` is a known word."""
    known = _CONSTANT.get(token)
    if known is None:
        if len(_CONSTANT) > 100_000:
            _CONSTANT.clear()
        known = token.startswith("<") or bool(CONSTANTS.match(token)) or _all_known(token)
        _CONSTANT[token] = known
    return known


_CONSTANT: dict[str, bool] = {}


def _all_known(token: str) -> bool:
    plain = re.sub(r"['\u2019]s\Z", "", token)
    return all(_is_known_part(part) for part in plain.split("_"))


def _is_known_part(part: str) -> bool:
    lower = part.lower()
    if is_operations_word(lower):
        return True
    # `step2`, `v1`, `llama3`: a known word with a short number.
    stem = _SHORT_NUMBER.sub("", lower)
    is_named = len(stem) > 1 or stem in {"v", "p"}
    if (is_named and is_operations_word(stem)) or (
        stem.endswith("s") and is_operations_word(stem[:-1]) and not is_only_a_name(stem)
    ):
        return True
    part = _NAMED_WITH_DIGITS.sub("", part)
    pieces = _SUBWORD.findall(part)
    if any(c.isdigit() for c in part):
        # `Http2Connection`, not `L01X`.
        is_short = part[0].isalpha() and len(_DIGITS.findall(part)) <= 2
        return is_short and all(len(p) > 1 and is_program_word(p.lower()) for p in pieces)
    # `getById`, not `bwKGbCXAabThyD`: a key falls into pieces that are words because they are short.
    is_spelled = 1 < len(pieces) < 4 or len(part) > 3 * len(pieces)
    return is_spelled and all(is_operations_word(p.lower()) for p in pieces)


_NAMED_WITH_DIGITS = re.compile(r"IPv[46]|(?i:neo4j|oauth2)|S3|EC2|K8s")
_DIGITS = re.compile(r"\d")
_SHORT_NUMBER = re.compile(r"\d{1,2}\Z")
