# ruff: noqa: E501 - a pattern reads better unbroken
"""Log lines and exception messages: constants of the template stay, everything else is masked.

Here: names that are
also words, values of keys about people. Formats and cues come first (`skeleton`). Not here: words that
nobody knows (`unknown`), what people write to each other (`chat`).
"""

import re
from functools import lru_cache

from privacy.detection.shapes.constants import is_constant
from privacy.detection.texts.forms import label_words, without_labels
from privacy.detection.texts.people import (
    acting_findings,
    linked_findings,
    listed_names,
    login_findings,
    whole_names,
)
from privacy.detection.texts.person_states import state_findings
from privacy.detection.texts.speech import (
    is_prose,
    is_request,
    names_somebody,
    quoted_findings,
    spoken_findings,
)
from privacy.detection.texts.texts_of_records import (
    ADDRESS_SIGN,
    ADDRESSES,
    ROAD_WORDS,
    ROADS,
    record_findings,
)
from privacy.detection.texts.unknown import unknown_findings
from privacy.detection.vocabulary.findings import Finding, any_case, blank, union
from privacy.detection.vocabulary.lexicon import (
    is_given_name,
    is_program_word,
    is_software_word,
    word_list,
)

_NAMING = (
    r"name|first_name|last_name|full_name|display_name|nick|nickname|school|employer|city|town|country|address|"
    r"clinic|hospital|practice|surgery|college|university|street"
)
_VALUE_KEYS = (
    r"user|username|user_name|login|uid|sub|player|patient|client|member|author|owner|therapist|company|organisation|organization|"
    r"location|dob|birth|birthday|birthdate|date_of_birth|age|phone|mobile|email|to|from|recipient|code|cookie|session|sid|sessionid|csrftoken|value|"
    rf"input_value|input|{_NAMING}"
)
_PERSONAL_VALUE = re.compile(
    rf"(?:\b(?:(?:{any_case(_VALUE_KEYS)})[\"'`]?\s*(?:=|:\s*[\"'`]|\)=\(|(?i:with value)|`\s*=)|(?:{any_case(_NAMING)}):\s(?=[A-Za-z]))\s*[\"'`(]?)"
    r"(?P<hit>(?<=[\"'`])[^\"'`\n]+|[A-ZÀ-Ý][\w'\u2019-]*(?:[ ][A-ZÀ-Ý][\w'\u2019-]*)+(?!\w*=)|[^\s,;\"'`)\]}&|]+)"
)
_VALUE_WORDS = frozenset(re.findall(r"[a-z]{2,}", _VALUE_KEYS)).difference({"of"})
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
    rf"(?P<hit>(?:St\.[ ])?(?:{_CAPITALISED}[ ](?:(?:of|and|&|the)[ ])?){{1,4}}{_KINDS_OF_PLACE}(?:[ ](?:Ltd|Inc|LLC))?)"
)
_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Terrace|Crescent|Way|Court|Square|Gardens|Grove|Hill|Row|Place|"
    r"Boulevard|Blvd|Approach|Mount|View|Park|Rise|Vale|Mews|Walk|Parade|Quay|Wharf|Heights|Ridge|Trail|Path|Loop|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Plaza|Manor|Meadow|Meadows|Bridge|Crossing|Cove|Creek|Canyon|Harbor|Harbour|Landing|Mill|Mills|Orchard|Pike|Spring|Springs|Station|Turnpike|Valley|Village|Vista|Well|Wells|Cottages|Cottage|Yard|Villas|Mansions|Fields|Green|Wynd|Brae|Mead)\b"
)
_ADDRESS = re.compile(
    rf"(?P<hit>(?:\b\d{{1,4}}/)?\b\d{{1,5}}[A-Za-z]?,?[ ](?:{_CAPITALISED}[ ]){{1,3}}{_STREET}\.?(?:,[ ]{_CAPITALISED}(?:[ ]{_CAPITALISED})?)*)"
)
_PAPERS = (
    r"(?i:\b(?:passport|policy|plate|license|licence|registration|mrn|nhs|insurance|membership|case|claim|reference|ref|chart|"
    r"badge|ni|ssn|tax|voucher|dossier|file|record|student|employee|patient|visa|permit|kennzeichen|targa|plaka|kenteken|immatriculation|vehicle|van|car)\b)"
)
_DOCUMENT = re.compile(
    rf"{_PAPERS}(?i:(?:\s+(?:no|number|id|nr|code))?\.?\s*[:=#]?\s*#?)"
    r"(?P<hit>(?=[A-Z\d /-]*\d)[A-Z\d]{1,10}(?:[ /-](?=[A-Z\d]*\d|[A-Z]{1,3}\b)[A-Z\d]{1,8}){0,5})\b"
)
# Of the United Kingdom; others go after a word such as `plate`.
_PLATE = re.compile(r"(?P<hit>\b[A-HJ-PR-Y][A-HJ-PR-Y]\d\d ?[A-HJ-PR-Z]{3}\b)")
# What a line must hold before the costlier pattern is tried: words that no format takes, or a shape.
_WORDED = (
    *(
        (kind, frozenset(re.findall(r"[a-z]{2,}", signs.lower())), pattern)
        for kind, signs, pattern in (
            ("organisation", _KINDS_OF_PLACE, _ORGANISATION),
            ("address", _STREET, _ADDRESS),
            ("id", _PAPERS, _DOCUMENT),
        )
    ),
    # Also where a cue took its first word: `address is Rua das Flores 78`.
    ("address", ROAD_WORDS, ROADS),
)
_SHAPES = tuple(
    (kind, re.compile(sign, re.MULTILINE), pattern)
    for kind, sign, pattern in (
        ("address", ADDRESS_SIGN, ADDRESSES),
        ("id", r"\d\d ?[A-Z]{3}\b", _PLATE),
    )
)
_Shapes = tuple[tuple[str, re.Pattern[str]], ...]
_HANDLE = re.compile(r"(?<![\w.@])(?P<hit>@[a-zA-Z_][\w.]{2,30})\b(?!-?[\w.-]*/)")
_RENAMED = re.compile(
    r"(?i:\b(?:name|renamed|nickname|handle)\b[^.:;]{0,30}?\bfrom\s+[\"']?)(?P<hit>\w[\w.-]*)[\"']?(?i:\s+to\s+[\"']?)(?P<second>\w[\w.-]*)"
)
_PAIR = re.compile(
    rf"(?P<hit>(?<![\w'])(?P<given>{_CAPITALISED})[ ](?:(?:de|van|von|da|del|al|bin)[ ])?(?P<last>{_CAPITALISED}))"
)
_TITLES = r"Dr|Mr|Mrs|Ms|Miss|Prof|Professor|Doctor|Nurse|Rev|Sir|Coach|Uncle|Aunt|Teacher|Officer|Captain|Attorney|Lawyer|Judge|Inspector|Detective|Midwife|Pharmacist|Dentist|Psychiatrist|Interpreter|Neighbour|Neighbor|Pupil|Tutor|Applicant|Therapist|Counsellor|Counselor|Psychologist|Driver|Visitor|Resident|Herr|Frau|Sr|Sra|Mme|Mlle|Hr|Fru|Fr|Fam|Familie|Family|Auntie|Aunty|Granny|Grandma|Grandpa|Nana|Sister|Brother|Father|Mother|Pastor|Imam|Rabbi|Cashier|Postman|Courier|Plumber|Electrician|Carpenter|Janitor|Caretaker|Receptionist|Waiter|Waitress|Butcher|Baker|Hairdresser|Gardener|Babysitter|Nanny|Landlady|Dona|Senhor|Senhora|Señor|Señora|Signor|Signora|Pani|Bayan|Sheikh|Ustaz|Shri|Smt|Kumari|Datuk|Encik|Puan|Ms|Mx|Dott|Avv|Sgt|Cpl"
_TITLE_WORDS = frozenset(_TITLES.lower().split("|"))
_TITLED = re.compile(
    rf"\b(?i:{_TITLES})\b\.?[ ](?P<name>{_CAPITALISED}(?:[ ]{_CAPITALISED}){{0,2}})"
    # In small letters, with a dot or an initial that says that it is a title.
    r"|(?<![\w.-])(?:dr|mr|mrs|ms|prof)(?:\.\s?|[ ](?=[a-z]\.))(?:[a-z]\.\s?){0,2}[a-zà-ÿ'\u2019-]{2,20}(?![\w(=.-]\w)"
)
_ACTOR_CUES = (
    r"by|for|from|to|of|with|user|player|client|member|patient|subject|therapist|moderator|removing|assigned|waiting for|"
    r"contact|hello|dear|welcome(?: back)?|logged in as|removed?|added|joined by"
)
_ACTOR = re.compile(
    rf"(?:\b(?:{any_case(_ACTOR_CUES)})\s+)"
    r"(?P<hit>[A-ZÀ-Ý][\w'\u2019-]*(?:[ ](?:(?:de|van|von|da|del|al)[ ])?[A-ZÀ-Ý][\w'\u2019-]*){0,3})"
)
_SAFE_VALUES = frozenset(
    "none null true false unknown ok success player admin guest user n/a".split()
)


def log_findings(text: str, known: list[Finding]) -> list[Finding]:
    """All findings of a line; `known` are its formats and what follows its cues."""
    is_about = any(f.type in _OF_SOMEBODY for f in known)
    opened, worded = _open_findings(blank(text, known), is_about=is_about)
    found = [*known, *opened, *_shapes(text, worded)]
    return union(found) if len(found) > len(known) else known


# Formats that stand for somebody, so that a state in the line is theirs.
_OF_SOMEBODY = frozenset({"email", "name", "username", "national_id", "id", "uuid"})


@lru_cache(maxsize=2_048)
def _open_findings(open_text: str, *, is_about: bool) -> tuple[list[Finding], _Shapes]:
    """What is found in a line without its formats, and which shapes its words allow with them.

    Lines of one template differ in their formats alone, so that most lines are known here already.
    """
    words = _words(open_text)
    found: list[Finding] = []
    if not _VALUE_WORDS.isdisjoint(words):
        found += [f for m in _PERSONAL_VALUE.finditer(open_text) if (f := _value(m)) is not None]
    found += quoted_findings(open_text)
    found += spoken_findings(open_text)
    found += [
        Finding(m.start("hit"), m.end("hit"), "value") for m in _KEY_DETAIL.finditer(open_text)
    ]
    if (tail := _PROSE_TAIL.search(open_text)) and is_prose(tail["hit"]):
        found.append(Finding(tail.start("hit"), tail.end("hit"), "text"))
    found += [f for m in _ACTOR.finditer(open_text) if (f := _actor(m)) is not None]
    found += record_findings(open_text, words)
    if open_text.startswith("\x01") and (user := _ACCESS_USER.match(open_text)):
        found.append(Finding(user.start("hit"), user.end("hit"), "username"))
    found += [*_in_context(open_text, words), *acting_findings(open_text, words)]
    found += [*login_findings(open_text, words), *unknown_findings(open_text)]
    found = whole_names(open_text, union(found)) if found else found
    if found:
        listed = listed_names(open_text, found) if ", " in open_text else []
        found = union([*found, *listed, *linked_findings(open_text, words, found)])
    if found and (
        not label_words().isdisjoint(words) or _is_some_key(open_text, found) or "\n" in open_text
    ):
        found = without_labels(open_text, found)
    states = state_findings(open_text, words, found, is_about=is_about)
    worded = tuple((kind, form) for kind, signs, form in _WORDED if not signs.isdisjoint(words))
    return (union([*found, *states]) if states else found), worded


# `<ip> - user [<time>]` of an access log.
_ACCESS_USER = re.compile(r"\x01+ \S+ (?P<hit>[^\s\x01-]\S*) \[\x01")
_LETTERS = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    """Its words in lower case, without digits and signs: `self-harm` is two."""
    return frozenset(_LETTERS.findall(text.lower()))


def _is_some_key(text: str, found: list[Finding]) -> bool:
    """Whether one of the findings stands where a key does: `dport=`, `"ward":`."""
    return any(text.startswith(_KEY_SIGNS, f.end) for f in found)


_KEY_SIGNS = ("=", '":', '" :', "':", '"]=>', '"=>', ":")
_BARE_NAME = re.compile(r"(?i:name)\W")
_IMPERSONAL = re.compile(r"(?i:to|from|code|session|value|input_value|input|sub|location)\b")


def _shapes(written: str, worded: _Shapes) -> list[Finding]:
    """What its shape gives away, formats included: organisations, addresses, documents."""
    seen = [(kind, pattern) for kind, sign, pattern in _SHAPES if sign.search(written)]
    return [
        Finding(m.start("hit"), m.end("hit"), kind)
        for kind, pattern in (*seen, *worded)
        for m in pattern.finditer(written)
    ]


def _in_context(text: str, words: frozenset[str]) -> list[Finding]:
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
    if not _TITLE_WORDS.isdisjoint(words):
        found += [Finding(m.start(), m.end(), "name") for m in _TITLED.finditer(text)]
    found += [
        Finding(m.start(), m.end(), "name")
        for m in (_INITIALED.finditer(text) if ". " in text else ())
        if m["last"].lower() not in word_list("operations")
    ]
    if not _GADGETS.isdisjoint(words):
        found += [Finding(m.start(), m.end(), "username") for m in _GADGET.finditer(text)]
    if "-" in text:
        found += [
            Finding(m.start(), m.end(), "name")
            for m in _HYPHENED.finditer(text)
            if _is_hyphened_name(m)
        ]
    found += [
        Finding(m.start("hit"), m.end("hit"), "name")
        for m in _PAIR.finditer(text)
        if _is_full_name(m["given"], m["last"])
    ]
    return found


# `Marthas-iPhone`, `iPhone-von-Ute`, `DESKTOP-OF-UTE`: what somebody carries.
_GADGETS = frozenset(
    "iphone ipad macbook imac galaxy pixel laptop thinkpad xps watch airpods".split()
)
_GADGET = re.compile(
    r"(?<![\w-])(?:[^\W\d_]{2,20}(?:['\u2019]?s)?[- ](?i:iphone|ipad|macbook|imac|galaxy|pixel|laptop|thinkpad|xps|watch|airpods)(?![a-z])(?:-\w+)*"
    r"|(?i:iphone|ipad|macbook|imac|galaxy|pixel|laptop|thinkpad)-(?i:von|de|di|van|of|av|fra)-[\w-]{2,20})"
)
# `Ji-ho`, `Stone-Young`: two syllables of Korean given names, or two surnames; not `Co-op` or `Keep-Alive`.
_HYPHENED = re.compile(
    r"(?<![\w-])(?P<first>[A-Z][a-z]{0,14})-(?P<second>[a-zA-Z][a-z]{0,14})(?![\w-])"
)
_SYLLABLES = frozenset(
    """ah ahn ara bae bin bo bok bom bum byeong byul byung chae chan chang cheol chul chun da dae dan deok do dong du duk eok eol eon eui eul eum eun eung ga gae gang
    geol geon geum geun gi gil go gu guk gun gwan gwang gyeong gyo gyu ha hae han hee heon heui hie ho hoe hong hoon hu hui hun hwa hwan hye hyeok hyeon hyo hyuk hyun hyung
    i ik il im in ja jae jang je jeong ji jin jo jong joo joon ju jun jung ka kang ki kook ku kuk kun kwan kwang kyeong kyo kyu kyung man mi min mo mok moon mu mun myeong
    myung na nae nam nan neul ni o ok pil ra ram ran ri rim rin ryeo sa sae san sang se seo seok seol seon seong seul seung si sik sil sim sin so sol son song soo sook soon su suk sul
    sun sung tae taek ui un ung uk wan won woo wook woong wu yang ye yeo yeol yeon yeong yi yo yong yoo yoon young yu yul yun yung""".split()
)


def _is_hyphened_name(match: re.Match[str]) -> bool:
    first, second = match["first"].lower(), match["second"].lower()
    if first in _SYLLABLES and second in _SYLLABLES:
        return True
    return match["second"][0].isupper() and all(
        w in word_list("surnames") or is_given_name(w) for w in (first, second)
    )


def titled_findings(text: str) -> list[Finding]:
    """Of a message the names behind titles and initials: `Hr. Lund`, `A. R. Berg`."""
    titled = (m for m in _TITLED.finditer(text) if m["name"])
    initialed = _INITIALED.finditer(text) if ". " in text else ()
    return [
        *(Finding(_start_of_title(m), m.end(), "name") for m in titled),
        *(Finding(m.start(), m.end(), "name") for m in initialed),
    ]


def _start_of_title(match: re.Match[str]) -> int:
    is_short = match.string[match.start("name") - 2 : match.start("name")] == ". "
    return match.start() if is_short else match.start("name")


# `B. Minder`: whatever the word is.
_INITIALED = re.compile(
    r"(?<![\w.])(?:[A-ZÀ-Þ]\. ?(?:(?:&|and|und|et|y|i|e|og|och) (?=[A-Z]\.))?){1,3}(?<=[ .])(?P<last>[A-ZÀ-Þ][a-zà-ÿā-ɏ'\u2019-]{2,20})(?![\w.(])"
)
_PARTICLES = frozenset("le la de van von der el al".split())


def _is_full_name(first: str, last: str) -> bool:
    """`Rose Hunter`: a given name and a surname, although both are words."""
    given, surname = first.lower(), last.lower()
    return (
        not (first.isupper() or last.isupper())
        and (is_given_name(given) or given in _PARTICLES)
        and surname in word_list("surnames")
        and given not in word_list("operations")
        and surname not in word_list("operations")
    )


def _value(match: re.Match[str]) -> Finding | None:
    hit = match["hit"].strip()
    if hit.lower().rstrip(".") in _SAFE_VALUES or not hit.strip("\x01"):
        return None
    if (
        hit.startswith("/")
        or is_request(hit)
        or (_BARE_NAME.match(match.group()) and _is_of_programs(hit.lower()))
    ):
        return None  # a path or a thing that programs name
    # `from=pending to=active` moves nobody.
    words = re.split(r"[\W_]+", hit.lower())
    if _IMPERSONAL.match(match.group()) and all(is_program_word(w) for w in words):
        return None
    return Finding(match.start("hit"), match.end("hit"), "value")


def _is_of_programs(word: str) -> bool:
    return (is_program_word(word) or is_software_word(word)) and not is_given_name(word)


def _actor(match: re.Match[str]) -> Finding | None:
    words = match["hit"].split()
    if len(words) > 1 and words[0].lower() in _PARTICLES:
        return Finding(match.start("hit"), match.end("hit"), "name")
    # `for Neo4j`, `to Redis`, `from BaseModel`: constants of programs are nobody.
    if all(is_constant(w) and not names_somebody(w.lower(), len(words)) for w in words):
        return None
    return Finding(match.start("hit"), match.end("hit"), "name")
