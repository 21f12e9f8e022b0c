# ruff: noqa: E501 - a pattern reads better unbroken
"""Digits that say nothing about anybody: amounts, counts, codes and moments of a log line.

Here: which number or moment varies from line to line without telling of a person: a skeleton masks it,
`redact` leaves it. Not here: what has a format (`formats`), versions and names with digits, which stay
everywhere (`constants`). Unsure means personal.
"""

import re
from functools import lru_cache

from privacy.detection.shapes.compounds import ROLES
from privacy.detection.shapes.constants import is_constant
from privacy.detection.shapes.packages import may_publish, published_parts
from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import is_in_names

_ERROR_CODE = re.compile(r"(?!MRN|NHS|SSN|EIN|DOB|ID|PAT|REF|NO)[A-Z]{2,6}-?\d{2,6}\Z")
_ENDS_CODE = re.compile(r"[:\]]")
_SIZE = re.compile(r"\d+(?:\.\d+)?(?:(?:[kKMGTP]i?)?[Bb](?:ps|it|/s)?|[kKMGTP]i?|m)\Z")
# `12,000`, `1,476.00`, `45,00`, `24.90`: grouped, or with cents.
_MONEY = re.compile(
    r"\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,2})?\Z|\d{1,3}(?:\.\d{3}){1,3},\d{1,2}\Z|\d{1,6}[.,]\d{2}\Z"
)
_CLOCK = re.compile(r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?:[.,]\d{1,6})?\Z")
# A program's file behind its path or in a trace: `backup.sh`, `db.php:12`.
_SOURCE = re.compile(
    r"(?P<name>[\w-]{1,60})(?:\.\w{1,12})?\.(?:sh|go|py|php|cs|js|mjs|ts|tsx|jsx|java|kt|rb|rs|c|cc|cpp|h|swift|scala|ex|exs|erl|lua|pl|sql|so|jar|whl|conf|cfg|ini|toml|ya?ml|service|key|pem|crt|lock|pid|sock|css|scss|map|wasm)(?::(?:line|\d{1,6}))?,?\Z"
)
# A pod behind its deployment's name: `6d4b75cb6d-hs9mz`.
_POD = re.compile(
    r"(?:[a-z][a-z0-9-]*-)?(?:(?:[bcdf-hj-np-tv-xz2456789]{7,10}-)?(?=[a-z\d]*\d)[bcdf-hj-np-tv-xz2456789]{5}|(?=[a-z]*\d[a-z\d]*[a-z])[bcdf-hj-np-tv-xz2456789]{8,10})\Z"
)
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:d|h|m|s|ms|us|µs|ns)){1,5}\Z")
_TIMES = re.compile(r"(?:x\d{1,5}|\d{1,5}x|0x[0-9a-fA-F]{1,16}|\d{1,3}(?:st|nd|rd|th))\Z")
# What a number stands for, read from what is written in front of it.
_KEY = re.compile(
    r"(?P<key>[A-Za-z][\w.-]*)[\"'`\])]{0,2}\s{0,2}(?:=>?|:|->|\[|\(|#|/|,)?\s{0,2}(?:(?:int|float|double)\()?[\"'(\[#~<>=]{0,2}[-+$€£]?\Z"
)
_PERSONAL_KEY = re.compile(
    r"(?i:(?:^|[^a-z])(?:ages?|aged|born|birth\w*|dob|yob|years?_?old|zip\w*|post(?:al)?_?code|plz|cep|cap|postcode|phone\w*|tel|fax|mobile|cell|"
    r"pin|otp|cvv|cvc|cid|passcode|ssn|last_?4|last_?four|ending|cards?|pan|accounts?|acct|iban|routing|sort|mrn|nhs|house|flat|apt|apartment|suite|unit|room|"
    r"street|str|address\w*|addr1|line1?|lat(?:itude)?|lon(?:g|gitude)?|lng|salary|income|weight|height|bmi|glucose|pulse|heart_?rate|"
    r"patients?|clients?|players?|users?|uid|members?|customers?|employees?|students?|badge|case|record|policy|passport|visa|licen[cs]e|plate|"
    r"ticket|order|invoice|booking|reservation|room|bed|grade|gpa|iq|score_of|ext|extension|box|vol|no|nr|number|code|ids?|id_?no)(?:[^a-z]|$)|_id$)|[a-z]Id$|Age$|Zip$"
)
# Of these keys a long number is a moment or an amount.
_TECHNICAL_KEY = re.compile(
    r"(?i:(?:^|[^a-z])(?:ts|time|timestamp|mint|maxt|start|end|epoch|since|until|at|offset|size|bytes?|len|length|limit|count|total|rows?|items|lines?|records|events|"
    r"messages|keys|entries|tokens|pages?|blocks?|lock|flags|seq|seqno|lsn|zxid|txid|xid|epoch|term|index|idx|pos|position|capacity|used|free|mem|memory|heap|rss|"
    r"duration|dur|took|elapsed|latency|delay|timeout|ttl|interval|period|rate|port|pid|tid|thread|status|exit|errno|line|col|column|version|build|revision|rev|"
    r"generation|partition|shard|replicas?|workers?|threads?|retries|attempts?|attempt|step|epoch|iter|iteration|loss|lr|batch|width|height_px|depth|level|priority|"
    r"weight_kb|allocations|wrote|read|sent|received|processed|loaded|deleted|inserted|updated|skipped|dropped|scanned|indexed|compacted|flushed|after|over|than|of|to|in|with|for|by)(?:[^a-z]|$)"
    r"|(?:_|[a-z])(?:ms|us|ns|s|sec|seconds|bytes|kb|mb|gb|count|size|total|limit|at|ts|time|duration|rows|len|Ms|Bytes|Count|Size|Time|Total)$)"
)
_TECHNICAL_ID = re.compile(
    r"(?i:(?:sha|commit|digest|etag|revision|rev|trace_?id|span_?id|parent_?id|checksum|md5|hash|addr|flags|mask|image|build|version|goroutine|0x)\W{0,3}\Z)"
)
_UNIT_AFTER = re.compile(
    r"(?i:\s?(?:%|[kmgtp]i?b\b|bytes?\b|rows?\b|items?\b|records?\b|lines?\b|events?\b|messages?\b|requests?\b|files?\b|keys?\b|tokens?\b|times?\b|pages?\b|blocks?\b|"
    r"segments?\b|connections?\b|threads?\b|workers?\b|tasks?\b|jobs?\b|buffers?\b|objects?\b|entries\b|chunks?\b|series\b|samples?\b|spans?\b|tests?\b|warnings?\b|errors?\b|retries\b|attempts?\b|"
    r"fps\b|hz\b|mhz\b|rpm\b|px\b|k\b|m\b|g\b|x\b))"
)
_CLOCK_AFTER = re.compile(r"[,\sT:-]{1,3}(?:\d{4} )?\d\d?:\d\d")
_BIRTH = re.compile(
    r"(?i:\b(?:dob|d\.o\.b|born|birth\w*|geb|nacid[oa]|née?|appointment|admitted|deceased|died)\b\W{0,14}\Z)"
)
_TEN_THOUSAND, _FEWEST_OF_A_PLACE, _NO_NUMBER_LONGER = 4, 5, 16
_PORT_SIGNS = frozenset({":", "]:", "/"})
_ADJACENT = re.compile(r"[ ,]{1,2}\Z")
_OF_SOMEBODY = frozenset({"name", "word", "location", "address", "organisation"})


@lru_cache(maxsize=20_000)
def is_personal_key(key: str) -> bool:
    """Whether a number under a key may tell of somebody: `age`, `room`, `order_id`."""
    return _PERSONAL_KEY.search(key) is not None


@lru_cache(maxsize=20_000)
def _is_technical_key(key: str) -> bool:
    return _TECHNICAL_KEY.search(key) is not None


def impersonal(text: str, found: list[Finding]) -> set[Finding]:
    """Of the ordered findings of a log line those that vary without telling of anybody."""
    chosen = _of_packages(text, found)
    for at, finding in enumerate(found):
        if finding.type not in _ASKED:
            continue
        neighbours = (found[at - 1] if at else None, found[at + 1] if at + 1 < len(found) else None)
        if _ASKED[finding.type](text, finding) and not _is_part_of_address(
            text, finding, neighbours
        ):
            chosen.add(finding)
    return chosen


def _of_packages(text: str, found: list[Finding]) -> set[Finding]:
    """Versions and parts with digits in `akka-actor_2.13`, and pods: `cart-5d8f7c9b4-qk2lm`."""
    asked = [f for f in found if f.type in _OF_NAMES or f.type == "digits"]
    if not asked:
        return set()
    parts = published_parts(text) if may_publish(text) else []
    return {
        f
        for f in asked
        if any(a <= f.start and f.end <= b for a, b in parts)
        or (
            f.type == "word"
            and text[f.start - 1 : f.start] == "-"
            and _POD.match(text[f.start : f.end])
        )
        or (f.type == "word" and f.end - f.start < 5 and _SHORT_CODE.match(text[f.start : f.end]))
    }


# `h11`, `wg0`, `n8n`: no number that somebody has is as short.
_SHORT_CODE = re.compile(
    r"(?:[a-z]{1,2}\d{1,2}|[a-z]\d{1,3}|[a-z]\d[a-z]|\dxx)(?:-\d{1,3}(?:\.\d{1,3}){1,2})?\Z"
)


_OF_NAMES = frozenset({"id", "number", "word"})


def _is_moment(text: str, finding: Finding) -> bool:
    """A date with its time; a date alone may be somebody's birthday."""
    before = text[max(0, finding.start - 24) : finding.start]
    if _BIRTH.search(before):
        return False
    written = text[finding.start : finding.end]
    has_clock = ":" in written or bool(_CLOCK_AFTER.match(text, finding.end))
    return has_clock or not before.strip(" [<(\"'") or bool(_MADE_AT.search(before))


_MADE_AT = re.compile(
    r"(?i:(?:ts|time|timestamp|date|created\w*|updated\w*|modified\w*|expir\w*|since|until|starts?|ends?|started|finished|deployed|released?|build|version|schema|partition|day|"
    r"(?:last|first)[ _-]?(?:seen|login|visit|active|used|donation|contact|payment|order|session)|join(?:ed|s)?|member[ _-]since|renew\w*|valid(?:[ _-](?:from|to|until|till|thru))?|due(?: on| by)?|taken(?: on)?|"
    r"opened|closed|paid|issued|signed|sent|received|delivered|shipped|ordered|booked|arrival|arrives|departure|departs|check[ _-]?(?:in|out)|delivery|review(?:ed)?|next[ _-]\w+|"
    r"submitted|filed|registered|enrolled|logged|printed|scheduled|planned|cancelled|canceled|invoice[ _-]?date|order[ _-]?date|as of)"
    r"[\"']?\s*[=:]?\s*[\"'\[(]?)\Z"
)


def _is_always(_text: str, _finding: Finding) -> bool:
    return True


def _is_amount(text: str, finding: Finding) -> bool:
    written = text[finding.start : finding.end]
    before = text[max(0, finding.start - 32) : finding.start]
    if _CLOCK.match(written) and len(written) > len("1:00"):
        return not _BIRTH.search(before)
    if _is_inside_word(text, finding) or _is_theirs(text, finding):
        return False
    key = _KEY.search(before)
    name = key["key"] if key and not _FILE_KEY.search(key["key"]) else ""
    is_counted = _UNIT_AFTER.match(text, finding.end) is not None
    if (is_personal_key(name) and not is_counted) or _ENDING.search(before):
        return False
    if _is_short(written) or (len(written) <= _MOST_OF_GOODS and _OF_GOODS.search(name)):
        return True
    # More digits may be a place, a telephone or a number of somebody's.
    is_told = (bool(name) and _is_technical_key(name)) or is_counted
    return is_told and sum(c.isdigit() for c in written) <= _NO_NUMBER_LONGER


# `client.js:12`.
_FILE_KEY = re.compile(
    r"\w\.(?:js|mjs|ts|tsx|jsx|py|go|rs|java|kt|rb|php|cs|c|cc|cpp|h|ex|exs|scala|swift|vue|sql|sh)\Z"
)


def _is_short(written: str) -> bool:
    """`4412`, `24.90`, `12,000.00`, and `8,16,4.5` of neighbouring cells."""
    if _MONEY.match(written):
        return True
    parts = [part.partition(".") for part in written.split(",")]
    return all(
        len(whole) <= _TEN_THOUSAND and len(rest) < _FEWEST_OF_A_PLACE for whole, _, rest in parts
    )


def _is_theirs(text: str, finding: Finding) -> bool:
    """`****8812` of a card, and `Signe (74 y)`: an age in brackets behind a word."""
    before = text[max(0, finding.start - 3) : finding.start]
    if before[-1:] in _MASKED:
        return True
    if not before.endswith(" (") or finding.end - finding.start > len("99"):
        return False
    return before[:1].isalpha() and _AGE_AFTER.match(text, finding.end) is not None


_MASKED = frozenset("*\u2022#")
_AGE_AFTER = re.compile(
    r"\)|,? ?(?:y|yo|y/o|yrs?|years?|J\.?|Jahre|ans|años|anos|anni|lat|let|yaş)\b|, [^\W\d_]"
)


def _is_long_amount(text: str, finding: Finding) -> bool:
    """Seven digits and more in one run: only where a key says that they are a moment or an amount."""
    written = text[finding.start : finding.end]
    key = _KEY.search(text[max(0, finding.start - 32) : finding.start])
    if _AFTER_REQUEST.search(text, max(0, finding.start - 12), finding.start):
        return _ANSWER.match(written) is not None
    if _COMPACT.match(text, finding.start):
        return not _BIRTH.search(text[max(0, finding.start - 24) : finding.start])
    is_plain = re.fullmatch(r"\d{7,16}(?:\.\d+)?", written) is not None
    return is_plain and key is not None and _LONG_KEY.search(key["key"]) is not None


# `20260304T090000Z`.
_COMPACT = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])[0-3]\dT[0-2]\d{3,5}Z?(?!\w)")
# Of these keys up to seven digits are money, goods or a way.
_OF_GOODS = re.compile(
    r"(?i:\A(?:balance|rent|price|amount|fee|cost|tot(?:al)?|subtotal|net|gross|tax_?amount|premium|deposit|reserve|value|budget|fare|discount|vat|km|kms|mileage|odometer|reading|stock|qty|quantity|sku|article|item|"
    r"score|points|reputation|credits|coins|xp|followers|views|likes|visits|downloads|population|distance|calories|steps|kwh|litres|liters|volume|area_m2|sqm|importe|monto|total|importo|betrag|summe|montant|prix|kwota|tutar|fiyat|bedrag|"
    r"summa|beløb|belop|hinta|cena|valor|preço|precio|prezzo|harga|kiasi|halaga|eur|usd|gbp|chf|aed|inr|ngn|kes|zar|try|pln|czk|huf|sek|nok|dkk|jpy|krw|vnd|php|idr|brl|mxn)\Z)"
)
_MOST_OF_GOODS = 7
# `… HTTP/1.1" 200 48211`: a status and a size.
_AFTER_REQUEST, _ANSWER = re.compile(r"HTTP/\d(?:\.\d)?\"\s\Z"), re.compile(r"[1-5]\d\d \d{1,12}\Z")
_LONG_KEY = re.compile(
    r"(?i:\A(?:ts|time|timestamp|mint|maxt|start|end|epoch|offset|size|bytes?|length|limit|total|lock|seqno|lsn|zxid|txid|capacity|used|free|memory|heap|rss|duration|of)\Z"
    r"|(?:_|\.)(?:ms|us|ns|bytes|size|limit|ts|time|timestamp|offset|duration)\Z)|(?:Ms|Nanos|Millis|Bytes|Time|Timestamp|Offset|Size)\Z"
)


def _is_nowhere(text: str, finding: Finding) -> bool:
    """`127.0.0.1`, `0.0.0.0`, `::1`, and `0000:00:02.0` of a bus: no machine's and no line's."""
    return _NOWHERE.match(text, finding.start) is not None


_NOWHERE = re.compile(
    r"(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|0\.0\.0\.0|::1?)(?![\w.])|[\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.\d\b"
)


def _is_code(text: str, finding: Finding) -> bool:
    written = text[finding.start : finding.end]
    if _COMPACT.match(written):
        return not _BIRTH.search(text[max(0, finding.start - 24) : finding.start])
    if _POD.match(written) or _JOB.match(written) or _is_source(written) or _is_machine(written):
        return True
    if is_personal_key(_key_before(text, finding)):
        return False
    if _ERROR_CODE.match(written) and _ENDS_CODE.match(text, finding.end):
        return True
    if _SHORT_CODE.match(written):
        return not _TOLD_OF.search(text, max(0, finding.start - 16), finding.start)
    return any(shape.match(written) for shape in (_SIZE, _SPAN, _TIMES)) or bool(
        _TECHNICAL_ID.search(text[max(0, finding.start - 14) : finding.start])
    )


# A job of Kubernetes by the minute of its start.
_JOB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*){0,5}-(?:2[89]|3[01])\d{6}\Z")
_MACHINE = re.compile(r"[a-z]{2,12}\d{0,2}(?:-[a-z]{1,12}\d{0,2}|-\d{1,3}){1,5}\Z")
_LETTERS_OF_A_SITE = 4


def _is_machine(written: str) -> bool:
    """`prd-euw1-worker-12`: parts of a deployment, numbers, and sites in at most four letters that name nobody."""
    if not _MACHINE.match(written):
        return False
    words = re.findall(r"[a-z]+", written)
    return any(w in ROLES for w in words) and all(
        w in ROLES or is_constant(w) or (len(w) <= _LETTERS_OF_A_SITE and not is_in_names(w))
        for w in words
    )


# `user h4`, `patient b2 joined`.
_TOLD_OF = re.compile(
    r"(?i:\b(?:users?|players?|patients?|clients?|members?|customers?|by|from|for|to|of|with|and|hello|dear)\W{1,3})\Z"
)


def _is_source(written: str) -> bool:
    source = _SOURCE.match(written)
    return source is not None and all(
        is_constant(p) for p in re.split(r"[._-]", source["name"]) if p
    )


def _key_before(text: str, finding: Finding) -> str:
    key = _KEY.search(text[max(0, finding.start - 32) : finding.start])
    return key["key"] if key else ""


def _is_inside_word(text: str, finding: Finding) -> bool:
    """`id_42`, or one of the groups of `06-99-28`."""
    before, after = (
        text[max(finding.start - 2, 0) : finding.start],
        text[finding.end : finding.end + 2],
    )
    return "_" in (before[-1:], after[:1]) or bool(_GROUPED.search(before) or _GROUPS.match(after))


_ENDING = re.compile(
    r"(?i:\b(?:ending|ends|last (?:4|four)(?: digits)?|born|birth|geb\.?|aged?|age of|years? old)(?: in| with| on| is| are)?\W{0,3})\Z"
)
_GROUPED, _GROUPS = re.compile(r"\d-\Z"), re.compile(r"-\d")


def _is_part_of_address(
    text: str, finding: Finding, neighbours: tuple[Finding | None, Finding | None]
) -> bool:
    """`<ip>:8443` and `<word> 12, 54728 <word>`: beside what nobody knows a number may be a house or a postcode."""
    before, after = neighbours
    if (
        before is not None
        and before.type in {"ip", "digits"}
        and not _is_nowhere(text, before)
        and text[before.end : finding.start] in _PORT_SIGNS
    ):
        return True
    if finding.type != "number" or _CLOCK.match(text, finding.start, finding.end):
        return False
    if any(_is_in_a_row(text, finding, other) for other in neighbours if other is not None):
        return True
    gaps = []
    if before is not None and before.type in _OF_SOMEBODY:
        gaps.append(text[before.end : finding.start])
    if after is not None and after.type in _OF_SOMEBODY:
        gaps.append(text[finding.end : after.start])
    return any(_ADJACENT.fullmatch(gap) for gap in gaps)


def _is_in_a_row(text: str, finding: Finding, other: Finding) -> bool:
    """`<word>;<digits>;2241`: a cell beside a cell about somebody."""
    first, last = sorted((finding, other), key=lambda f: f.start)
    is_day = other.type == "timestamp" and ":" not in text[other.start : other.end]
    return text[first.end : last.start] in _BETWEEN_CELLS and (is_day or other.type in _OF_ROWS)


_BETWEEN_CELLS = frozenset({";", "|", "\t", '";"'})
_OF_ROWS = _OF_SOMEBODY | {"digits", "date", "value", "email", "national_id"}
_ASKED = {
    "timestamp": _is_moment, "date": _is_moment, "time": _is_always, "duration": _is_always,
    "ip": _is_nowhere, "number": _is_amount, "digits": _is_long_amount, "id": _is_code, "hex": _is_code,
}  # fmt: skip
