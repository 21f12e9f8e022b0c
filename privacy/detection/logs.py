# ruff: noqa: E501 - a pattern reads better unbroken
"""Log lines and exception messages: constants of the template stay, everything else is masked.

Here: words that neither the language of operations nor ordinary English knows, names that are
also words, values of keys about people. Formats and cues come first (`skeleton`). Not here: what
people write to each other (`chat`).
"""

import re

from privacy.detection.findings import Finding, blank, union
from privacy.detection.lexicon import is_given_name, is_operations_word, word_list

# A marker of a skeleton, or a word as programs and people write it.
_TOKEN = re.compile(r"<[a-z_]{1,20}>|[^\W\d_]\w*(?:['\u2019]\w+)*")
_SUBWORD = re.compile(r"[A-Z]+(?![a-zß-ÿ])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+")
_NAMING = r"name|first_name|last_name|full_name|display_name|nick|nickname|school|employer|city|town|country|address"
_PERSONAL_VALUE = re.compile(
    rf"(?i:\b(?:(?:user|username|user_name|login|uid|sub|player|patient|client|member|author|owner|therapist|company|organi[sz]ation|"
    rf"location|street|dob|birth(?:day|date)?|date_of_birth|age|phone|mobile|email|to|from|recipient|code|cookie|session|value|"
    rf"input_value|input|{_NAMING})[\"'`]?\s*(?:=|:\s*[\"'`]|\)=\(|with value|`\s*=)|(?:{_NAMING}):\s(?=[A-Z]))\s*[\"'`(]?)"
    r"(?P<hit>(?<=[\"'`])[^\"'`\n]+|[A-ZÀ-Ý][\w'\u2019-]*(?:\s[A-ZÀ-Ý][\w'\u2019-]*)+(?!\w*=)|[^\s,;\"'`)\]}&|]+)"
)
_QUOTED = re.compile(
    r"(?<![\w])'(?P<a>[^'\n]{1,200})'(?!\w)|\"(?P<b>[^\"\n]{1,400})\"|`(?P<c>[^`\n]{1,200})`"
)
_SPOKEN = re.compile(
    r"(?i:\b(?:says?|said|wrote|typed|prompt|message|input|note)\b\s*[:=]\s*)(?P<hit>.+)"
)
_ACTOR = re.compile(
    r"(?:\b(?i:by|for|from|to|of|with|user|player|client|member|patient|subject|therapist|moderator|removing|assigned|waiting for|"
    r"contact|hello|dear|welcome(?: back)?|logged in as|removed?|added|joined by)\s+)(?P<hit>[A-ZÀ-Ý][\w'\u2019-]*(?:\s(?:(?:de|van|von|da|del|al)\s)?[A-ZÀ-Ý][\w'\u2019-]*){0,3})"
)
_SAFE_VALUES = frozenset(
    "none null true false unknown ok success player admin guest user n/a".split()
)


def log_findings(text: str, known: list[Finding]) -> list[Finding]:
    """All findings of a line; `known` are its formats and what follows its cues."""
    found = list(known)
    open_text = blank(text, known)
    found += [f for m in _PERSONAL_VALUE.finditer(open_text) if (f := _value(m)) is not None]
    found += [f for m in _QUOTED.finditer(open_text) if (f := _quoted(m)) is not None]
    found += [
        Finding(m.start("hit"), m.end("hit"), "text")
        for m in _SPOKEN.finditer(open_text)
        if _is_prose(m["hit"])
    ]
    found += [f for m in _ACTOR.finditer(open_text) if (f := _actor(m)) is not None]
    found += _unknown(open_text)
    return union(found) if len(found) > len(known) else known


def _value(match: re.Match[str]) -> Finding | None:
    hit = match["hit"].strip()
    if hit.lower().rstrip(".") in _SAFE_VALUES or "\x01" in hit or not hit:
        return None
    return Finding(match.start("hit"), match.end("hit"), "value")


def _quoted(match: re.Match[str]) -> Finding | None:
    """A quoted value stays when it is an identifier of code or words of the template."""
    group = next(g for g in ("a", "b", "c") if match[g] is not None)
    words = _TOKEN.findall(match[group])
    if "\x01" in match[group] and not words:
        return None
    is_code = len(words) <= 1 or "_" in match[group] or "." in match[group]
    if all(is_constant(w) for w in words) and (is_code or not _is_prose(match[group])):
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
        if token[0] == "<" or is_constant(token):
            continue
        found.append(Finding(match.start(), match.end(), "word"))
    return found


def is_constant(token: str) -> bool:
    """Whether every part of `psycopg2.errors.UniqueViolation` or `users_email_key` is a known word."""
    known = _CONSTANT.get(token)
    if known is None:
        if len(_CONSTANT) > 100_000:
            _CONSTANT.clear()
        known = _CONSTANT[token] = token.startswith("<") or _all_known(token)
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
    if is_operations_word(stem) or (stem.endswith("s") and is_operations_word(stem[:-1])):
        return True
    pieces = _SUBWORD.findall(part)
    return len(pieces) > 1 and all(is_operations_word(p.lower()) for p in pieces)


_SHORT_NUMBER = re.compile(r"\d{1,2}\Z")
