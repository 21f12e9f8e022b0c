# ruff: noqa: E501 - a pattern reads better unbroken
"""Constants of programs: the tokens of a line that say nothing about anybody and stay.

Here: whether every part of a token is a word of programs or of the language, and which tokens with digits
are versions, devices and names. Not here: single words (`lexicon`), numbers that vary (`measures`), lines (`logs`).
"""

import re

from privacy.detection.vocabulary.lexicon import (
    is_ambiguous_software,
    is_given_name,
    is_in_names,
    is_only_a_name,
    is_operations_word,
    is_program_word,
    is_software_word,
)

# Language models whose names people have too, but none with a version.
MODEL_NAMES = (
    r"(?:gemma|phi|claude|gemini)[ :-]?\d|(?:claude|gemini)-(?:opus|sonnet|haiku|instant|pro|flash)"
)
# Constants of templates that hold a digit: versions, encodings, well-known names.
CONSTANTS = re.compile(
    r"(?i:[a-z]\d|utf-?8|utf-?16|latin-?1|base64|sha-?(?:1|256|384|512)|md5|http[s/]?\d?|http/\d(?:\.\d)?|"
    r"ipv[46]|neo4j|s3|k8s|oauth2|auth0|h2|x86_64|amd64|arm64|int(?:8|16|32|64)|float(?:16|32|64)|"
    r"(?:step|branch|attempt|retry|phase|task|node|stage|worker|shard|pool|queue|level|part|replica|thread)[_-]?\d{1,3}|"
    r"p(?:50|90|95|99)|(?:gpt|llama|qwen|mi[sx]tral|deepseek)[\w.:-]*|"
    rf"(?:{MODEL_NAMES})[\w.:-]*|python3?(?:\.\d+)?|"
    # Quantisations of a model, machines of a cloud, sizes of a heap.
    r"i?q\d(?:_[kmslx\d]{1,3}){1,3}|[a-z]{1,3}\d{1,2}[a-z]{0,3}\.(?:nano|micro|small|medium|\d{0,2}x?large|metal)|x(?:m[xsn]|ss)\d{1,5}[kmg]|"
    r"psycopg2|log4j|ec2|i18n|utf8mb4|(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d[a-z]?)\Z"
)
_SUBWORD = re.compile(r"[A-Z]+(?![a-zß-ÿ])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+")


def is_constant(token: str) -> bool:
    """Whether every part of `psycopg2.errors.UniqueViolation` or `users_email_key` is a known word."""
    known = _CONSTANT.get(token)
    if known is None:
        if len(_CONSTANT) > 100_000:
            _CONSTANT.clear()
        known = token.startswith("<") or bool(CONSTANTS.match(token)) or _all_known(token)
        known = known or _is_class(token)
        known = known or (any(c.isdigit() for c in token) and is_constant_with_digits(token))
        _CONSTANT[token] = known
    return known


_CONSTANT: dict[str, bool] = {}


def is_of_a_package(word: str) -> bool:
    """Whether a part of `com.fasterxml.jackson` may stay although nobody knows it: nobody is called so."""
    lower = word.lower()
    return is_ambiguous_software(lower) or not (is_given_name(lower) or is_only_a_name(lower))


# What a class ends in that is called after what it does.
_KIND_OF_CLASS = re.compile(
    r"(?:[A-Z][A-Za-z]{2,24}?){1,4}(?:Exception|Error|Warning|Fault|Service|Handler|Factory|Manager|Controller|Reference|Filter|Listener|Provider|Adapter|Builder|Executor|"
    r"Wrapper|Iterator|Deque|Queue|Map|Stream|Reader|Writer|Parser|Formatter|Utils?|Helper|Interceptor|Repository|Resolver|Registry|Proxy|Buffer|Codec|Encoder|Decoder|"
    r"Serializer|Deserializer|Processor|Scheduler|Connection|Impl|Bean|Mixin|Plugin|Validator|Converter|Loader|Pool|Middleware|Serde|Dispatcher|Consumer|Producer)\Z"
)


def _is_class(token: str) -> bool:
    """`WeakHashMap`, `HikariConnection`: nobody's name in it, and an ending of classes."""
    if not _KIND_OF_CLASS.match(token):
        return False
    return not any(is_only_a_name(p.lower()) for p in _SUBWORD.findall(token))


def _all_known(token: str) -> bool:
    plain = re.sub(r"['\u2019]s\Z", "", token)
    parts = [part for part in plain.split("_") if part]
    unknown = [at for at, part in enumerate(parts) if not _is_known_part(part)]
    return not unknown or _is_one_of_an_identifier(parts, unknown)


def _is_one_of_an_identifier(parts: list[str], unknown: list[int]) -> bool:
    """`go_memstats_heap_bytes`, `uq_members_email`: fewer unknown parts than programs' parts, and nobody's."""
    if len(parts) < _PARTS_OF_AN_IDENTIFIER or 2 * len(unknown) >= len(parts):
        return False
    written = "".join(parts)
    if not (written.islower() or written.isupper()):
        return False  # `Letter_Mrs_…`
    lower = [part.lower() for part in parts]
    for at in unknown:
        before = lower[at - 1] if at else ""
        is_after = at - 1 in unknown or before in _PEOPLE
        if is_after or not lower[at].isalpha() or is_in_names(lower[at]):
            return False
    return _tells_of_programs([part for at, part in enumerate(lower) if at not in unknown])


_PARTS_OF_AN_IDENTIFIER = 3


def _tells_of_programs(words: list[str]) -> bool:
    """Words that may stand in a log, a quarter of them at least those of programs."""
    telling = sum(_is_known(w) for w in words)
    return 4 * telling >= len(words) and all(is_operations_word(w) or w.isdigit() for w in words)


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


# Digits

_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SEPARATORS = re.compile(r"[._:/-]+")
# What stands behind a version: `-rc1`, `-alpine3.19`, `+cu121`, `.RELEASE`.
_LABEL = r"(?:[-+~._]?(?:a|b|c|p|r|rc|alpha|beta|dev|post|pre|snapshot|release|final|ga|build|el|fc|deb|debian|ubuntu|alpine|slim|bookworm|bullseye|buster|jammy|focal|noble|jre|jdk|jvm|lts|cu|cuda|rocm|cpu|gpu|musl|amd|arm|x|patch|hotfix|nightly|stable|community|enterprise|ce|ee|otp|fpm|cli|git|next|canary|experimental)\.?\d{0,5})"
_VERSION = re.compile(
    rf"(?i:v?\d{{1,4}}(?:\.\d{{1,5}}){{0,3}}(?:{_LABEL}|[-+~.]\d{{1,4}}){{1,5}})\Z"
)
# Interfaces, disks, terminals, registers, process numbers in a name: `eth0`, `sda1`, `nvme0n1p2`, `xmm3`.
_DEVICE = re.compile(
    r"(?i:(?:eth|en[ops]|ens|enp|wlan|wlp|lo|tun|tap|veth|docker|br|bond|cali|cni|utun|awdl|sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme|dm|md|loop|sr|tty|ttys|pts|cpu|gpu|cuda|irq|mm?c|usb|pci|acpi|x|xmm|ymm|r|node|core|numa|rack|zone|az|web|db|app|api|srv|mx|ns|dc)"
    r"-?\d{1,3}(?:[a-z]\d{1,3}){0,3}|w3c|j2ee|\d?x86(?:_64)?|i[3-6]86|rfc\d{1,4})\Z"
)
_TIMES = re.compile(r"(?:x\d{1,5}|\d{1,5}x|0x[0-9a-fA-F]{1,16}|\d{1,3}(?:st|nd|rd|th))\Z")
_SEPARATED = re.compile(r"[._:/+~-]")
_MANY_DIGITS = re.compile(r"\d(?:\D*\d){4}")
_MOST_DIGITS = 4
# Whoever is numbered with one of these may be looked up.
_PEOPLE = frozenset(
    """user users player patient client customer member account employee student person guest visitor case
    mr mrs ms dr by record ticket order invoice room bed flat apartment unit login host_id uid id pid""".split()
)


# `libboost-filesystem1.74.0`, `libavcodec59`: at most four digits in a run.
_LIBRARY = re.compile(r"(?P<name>lib[a-z]{3,})(?:[a-z0-9.+_-](?!\d{5})){0,40}\Z")


def is_constant_with_digits(text: str) -> bool:
    """`15.4.0-debian-11-r45`, `eth0`, `webauthn4j`, `postgresql-15`: nobody's number, a constant of programs."""
    if _MANY_DIGITS.search(text) and _SEPARATED.search(text) is None:
        return False
    if library := _LIBRARY.match(text):
        return is_of_a_package(library["name"]) and is_of_a_package(library["name"][3:])
    is_shaped = any(shape.match(text) for shape in (_VERSION, _DEVICE, _TIMES))
    if is_shaped or ("_" in text and _is_numbered_identifier(text)):
        return True
    parts = _SEPARATORS.split(text)
    has_mixed = any(_MIXED.search(part) for part in parts)
    words = 0
    for part in parts:
        pieces = _PIECES.findall(part)
        digits = sum(len(p) for p in pieces if p.isdigit())
        letters = [p.lower() for p in pieces if not p.isdigit()]
        if digits > _MOST_DIGITS or len("".join(pieces)) != len(part):
            return False
        # `d3-brush`: beside a name with a digit an ordinary word is one of its parts.
        is_ordinary = has_mixed and not digits and is_operations_word(part.lower())
        if letters and not (is_ordinary or _is_of_programs("".join(letters), letters)):
            return False
        words += any(len(word) > 2 for word in letters)
    return words > 0


def _is_numbered_identifier(text: str) -> bool:
    """`0042_auto_add_tenant`, `public.pg_toast_2619`: two words of programs at least, one number of four digits."""
    parts = re.split(r"[._]", text.lower())
    numbers = [p for p in parts if p.isdigit()]
    words = [p for p in parts if not p.isdigit()]
    if len(words) < _FEWEST_WORDS or len(numbers) != 1 or len(numbers[0]) > _MOST_DIGITS:
        return False
    return _PEOPLE.isdisjoint(words) and _tells_of_programs(words)


_FEWEST_WORDS = 2
_MIXED = re.compile(r"[A-Za-z]\d|\d[A-Za-z]")


def _is_of_programs(whole: str, pieces: list[str]) -> bool:
    if whole in _PEOPLE or not _PEOPLE.isdisjoint(pieces):
        return False
    return _is_known(whole) or all(len(p) < 2 or _is_known(p) for p in pieces)


def _is_known(word: str) -> bool:
    return is_program_word(word) or is_software_word(word)
