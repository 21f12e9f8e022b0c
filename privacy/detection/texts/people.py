# ruff: noqa: E501 - a pattern reads better unbroken
"""The rest of a name of which a part was found: what stands beside it and could belong to it.

Here: given names, surnames, particles, titles and initials beside a finding in a log line, logins made
of the parts of a name. Not here: finding the first part (`logs`, `skeleton`), messages (`chat`).
"""

import re

from privacy.detection.vocabulary.findings import Finding, union
from privacy.detection.vocabulary.lexicon import is_given_name, is_program_word, word_list

_PARTICLES = frozenset(
    "le de la van von der den ter ten bin bint ibn al el abu ben ap mac mc di da do dos das del della du des st san santa ó ní o y e zu zum af av ul".split()
)
_DIRECTIONS = frozenset(
    "north south east west new old port saint st san santa los las upper lower great mount fort lake bad nova novo são villa ville el la le les lo".split()
)
_TITLES = r"(?:dr|mr|mrs|ms|miss|mx|prof|professor|sir|rev|fr|sr|sra|dra|herr|frau|mme|mlle|nurse|doctor|captain|sgt|officer|coach|uncle|aunt|señora?|don|doña|dott|ing|pan|pani)"
_BEFORE = re.compile(
    rf"(?<![\w.@/=-])(?P<word>(?i:{_TITLES})\.?|[^\W\d_]{{1,2}}\.|[^\W\d_][\w'\u2019-]*)(?:[ ]|,[ ]|(?<=\.))\Z"
)
_AFTER = re.compile(r"[ ](?P<word>[^\W\d_]\.(?!\w)|[^\W\d_][\w'\u2019-]*)(?![\w=(/@-]|\.\w|:\S)")
_TITLE = re.compile(rf"(?i:{_TITLES})\.?\Z")
_INITIAL = re.compile(r"[^\W\d_]\.\Z")
_OF_NAMES = frozenset({"name", "word", "location"})
_OF_MESSAGES = frozenset({"name", "organisation", "place_of_work", "location"})
_MOST_WORDS = 4
# `nguyen.van.hung`, `maria_de_souza`: a particle between parts of a name.
_LOGIN = re.compile(
    r"(?<![\w.@/-])(?P<hit>[^\W\d_]{2,20}[._-](?:de|da|do|dos|das|di|del|della|la|le|van|von|der|den|ter|bin|binti|al|el|ben|thi|van[._-]der|de[._-]la)[._-][^\W\d_]{2,20}(?:\d{1,4})?)(?![\w(]|[.-]\w)"
)
# `h.fox`: an initial and a word that no program uses.
_INITIALED = re.compile(
    r"(?<![\w.@/-])(?P<hit>[a-z]\.(?P<last>[a-zà-ÿ]{3,20})(?:\d{1,4})?)(?![\w(=-]|\.\w)"
)
# `anna.berg`: a given name and another word that no program uses.
_DOTTED = re.compile(
    r"(?<![\w.@/-])(?P<hit>(?P<first>[a-zà-ÿ]{2,20})[._](?P<last>[a-zà-ÿ]{2,20}))(?![\w(]|[.-]\w)"
)


def whole_names(text: str, found: list[Finding], *, is_message: bool = False) -> list[Finding]:
    """The ordered findings, names among them with what belongs to them on both sides.

    In a message capitals and titles in front of a name were looked at before.
    """
    kinds = _OF_MESSAGES if is_message else _OF_NAMES
    if not any(f.type in kinds for f in found):
        return found
    whole = [_extended(text, f, is_message=is_message) if f.type in kinds else f for f in found]
    return found if whole == found else union(whole)


def linked_findings(text: str, words: frozenset[str], found: list[Finding]) -> list[Finding]:
    """What joins two parts of an address or a name: `lui`, `Apt.`, `(EN)` between or behind what was found."""
    forms = [form for signs, form in _LINKS if not signs.isdisjoint(words)]
    if " (" in text or " / " in text:
        forms.append(_OF_A_COUNTY)
    if ". " in text:
        forms.append(_BEFORE_NUMBER)
    if not (forms or _TOWN_SIGN.search(text)) or not any(f.type in _OF_PLACES for f in found):
        return []
    signs = list(text)
    for finding in found:
        if finding.type in _OF_PLACES:
            signs[finding.start : finding.end] = "\x02" * (finding.end - finding.start)
    linked = "".join(signs)
    found = [Finding(*m.span("hit"), "word") for form in forms for m in form.finditer(linked)]
    towns = (
        m
        for m in _TOWN_OF_CODE.finditer(linked)
        if not is_program_word(m["hit"].partition(" ")[0].lower())
    )
    return [*found, *(Finding(*m.span("hit"), "location") for m in towns)]


_OF_PLACES = frozenset({"name", "word", "location", "address", "value", "organisation"})
_TOWN_SIGN = re.compile(r"\x01\x01 [A-ZÀ-ÞĀ-ɏ]")
# Behind a postcode and at the end of what it belongs to: `81324603 Câmara / SP`.
_TOWN_OF_CODE = re.compile(
    r"(?<=\x01\x01\x01\x01\x01) (?P<hit>[A-ZÀ-ÞĀ-ɏ][a-zà-ÿā-ɏ]{2,20}(?: / [A-Z]{2}\b|(?=[,.;(\n]|\Z)))"
)
_OF_A_COUNTY = re.compile(r"(?<=\x02) (?P<hit>\([A-Z]{2}\)|/ [A-Z]{2}\b)")
_LINK_FORMS = (
    re.compile(
        r"(?<=\x02) (?P<hit>(?:am|ob der|an der|bei|sur|sous|las?|les?|de|da|do|das|dos|del|della|di|du|des|lui|pod|nad|upon|van|von|der|den|ten|ter|tes|ap|ni|nic|mac)(?: (?:da|la|las|los|der|den|o|a))?) (?=\x02)"
    ),
    re.compile(
        r"(?<=[\x01\x02\d]),? {1,2}(?P<hit>(?i:piso|apartamento|appartamento|bl|sc|ap|apt|et|nr|no|depto|dpto|int|esc|este|oeste|norte|sur|región|provincia|kat|daire|lok|m|lgh|top|stiege|tür|tur|puerta|unit|flat|floor|suite|room|bloco|andar|interno|scala|ép|em|ajtó|b)\.?) ?(?=[\x01\x02\d])"
    ),
)
# In front of a house's number: `H.No. 87`, `Cr. 79 # 43-6`.
_BEFORE_NUMBER = re.compile(
    r"(?<!\w)(?P<hit>(?:H\.? ?No|Cr|Cra|Kra?|Cl|Dg|Tv|Av|Bl|Mz|Km|Nr|No)\.(?: #)?) ?(?=[\x01\d#])"
)
_LINKS = tuple((frozenset(re.findall(r"[a-zéó]+", form.pattern)), form) for form in _LINK_FORMS)


def with_number(text: str, finding: Finding) -> Finding:
    """`J. Wells` and, at the end of its line, `Dózsa György tér 230`: an initial or a house number belongs to it."""
    if finding.type != "name":
        return finding
    initial = _INITIAL_BEFORE.search(text, max(finding.start - 4, 0), finding.start)
    number = _HOUSE.match(text, finding.end) if " " in text[finding.start : finding.end] else None
    return Finding(
        initial.start() if initial else finding.start,
        number.end() if number else finding.end,
        finding.type,
    )


_INITIAL_BEFORE = re.compile(r"(?<!\w)[A-ZÀ-Þ]\. ?\Z")
_HOUSE = re.compile(r",? \d{1,4}[a-zA-Z]?\.?(?=\n|\Z|, [A-ZÀ-Þ\d])")


def acting_findings(text: str, words: frozenset[str]) -> list[Finding]:
    """`: cash joined the lobby`, `record of chase rich`: who acts, and a full name written small."""
    found = []
    if not _ACTS.isdisjoint(words):
        found += [
            Finding(*m.span("hit"), "username")
            for m in _ACTING.finditer(text)
            if not is_program_word(m["hit"].lower()) and m["hit"].lower() not in _GRAMMATICAL
        ]
    found += [
        Finding(m.start("given"), m.end(), "name")
        for m in _SMALL.finditer(text)
        if is_given_name(m["given"])
        and m["last"] in word_list("surnames")
        and not (is_program_word(m["given"]) and is_program_word(m["last"]))
    ]
    return found


_ACTS = frozenset(
    "joined left kicked banned killed whispers whispered says said respawned disconnected muted slain unfollowed followed replied typed".split()
)
_ACTING = re.compile(
    rf"(?:^|[:\]>)] |, )(?P<hit>[^\W\d_][\w.-]{{1,30}}) (?=(?:has |was )?(?:{'|'.join(sorted(_ACTS))})\b)"
)
_GRAMMATICAL = frozenset(
    "he she it they we you who everyone somebody all none that this someone nobody i".split()
)
_SMALL = re.compile(
    r"\b(?:of|for|by|from|to|with|user|patient|client|member|customer|player|contact) (?P<given>[a-zà-ÿ]{2,20}) (?P<last>[a-zà-ÿ]{3,20})(?![\w=(.-])"
)


def listed_names(text: str, found: list[Finding]) -> list[Finding]:
    """`…, Faith, …`: a name that is a word too, in a list on a line with somebody else."""
    if not any(f.type in _OF_LISTS for f in found):
        return []
    return [
        Finding(m.start("hit"), m.end("hit"), "name")
        for m in _LISTED.finditer(text)
        if _may_be_listed(m["hit"].lower())
        and any(f.type in _OF_LISTS and 0 <= m.start() - f.end < _NEAR for f in found)
        and "\n" not in text[max(0, m.start() - _NEAR) : m.start()].rpartition("\x01")[2]
    ]


_LISTED = re.compile(
    r"(?<=,\s)(?P<hit>[A-ZÀ-ÞĀ-ɏ][a-zà-ÿā-ɏ'\u2019-]+(?: [A-ZÀ-ÞĀ-ɏ][a-zà-ÿā-ɏ'\u2019-]+)?)(?=\s?[,;)(\n\x01]|\.?\Z|\.\s)"
)
_NEAR = 24
_OF_LISTS = frozenset({"name", "word", "value", "username"})


def _may_be_listed(lower: str) -> bool:
    # Of two words one may be a word too: `Xu Wen`.
    words = lower.split()
    is_known = any(is_given_name(w) or w in word_list("surnames") for w in words)
    return is_known and not any(w in word_list("operations") for w in words)


def login_findings(text: str, words: frozenset[str]) -> list[Finding]:
    """Logins made of the parts of a name, in a text without its formats; `words` are its words."""
    hits = []
    if not _JOINERS.isdisjoint(words):
        hits += [m for m in _LOGIN.finditer(text) if _is_login(m["hit"])]
    if _POINTED.search(text) and not _STATEMENT.match(text):
        hits += [m for m in _INITIALED.finditer(text) if _is_surname(m["last"])]
        hits += [m for m in _DOTTED.finditer(text) if _is_personal_pair(m["first"], m["last"])]
        hits += [m for m in _OWNED.finditer(text) if not _is_of_programs(m["hit"])]
    return [Finding(m.start("hit"), m.end("hit"), "username") for m in hits]


# `p.surname` of a statement is a column of a table.
_STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|MATCH)\s")
# `session of pebble.oak`: what people have, and who has it.
_OWNED = re.compile(
    r"\b(?:session|account|password|profile|login|device|avatar|prompt|message|basket|cart|upload|request)s? of (?P<hit>[a-zà-ÿ]{2,20}[._][a-zà-ÿ]{2,20}\d{0,4})(?![\w(]|\.\w)"
)


def _is_of_programs(hit: str) -> bool:
    return all(is_program_word(p) for p in re.split(r"[._]", hit.rstrip("0123456789")) if p)


_JOINERS = frozenset(
    "de da do dos das di del della la le van von der den ter bin binti al el ben thi".split()
)
_POINTED = re.compile(r"[a-zà-ÿ][._][a-zà-ÿ]")


def _is_surname(lower: str) -> bool:
    return lower in word_list("surnames") or not is_program_word(lower)


def _is_login(hit: str) -> bool:
    first, *_, last = re.split(r"[._-]", hit)
    return not (is_program_word(first) and is_program_word(last.rstrip("0123456789")))


def _is_personal_pair(first: str, last: str) -> bool:
    if is_program_word(first) or is_program_word(last):
        return False
    return (is_given_name(first) and last in word_list("surnames")) or (
        is_given_name(last) and first in word_list("surnames")
    )


def _extended(text: str, finding: Finding, *, is_message: bool) -> Finding:
    written = text[finding.start : finding.end]
    is_capital = written[:1].isupper() or not written[:1].isalpha()
    # `STANISŁAWSKI WIT`: who is written in capitals is so to the end.
    is_shouted = len(written) > 3 and written.isupper() and "\x01" not in written
    start, end = finding.start, finding.end
    for _ in range(0 if is_message else _MOST_WORDS):
        before = _before(text, start)
        if before is None or not _belongs_before(text, before, is_capital=is_capital):
            break
        start = before.start("word")
    for _ in range(_MOST_WORDS):
        after = _AFTER.match(text, end)
        if after is None or not _belongs_after(
            after["word"], is_capital=is_capital, is_shouted=is_shouted
        ):
            break
        end = after.end("word")
    if is_capital and text[end : end + 1] in {" ", ","} and (company := _COMPANY.match(text, end)):
        end = company.end()
    if (
        is_capital
        and text[end : end + 1] == ","
        and (town := _TOWN.match(text, end))
        and _is_town(town["word"].lower())
    ):
        end = town.end()
    return (
        finding
        if (start, end) == (finding.start, finding.end)
        else Finding(start, end, finding.type)
    )


# `… & Holmberg HB`, `… et Fils`, `… GmbH`.
_COMPANY = re.compile(
    r"(?:(?:,?\s(?:&|et|and|e|és|y|und|og|och|i)\s(?:[A-ZÀ-ÞĀ-ɏ][\w'\u2019-]*|figli|fils|filhos|hijos|társa|asociados))?"
    r"(?:,?\s(?:HB|AB|KB|Kft|Zrt|Kht|Bt|Nyrt|GmbH(?: & Co\. KG)?|AG|KG|OHG|mbH|e\.V|SA|S\.A|SAS|SARL|SNC|S\.p\.A|SpA|S\.r\.l|s\.r\.l|SRL|S\.C\.P|Ltd|LLC|LLP|Inc|PLC|Corp|BV|NV|VOF|Oy|Oyj|Tmi|ApS|A/S|AS|ASA|"
    r"sp\. z o\.o|Sp\.? ?[jk]|s\.r\.o|a\.s|S\.L|SL|Ltda|S/A|ME|EIRELI|A\.Ş|Tic|San|Group|Holding|Partners|Associates|Fils|Figli|Filhos|Hijos|Söhne|Sons)\b\.?){0,2})(?!\w)"
)
_TOWN = re.compile(r",\s(?P<word>[A-ZÀ-ÞĀ-ɏ][\w'\u2019-]+)(?!\w)")


def _is_town(lower: str) -> bool:
    return lower in word_list("places") and not is_program_word(lower)


def _before(text: str, start: int) -> re.Match[str] | None:
    """The word in front of a place, when only a blank, a comma and a blank, or its own dot is between."""
    if text[start - 1 : start] not in {" ", "."}:
        return None
    at = text.rfind(" ", max(0, start - 34), start - 1) + 1
    return _BEFORE.match(text, at, start)


def _belongs_before(text: str, before: re.Match[str], *, is_capital: bool) -> bool:
    word = before["word"]
    lower = word.lower().rstrip(".")
    if _TITLE.match(word) or (_INITIAL.match(word) and before.end() - before.end("word") < 2):
        return True
    if "," in before.group():
        return False
    if not is_capital:
        return is_given_name(lower) and not is_program_word(lower) and lower not in _VERBS
    if not word[0].isupper():
        return lower in _PARTICLES and lower not in _GRAMMAR and word == lower
    is_shouted = word.isupper() and len(word) > 2
    return not is_shouted and _may_begin_a_name(lower)


def _may_begin_a_name(lower: str) -> bool:
    is_surname = lower in word_list("surnames") and not is_program_word(lower)
    return lower in _PARTICLES or lower in _DIRECTIONS or is_given_name(lower) or is_surname


def _belongs_after(word: str, *, is_capital: bool, is_shouted: bool = False) -> bool:
    lower = word.lower().rstrip(".")
    if _INITIAL.match(word) and word[0].isupper():
        return True
    if is_shouted and word.isupper():
        return not is_program_word(lower)
    if not is_capital or (word.isupper() and len(word) > 2):
        return False
    if not word[0].isupper():
        return lower in _PARTICLES and lower not in _GRAMMAR
    # A second capital behind what nobody knows is more of it, unless it is a word of programs.
    return not is_program_word(lower)


# `will`, `mark` and the like in front of a word that nobody knows are verbs as often.
_VERBS = frozenset("will may can mark bill chase grant drew pat sue rob skip art hope".split())
_GRAMMAR = frozenset(
    "o y e do des del la le st a des die das der den e el do al di da du en new old great lower upper".split()
)
