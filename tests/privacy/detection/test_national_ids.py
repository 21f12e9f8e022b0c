"""National ids: each scheme's own check, words that announce one, and log numbers that are none."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.detection.redact import KINDS, redact
from privacy.detection.shapes import national_ids, shape_formats
from privacy.detection.shapes.national_ids import SCHEMES, TYPE, Scheme, scheme_of
from privacy.detection.shapes.shape_formats import format_findings

# Published examples and made-up numbers whose check was worked out by hand or by the issuer's own tool.
VALID = {
    "us_ssn": ["078-05-1120", "219 09 9999"],
    "uk_nhs": ["943 476 5919"],
    "uk_nino": ["AB123456C", "ab 12 34 56 c", "AB-12-34-56-C"],
    "de_tax": ["86095742719", "86 095 742 719"],
    "de_pension": ["15070649C103", "65 170839 J 003"],
    "es_dni": ["12345678Z", "12.345.678-Z", "12345678-z"],
    "es_nie": ["X1234567L", "X-1234567-L"],
    "fr_nir": ["185057800608491", "1 85 05 78 006 084 91"],
    "pt_nif": ["123 456 789"],
    "it_cf": ["RSSMRA85T10A562S", "RSS MRA 85T10 A562S", "rss mra 85t10 a562s"],
    "nl_bsn": ["1112.22.333"],
    "se_pnr": ["811228-9874", "19811228-9874", "811228+9874"],
    "pl_pesel": ["44051401359"],
    "br_cpf": ["529.982.247-25", "52998224725"],
    "in_aadhaar": ["2341 2341 2346"],
    "dk_cpr": ["070761-4285"],
    "ch_ahv": ["756.9217.0769.85", "7569217076985"],
    "be_rrn": ["93.05.18-223.61"],
    "ie_pps": ["1234567T", "1234567FA"],
    "ca_sin": ["130 692 544"],
    "sg_nric": ["S1234567D"],
    "hk_id": ["A123456(3)"],
    "mx_curp": ["GODE561231HMCRRN09"],
    "cl_rut": ["12.345.678-5"],
    "cn_id": ["11010519491231002X"],
    "fi_hetu": ["131052-308T"],
    "tr_tckn": ["10000000146"],
    "za_id": ["8001015009087"],
    "kr_rrn": ["820701-2409181"],
}


def spans(text: str, kind: str) -> list[tuple[str, str]]:
    return [(text[f.start : f.end], f.type) for f in redact(text, kind).spans]


@pytest.mark.parametrize(("name", "written"), [(n, w) for n, ws in VALID.items() for w in ws])
def test_a_number_that_passes_its_own_check_is_a_national_id_without_a_word(
    name: str, written: str
) -> None:
    assert scheme_of(written) is not None
    shape = next(s for s in SCHEMES if s.name == name)
    assert re.fullmatch(shape.shape, written)
    found = format_findings(f"lookup failed for {written} in table")
    assert [f.type for f in found] == [TYPE]
    assert redact(f"lookup failed for {written} in table", "log").text == (
        f"lookup failed for <{TYPE}> in table"
    )


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@given(data=st.data())
def test_no_check_raises_for_whatever_has_its_shape(scheme: Scheme, data: st.DataObject) -> None:
    written = data.draw(st.from_regex(re.compile(scheme.shape, re.ASCII), fullmatch=True))
    plain = written.upper() if scheme.has_signs else national_ids._plain(written)
    assert scheme.check(plain) in {True, False}


_CHECKED = sorted(
    set(VALID) - {"us_ssn", "uk_nino", "dk_cpr", "mx_curp"}
)  # the others have rules instead of a check


@pytest.mark.parametrize("name", _CHECKED)
def test_one_wrong_character_fails_the_check_and_stays_masked_in_a_message(name: str) -> None:
    scheme = next(s for s in SCHEMES if s.name == name)
    written = VALID[name][0]
    at = max(i for i, c in enumerate(written) if c.isdigit())
    failing = 0
    for digit in "0123456789":
        wrong = f"{written[:at]}{digit}{written[at + 1 :]}"
        plain = wrong if scheme.has_signs else national_ids._plain(wrong)
        if digit != written[at] and not scheme.check(plain):
            failing += 1
            said = redact(f"my number is {wrong}, ok", "chat").text
            assert wrong not in said and not re.search(r"\d{2}", said), said
    assert failing >= 8  # two of ten remainders may share a check character


@pytest.mark.parametrize(
    "number",
    ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "QQ 12 34 56 C",
     "BG123456A", "AO123456B", "AB123456E", "010013-1234"],
)  # fmt: skip
def test_numbers_that_are_never_given_out_are_none_but_stay_masked(number: str) -> None:
    assert scheme_of(number) is None
    for kind in KINDS:
        said = redact(f"see {number} there", kind).text
        assert number not in said and TYPE not in said


AFTER_A_WORD = [
    ("SSN", "000-12-3456"),
    ("ssn=", "666123456"),
    ("my social security number is", "900 12 3456"),
    ("NHS number:", "943 476 5918"),
    ("NHS No.", "9434765918"),
    ("National Insurance number", "QQ 12 34 56 C"),
    ("NINO", "QQ123456C"),
    ("Steuer-ID", "86 095 742 710"),
    ("Steueridentifikationsnummer ist", "11111111111"),
    ("Rentenversicherungsnummer", "65 170839 J 009"),
    ("DNI", "12345678-A"),
    ("mi NIE es", "X-1234567-A"),
    ("numéro de sécurité sociale :", "1 85 05 2A 006 084 99"),
    ("NIR", "185057800608490"),
    ("codice fiscale", "RSS MRA 85M01 H501A"),
    ("codice fiscale:", "rss mra 85m01 h501a"),
    ("BSN", "111222334"),
    ("personnummer", "811228-9875"),
    ("PESEL", "44051401350"),
    ("CPF", "529.982.247-20"),
    ("o meu NIF é", "123 456 780"),
    ("Aadhaar", "2341 2341 2340"),
    ("Aadhar no", "234123412340"),
    ("passport number", "L01X00T47"),
    ("Reisepass", "C01X00T47"),
    ("HKID", "A123456(9)"),
    ("T.C. kimlik no", "10000000147"),
    ("id number", "AB 1234567 C"),
]


@pytest.mark.parametrize(("word", "number"), AFTER_A_WORD)
@pytest.mark.parametrize("kind", KINDS)
def test_after_a_word_for_it_the_format_alone_is_enough(word: str, number: str, kind: str) -> None:
    text = f"record with {word} {number} was seen"
    start, end = text.index(number), text.index(number) + len(number)
    found = [f for f in redact(text, kind).spans if f.start < end and f.end > start]
    covered = {i for f in found for i in range(f.start, f.end)}
    assert {i for i in range(start, end) if text[i].isalnum()} <= covered
    assert [f.type for f in format_findings(text) if f.start < end and f.end > start] == [TYPE]


@pytest.mark.parametrize(
    "line",
    ["sin 45 done in 3 ms", "tin 12 of 40 rows", "nie 7", "passport check took 120 ms for 3 requests",
     "national id lookup failed after 3 attempts", "id card service returned 503", "rut 5 retries"],
)  # fmt: skip
def test_the_words_alone_make_nothing_of_small_numbers(line: str) -> None:
    assert TYPE not in [f.type for f in format_findings(line)]


def test_numbers_of_logs_are_rarely_taken_for_one() -> None:
    chance = random.Random(20261125)
    made = {
        "order": lambda: f"{chance.randrange(10**8, 10**9)}",
        "ten digits": lambda: f"{chance.randrange(10**9, 10**10)}",
        "milliseconds": lambda: f"{chance.randrange(1_600_000_000_000, 1_900_000_000_000)}",
        "microseconds": lambda: f"{chance.randrange(16 * 10**14, 19 * 10**14)}",
        "twelve digits": lambda: f"{chance.randrange(10**11, 10**12)}",
        "request": lambda: f"req-{chance.getrandbits(48):012x}",
        "hex": lambda: f"{chance.getrandbits(64):016x}",
        "sku": lambda: f"{chance.choice('ABCDEFGH')}{chance.randrange(10**7, 10**8)}",
        "version": lambda: (
            f"{chance.randrange(100)}.{chance.randrange(100)}.{chance.randrange(10**5)}"
        ),
    }
    shares = {}
    for name, make in made.items():
        lines = [f"job {make()} finished" for _ in range(2_000)]
        shares[name] = sum(any(f.type == TYPE for f in format_findings(x)) for x in lines) / 2_000
    assert {name: share for name, share in shares.items() if share > 0.01} == {}


@given(st.text(alphabet="0123456789ABCXZ abc-./()=:", min_size=1, max_size=40))
def test_naming_covers_whatever_was_covered_before(text: str) -> None:
    def covered(found: list) -> set[int]:
        return {i for f in found if f.replacement is None for i in range(f.start, f.end)}

    real = shape_formats.typed
    try:
        shape_formats.typed = lambda _, found: found  # type: ignore[assignment]
        before = covered(format_findings(text))
    finally:
        shape_formats.typed = real
    assert before <= covered(format_findings(text))


WORDS = """ssn|S.S.N.|Social Security|ITIN|National Insurance|NINO|NI number|NHS|Steuer-ID|SteuerID|Steuer ID
Steueridentifikationsnummer|Steuernummer|IdNr|Sozialversicherungsnummer|Rentenversicherungsnummer
Versicherungsnummer|RVNR|SVNR|Personalausweis|Personalausweisnummer|Ausweisnummer|Reisepass|Reisepassnummer|DNI
NIE|NIF|Documento Nacional|NIR|INSEE|numéro de sécu|numéro de sécurité sociale|sécurité sociale|sécu
carte d'identité|carte vitale|codice fiscale|cod. fiscale|BSN|burgerservicenummer|personnummer|personnr
samordningsnummer|PESEL|CPF|RG|contribuinte|cartão de cidadão|Aadhaar|Aadhar|PAN card|HETU|henkilötunnus|CPR
CPR-nummer|fødselsnummer|fodselsnummer|AHV|AHV-Nr|AVS|rijksregister|rijksregisternummer|numéro national|PPSN
PPS number|social insurance|SIN number|TFN|tax file number|Medicare|CURP|RUT|NRIC|FIN number|HKID|Hong Kong ID
T.C. kimlik no|TC kimlik|RRN|resident registration|My Number|rodné číslo|CNP|SA ID|ID card|identity card
identity number|national id|national identity number|ID number|tax id|tax number|TIN|passport|passeport|pasaporte
passaporte""".replace("\n", "|").split("|")


@pytest.mark.parametrize("word", WORDS)
def test_every_word_for_an_id_is_one(word: str) -> None:
    for said in (word, word.lower(), word.upper()):
        text = f"the {said}: K1234567X was seen"
        assert [f.type for f in format_findings(text)] == [TYPE], said
