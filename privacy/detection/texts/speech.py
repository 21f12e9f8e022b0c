# ruff: noqa: E501 - a pattern reads better unbroken
"""What a log line quotes or lets somebody say.

Here: which quoted words are a logger's own and which somebody typed, and speech after `prompt=` or `note:`.
Not here: what is said of a person's state (`states`), the rest of a line (`logs`).
"""

import re

from privacy.detection.shapes.constants import is_constant
from privacy.detection.texts.person_states import is_state_word
from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import (
    is_given_name,
    is_only_a_name,
    is_program_word,
    template_words,
    word_list,
)

# A marker of a skeleton, or a word as programs and people write it.
_TOKEN = re.compile(r"<[a-z_]{1,20}>|[^\W\d_]\w*(?:['\u2019]\w+)*")
_QUOTED = re.compile(
    r"(?<![\w])'(?P<a>[^'\n]{1,200})'(?!\w)|\"(?P<b>[^\"\n]{1,400})\"|`(?P<c>[^`\n]{1,200})`"
)
# What somebody says, up to the closing quote or the end; prose is masked, a template is not.
_SPOKEN = re.compile(
    r"(?i:\b(?:(?P<verb>says?|said|wrote|writes|typed|asked)|prompt|message|msg|text|content|input|note|reply|answer|"
    r"(?P<free>(?:note|comment|message|entry)\s(?:saved|added|updated|received|created|stored|posted|sent|submitted|recorded|flagged)"
    r"|utterance|journal|transcript|comment|feedback|reflection|diary|complaint|bio)|moderation)\b[\"']?\s*[:=]\s*)(?:\"(?P<quoted>[^\"\n]+)\"|(?P<hit>[^\"\n]+))"
)


def spoken_findings(text: str) -> list[Finding]:
    """What follows `prompt=` or `note saved:`, when it is prose, in a line without its formats."""
    found = []
    if ":" not in text and "=" not in text:
        return []
    for match in _SPOKEN.finditer(text):
        group = "quoted" if match["quoted"] else "hit"
        words = len(match[group].split())
        is_speech = (match["verb"] and words > 1) or (match["free"] and words > 2)
        if is_speech or is_prose(match[group]):
            found.append(Finding(match.start(group), match.end(group), "text"))
    return found


def quoted_findings(text: str) -> list[Finding]:
    """Quoted values that somebody may have typed, in a line without its formats."""
    return [f for m in _QUOTED.finditer(text) if (f := _quoted(m)) is not None]


def _quoted(match: re.Match[str]) -> Finding | None:
    """A quoted value stays when it is an identifier of code or words of the template."""
    group = next(g for g in ("a", "b", "c") if match[g] is not None)
    written = match[group]
    words = _TOKEN.findall(written)
    if ("\x01" in written and not words) or _REQUEST.match(written):
        return None
    if " " not in written and (len(words) > 1 or not written[0].isalpha()):
        return None  # code: what nobody knows in it is masked word by word
    if all(is_constant(w) for w in words) and not is_prose(written) and _is_named(match, words):
        return _quoted_name(match, group) if len(words) == 1 else None
    if _tells_of_somebody(match, words) and not is_prose(written):
        return None  # who it is goes by itself
    return Finding(match.start(group), match.end(group), "value")


def is_request(written: str) -> bool:
    """`GET /notes/{id}`: its path is looked at elsewhere."""
    return _REQUEST.match(written) is not None


_REQUEST = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT|PRI) ")


def _is_named(match: re.Match[str], words: list[str]) -> bool:
    """Whether the place or the words say that a program wrote it."""
    return (
        _is_key(match)
        or _is_of_programs(words)
        or _is_own_sentence(match, words)
        or _is_plain_value(match, words)
    )


def _tells_of_somebody(match: re.Match[str], words: list[str]) -> bool:
    """`"msg": "login ok for <name>"`: a logger's sentence, two words of programs at least, and half of what is known."""
    line = match.string
    if _SENTENCE_KEY.search(line, max(match.start() - 24, 0), match.start()) is None:
        return False
    if not _LEVEL.search(line) or any(is_state_word(w.lower()) for w in words):
        return False
    known = [w for w in words if is_constant(w) and w.lower() not in _FUNCTION_WORDS]
    telling = sum(_is_of_programs([w]) for w in known if w.islower())
    return telling >= _FEWEST_OF_A_SENTENCE and 2 * telling >= len(known)


_FEWEST_OF_A_SENTENCE = 2


def _is_key(match: re.Match[str]) -> bool:
    """`"level": …` and `column "title"` name a part of a program, not what somebody typed."""
    line = match.string
    after = line[match.end() : match.end() + 9].lstrip()
    return (
        after.startswith((":", "=>", "]=>"))
        or after.startswith("is null")
        or bool(_OBJECT.search(line, max(match.start() - 14, 0), match.start()))
    )


def _is_own_sentence(match: re.Match[str], words: list[str]) -> bool:
    """`"msg": "token refreshed"`: a logger's sentence, a third of its words at least those of programs."""
    line = match.string
    key = _SENTENCE_KEY.search(line, max(match.start() - 24, 0), match.start())
    if key is None and not _FIELDS_FOLLOW.match(line, match.end()):
        return False
    telling = [w for w in words if w.lower() not in _FUNCTION_WORDS]
    if _LEVEL.search(line) and _tells_of_a_deed(telling):
        return True
    return 3 * sum(_is_of_programs([w]) for w in telling) >= len(telling)


def _is_plain_value(match: re.Match[str], words: list[str]) -> bool:
    """`"plan": "premium"`: at most three ordinary words of a field in which nobody writes freely."""
    key = _FIELD_KEY.search(match.string, max(match.start() - 32, 0), match.start())
    if key is None and match.string[match.start() - 1 : match.start()] in _IN_LISTS:
        key = _LIST_KEY.search(match.string, max(match.start() - 160, 0), match.start())
    if key is None or len(words) > _MOST_WORDS_OF_A_VALUE:
        return False
    if _SEXES.issuperset(w.lower() for w in words):
        return True
    parts = set(_KEY_PARTS.findall(key["key"] or key["bare"]))
    is_free = not FREE_TEXT.isdisjoint(p.lower() for p in parts)
    return not is_free and not any(
        is_only_a_name(w.lower()) or is_given_name(w.lower()) or is_state_word(w.lower())
        for w in words
    )


_MOST_WORDS_OF_A_VALUE = 3
_SEXES = frozenset("male female other nonbinary diverse divers unknown".split())
_FIELD_KEY = re.compile(
    r"(?:[\"'](?P<key>[\w.-]{1,28})[\"']\s?:|(?<![\w.-])(?P<bare>[\w.-]{1,28})=)\s?\Z"
)
_IN_LISTS = frozenset({"[", ",", " "})
# `"tags": ["vip", `.
_LIST_KEY = re.compile(
    r"(?:[\"'](?P<key>[\w.-]{1,28})[\"']\s?:|(?<![\w.-])(?P<bare>[\w.-]{1,28})=)\s?\[[^\[\]{}]*\Z"
)
_KEY_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# What people fill in themselves, and what is about them, by the words of its key.
FREE_TEXT = frozenset(
    """input value text content prompt answer answers reply response note notes comment comments title subject query q search term keyword choice option selected
    body utterance says said feedback description bio about interests hobby hobbies mood feeling feelings emotion emotions symptom symptoms goal goals message msg
    username user name names nick nickname handle login player patient client member author owner therapist school employer company city town country location
    address street first last full display surname family given email phone gender religion ethnicity nationality job occupation profession diagnosis condition
    medication reason story caption review topic word words guess secret password hint question reflection journal entry quote alias pet character hero""".split()
)
# What a logger says of itself: `level=info msg="rolled out"`, with a participle and nothing of a person.
_LEVEL = re.compile(r"(?i:\b(?:level|lvl|severity|levelname|log\.level)[\"']?\s?[=:])")
_MOST_WORDS_OF_A_DEED = 5


def _tells_of_a_deed(telling: list[str]) -> bool:
    lower = [w.lower() for w in telling]
    is_deed = any(len(w) > 4 and w.endswith(("ed", "ing", "led")) for w in lower) or any(
        _is_program_form(w) for w in lower
    )
    return (
        is_deed
        and len(telling) <= _MOST_WORDS_OF_A_DEED
        and not any(is_only_a_name(w) or is_given_name(w) or is_state_word(w) for w in lower)
    )


_FIELDS_FOLLOW = re.compile(r"\s[\w.]{1,30}=")
_SENTENCE_KEY = re.compile(
    r"(?i:[\"'](?:msg|message|reason|event|error|err|detail|details|status|cause|description|exception|operation|action|warning|log|summary)[\"']\s*:\s*"
    r"|\b(?:msg|message|reason|error|err|event|cause|desc|detail|status)\s?=\s?)\Z"
)
_OBJECT = re.compile(
    r"(?i:\b(?:column|table|relation|constraint|index|attribute|property|argument|parameter|function|method|variable|field|module|class|command|option|flag|package|image|"
    r"container|pod|volume|service|schema|queue|bucket|node|plugin|listener|target|template|macro|extension|encoding|directive|host name|"
    r"namespace|deployment|cluster|task|job|stage|model|collection|operator|symbol|trait|struct|crate|rule|scope|metric|keyspace):?\s)\Z"
)
_FUNCTION_WORDS = frozenset(
    """a an the and or but of to in on at by for with from as that this these those it its is are was were be been being has have had not no nor than then so too very more most
    all any some each own will would can could may might must shall should do does did if when while until because after before during between into out up down over under again
    there here which what how only just also still already yet long while""".split()
)


def _is_of_programs(words: list[str]) -> bool:
    """`'timeout'` and `'no such table'`, not `'happy ending'`: an error quotes what somebody typed."""
    return all(
        _is_program_form(w.lower()) or not w.isalpha() or w.isupper() or _CAMEL.search(w)
        for w in words
    )


def _is_program_form(word: str) -> bool:
    """A word of programs, also as `restarted` or `volumes`."""
    stems = [word[: -len(e)] for e in ("s", "es", "ed", "ing") if word.endswith(e)]
    return any(is_program_word(w) or w in template_words() for w in (word, *stems)) or any(
        is_program_word(stem + "e") for stem in stems if len(stem) > 3
    )


_CAMEL = re.compile(r"[a-z][A-Z]")


def _quoted_name(match: re.Match[str], group: str) -> Finding | None:
    """`KeyError: 'Grace'`: a single capitalised word that is somebody's name too."""
    word = match[group]
    if not (word[0].isupper() and names_somebody(word.lower(), 1)):
        return None
    return Finding(match.start(group), match.end(group), "value")


def is_prose(text: str) -> bool:
    """Several words with a pronoun in them: somebody speaks."""
    words = re.findall(r"(?<![/\w])[a-z'\u2019]+(?![/\w])", text.lower())
    return len(words) >= 3 and not _SPEAKERS.isdisjoint(words)


_SPEAKERS = frozenset("i i'm i've im my me we our he him she her".split())


def names_somebody(word: str, words: int) -> bool:
    """Whether a lower-case word, one of `words`, is a name and no word of operations."""
    if word in word_list("operations"):
        return False
    return is_given_name(word) or (words > 1 and word in word_list("surnames"))
