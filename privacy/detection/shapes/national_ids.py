# ruff: noqa: E501 - a pattern reads better unbroken
"""National ids: numbers by which a state, a tax office or a health service knows a person.

Here: which finding of a format is one, and what follows a word such as `SSN` or `Steuer-ID`. Not here: finding
numbers at all (`formats`): long numbers are masked whatever they are, so this names them, and finds whole what is
written in groups. Without such a word a number counts when its own check agrees: a checksum with a date, a letter or
two check digits, or one check digit in the grouping of its scheme. A tenth of all log numbers pass one check digit.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module
from typing import Any

from privacy.detection.vocabulary.findings import Finding, union

TYPE = "national_id"
_OF_FORMATS = frozenset({"digits", "id", "number", "hex", TYPE})
Check = Callable[[str], bool]


@dataclass(frozen=True)
class Scheme:
    """How an id is written where no word announces it, and what must be true of it.

    `check` gets capitals without blanks and signs, or with them where the sign says the century.
    """

    name: str
    shape: str
    check: Check
    has_signs: bool = False


def typed(text: str, found: Sequence[Finding]) -> list[Finding]:
    """The findings of formats with national ids named as such, and whole where they were in pieces."""
    named = [
        Finding(f.start, f.end, _type(text[f.start : f.end], f.type))
        if f.type in _OF_FORMATS and f.replacement is None and f.end - f.start >= _SHORTEST
        else f
        for f in found
    ]
    more = _after_words(text) + _in_pieces(text)
    return union([*more, *named]) if more else named


def scheme_of(text: str) -> str | None:
    """The scheme that a number belongs to by its own check, such as `de_tax`."""
    plain = _plain(text)
    for scheme, shape in _SHAPES:
        if shape.fullmatch(text) and scheme.check(text.upper() if scheme.has_signs else plain):
            return scheme.name
    return None


def _type(text: str, kind: str) -> str:
    if not _ANY_SHAPE.fullmatch(text):
        return "id" if kind == TYPE else kind
    if scheme_of(text):
        return TYPE
    return "id" if kind == TYPE else kind


def _after_words(text: str) -> list[Finding]:
    # One pass over the letters: most lines hold none of the words, and the pattern below is dear.
    if _FIRST_WORDS.isdisjoint(_LETTERS.findall(text.lower())):
        return []
    found = []
    for match in _AFTER_WORD.finditer(text):
        plain = _plain(match["id"])
        if len(plain) >= _SHORTEST - 1 and sum(c.isdigit() for c in plain) >= _FEWEST_DIGITS:
            found.append(Finding(match.start("id"), match.end("id"), TYPE))
    return found


def _in_pieces(text: str) -> list[Finding]:
    """Letters and digits in groups, which no single format takes whole."""
    if not _PIECE_SIGN.search(text):
        return []
    return [
        Finding(m.start(), m.end(), TYPE) for m in _PIECES.finditer(text) if scheme_of(m.group())
    ]


def _plain(text: str) -> str:
    return re.sub(r"[\s./()\u2010-\u2013-]", "", text).upper()


# Checks


@cache
def _presidio(name: str) -> Any:
    # Seconds to import, and most texts hold nothing of the shape.
    from presidio_analyzer import predefined_recognizers as known  # noqa: PLC0415

    return getattr(known, name)()


def _valid(name: str) -> Check:
    """The checksum of one of Presidio's recognisers."""
    return lambda plain: bool(_presidio(name).validate_result(plain))


@cache
def _stdnum(name: str) -> Check:
    return import_module(f"stdnum.{name}").is_valid


def _std(name: str) -> Check:
    """What python-stdnum knows of a number: its checksum, and the date in it where there is one."""

    def check(plain: str) -> bool:
        # Looked up when something has the shape: an import for each scheme would cost every process.
        return _stdnum(name)(plain)

    return check


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def _br_cpf(plain: str) -> bool:
    """All digits alike pass the checksum and are never given out."""
    return len(set(plain)) > 1 and _stdnum("br.cpf")(plain)


def _be_rrn(plain: str) -> bool:
    """Of residents, and of those who are registered without living there (bis)."""
    return _stdnum("be.nn")(plain) or _stdnum("be.bis")(plain)


def _cn_id(plain: str) -> bool:
    # Not python-stdnum's: it raises KeyError for some places that it does not know.
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    try:
        date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))
    except ValueError:
        return False
    return plain[17] == "10X98765432"[_weighted(plain[:17], weights) % 11]


def _sg_nric(plain: str) -> bool:
    offset = {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}[plain[0]]
    rest = (_weighted(plain[1:8], (2, 7, 6, 5, 4, 3, 2)) + offset) % 11
    table = {"M": "KLJNPQRTUWX"}.get(plain[0], "JZIHGFEDCBA" if plain[0] in "ST" else "XWUTRQPNMLK")
    return plain[8] == table[10 - rest if plain[0] == "M" else rest]


def _hk_id(plain: str) -> bool:
    letters = plain[:-7].rjust(2, "\x00")
    values = [36 if c == "\x00" else ord(c) - 55 for c in letters]
    total = 9 * values[0] + 8 * values[1] + _weighted(plain[-7:-1], range(7, 1, -1))
    return "0123456789A"[-total % 11] == plain[-1]


def _anything(_: str) -> bool:
    return True


_MONTH_LETTER = "[A-EHLMPRST]"
_CF = (
    rf"(?i:[A-Z]{{3}} ?[A-Z]{{3}} ?[\dL-V]{{2}}{_MONTH_LETTER}[\dL-V]{{2}} ?[A-Z][\dL-V]{{3}}[A-Z])"
)
_NIR = r"[1-478](?: ?\d\d){2} ?(?:\d\d|(?i:2[AB]))(?: ?\d{3}){2} ?\d\d"
SCHEMES = (
    # Area, group and serial (SSA, since 2011): no 000, 666 or 9xx, no 00, no 0000.
    Scheme("us_ssn", r"(?!000|666|9)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}", _anything),
    Scheme("uk_nhs", r"\d{3} \d{3} \d{4}", _std("gb.nhs")),
    # No D, F, I, Q, U, V; no O in the second place; seven pairs that were never given (HMRC).
    Scheme("uk_nino", r"(?i:(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d\d){3}[ -]?[A-D])", _anything),
    Scheme("de_tax", r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", _std("de.idnr")),
    Scheme("de_pension", r"\d\d ?\d{6} ?[A-Za-z] ?\d{3}", _valid("DeSocialSecurityRecognizer")),
    Scheme("es_dni", r"(?:\d{8}|\d\d\.\d{3}\.\d{3})[- ]?[A-Za-z]", _std("es.dni")),
    Scheme("es_nie", r"[XYZxyz]-?\d{7}-?[A-Za-z]", _std("es.nie")),
    Scheme("fr_nir", _NIR, _std("fr.nir")),
    Scheme("pt_nif", r"[123568]\d\d \d{3} \d{3}", _std("pt.nif")),
    Scheme("it_cf", _CF, _std("it.codicefiscale")),
    Scheme("nl_bsn", r"\d{4}[. ]\d\d[. ]\d{3}", _std("nl.bsn")),
    Scheme("se_pnr", r"(?:\d\d)?\d{6}[-+]\d{4}|(?:19|20)\d{10}", _valid("SePersonnummerRecognizer")),
    Scheme("pl_pesel", r"\d{11}", _std("pl.pesel")),
    Scheme("br_cpf", r"\d{3}\.?\d{3}\.?\d{3}-?\d\d", _br_cpf),
    Scheme("in_aadhaar", r"[2-9]\d{3}([ -])\d{4}\1\d{4}", _std("in_.aadhaar")),
    Scheme("dk_cpr", r"\d{6}-\d{4}", _std("dk.cpr")),
    Scheme("no_fnr", r"\d{6} ?\d{5}", _std("no.fodselsnummer")),
    Scheme("ch_ahv", r"756\.?\d{4}\.?\d{4}\.?\d\d", _std("ch.ssn")),
    Scheme("be_rrn", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d|\d{11}", _be_rrn),
    Scheme("ie_pps", r"\d{7}[A-Wa-w][A-IWa-iw]?", _std("ie.pps")),
    Scheme("ca_sin", r"[1-79]\d\d([- ])\d{3}\1\d{3}", _std("ca.sin")),
    Scheme("au_tfn", r"\d{3} \d{3} \d{3}", _std("au.tfn")),
    Scheme("za_id", r"\d{13}", _std("za.idnr")),
    Scheme("mx_curp", r"(?i:[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[A-Z\d]\d)", _anything),
    Scheme("cl_rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", _std("cl.rut")),
    Scheme("sg_nric", r"[STFGMstfgm]\d{7}[A-Za-z]", _sg_nric),
    Scheme("hk_id", r"[A-Z]{1,2}\d{6}\([\dA]\)", _hk_id),
    Scheme("tr_tckn", r"[1-9]\d{10}", _std("tr.tckimlik")),
    Scheme("kr_rrn", r"\d{6}-[1-8]\d{6}", _std("kr.rrn")),
    Scheme("cn_id", r"[1-9]\d{16}[\dXx]", _cn_id),
    Scheme("cz_rc", r"\d{6}/\d{4}", _std("cz.rc")),
    Scheme("ro_cnp", r"[1-8]\d{12}", _std("ro.cnp")),
    Scheme("fi_hetu", r"\d{6}[-+A-FU-Ya-fu-y]\d{3}[\dA-Ya-y]", _std("fi.hetu"), has_signs=True),
)  # fmt: skip
_SHAPES = [(scheme, re.compile(scheme.shape)) for scheme in SCHEMES]
# One look that most findings fail: a shape of any scheme, by its length and signs alone.
_ANY_SHAPE = re.compile(r"[A-Za-z\d][A-Za-z\d ./()+-]{7,21}")
_SHORTEST = 8
_FEWEST_DIGITS = 5
_PIECES = re.compile(rf"(?<!\w)(?:{_CF}|{_NIR})(?!\w)")
_PIECE_SIGN = re.compile(r"\d\d[A-Ta-t]\d\d |(?i: 2[AB] )|(?i:2[ab]\d{8})")

_WORDS = (
    r"ssn|s\.s\.n\.|social security|itin|national insurance|nino|ni n(?:umber|o|r)|nhs|"
    r"steuer-?\s?id(?:entifikationsnummer)?(?:\s?nr)?|steuernummer|idnr|(?:sozial|renten)?versicherungsnummer|rvnr|svnr|"
    r"personalausweis(?:nummer)?|ausweisnummer|reisepass(?:nummer)?|dni|nie|nif|documento nacional|"
    r"nir|insee|(?:num[eé]ro )?(?:de )?s[eé]cu(?:rit[eé] sociale)?|carte d'identit[eé]|carte vitale|"
    r"codice fiscale|cod\. fiscale|bsn|burgerservicenummer|personnummer|personnr|samordningsnummer|pesel|"
    r"cpf|rg|contribuinte|cart[aã]o de cidad[aã]o|aadhaa?r|pan card|hetu|henkil[oö]tunnus|cpr(?:-nummer)?|"
    r"f[oø]dselsnummer|ahv(?:-?nr)?|avs|rijksregister(?:nummer)?|num[eé]ro national|pps(?:n| number)|social insurance|sin n(?:umber|o)|"
    r"tfn|tax file number|medicare|curp|rut|nric|fin n(?:umber|o)|hkid|hong kong id|t\.?c\.? kimlik(?: no)?|rrn|resident registration|"
    r"my number|rodn[eé] [cč][ií]slo|cnp|sa id|id card|identity card|identity number|national id(?:entity)?(?: number)?|id number|"
    r"tax id|tax number|tin|passport|passeport|pasaporte|passaporte"
)
_LETTERS = re.compile(r"[^\W\d_]+")
# The first word of each alternative above.
_FIRST_WORDS = frozenset(
    """ssn s social itin national nino ni nhs steuer steuerid steueridentifikationsnummer steuernummer idnr
    sozialversicherungsnummer rentenversicherungsnummer versicherungsnummer rvnr svnr personalausweis
    personalausweisnummer ausweisnummer reisepass reisepassnummer dni nie nif documento nir insee numéro numero
    de sécu secu sécurité sécurite securité securite carte codice cod bsn burgerservicenummer personnummer personnr
    samordningsnummer pesel cpf rg contribuinte cartao cartão aadhar aadhaar pan hetu henkilötunnus henkilotunnus
    cpr fødselsnummer fodselsnummer ahv ahvnr avs rijksregister rijksregisternummer pps ppsn sin tfn tax medicare
    curp rut nric fin hkid hong t tc rrn resident my rodné rodne cnp sa id identity tin passport passeport pasaporte
    passaporte""".split()
)
_JOIN = (
    r"[\"']?(?:[\s_-]?(?:number|nummer|num[eé]ro|n[uú]mero|numero|nr|no|n[°º]|#|card|code|id))?\.?[\"']?"
    r"(?:\s*[:=#]\s*|\s+(?:is|was|ist|war|lautet|es|est|era|[eèé]|of)\s*:?\s+|\s+)[\"'(#]?"
)
# A group of an id holds a digit, or is a few capitals between groups that do.
_GROUP = r"(?:(?=[A-Za-z]*\d)[A-Za-z\d]{1,20}|[A-Z]{1,4}|[a-z]{1,3}(?=[ ./-]?[a-z\d]{0,3}[ ./-]?[a-z]?\d))"
_AFTER_WORD = re.compile(
    rf"(?i:(?<![^\W_])(?:{_WORDS})(?![^\W_])(?:{_JOIN}))"
    rf"(?P<id>(?=[A-Za-z ./-]{{0,10}}\d){_GROUP}(?:[ ./-]{{1,2}}{_GROUP}){{0,7}}(?:\([\dA]\))?)(?!\w)"
)
