"""Identifiers with a format, of many countries and services, in messages and in logs."""

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.detection.cues import skeletonise
from privacy.detection.redact import redact

NATIONAL = {
    "US SSN": "078-05-1120", "US SSN blanks": "078 05 1120", "US ITIN": "912-70-1234", "US EIN": "12-3456789",
    "UK NHS": "943 476 5919", "UK NINO": "QQ 12 34 56 C", "UK NINO joined": "AB123456D",
    "UK licence": "MORGA657054SM9IJ", "DE tax": "86095742719", "DE tax blanks": "86 095 742 719",
    "DE social": "65 170839 J 003", "DE id card": "T220001293", "ES DNI": "12345678Z", "ES DNI dash": "12345678-Z",
    "ES NIE": "X1234567L", "ES NIE dashes": "X-1234567-L", "FR INSEE": "1 84 12 76 451 089 46", "FR INSEE joined": "184127645108946",
    "PT NIF": "123 456 789", "IT codice fiscale": "RSSMRA85T10A562S", "NL BSN": "111222333", "BE": "85.07.30-033.28",
    "BR CPF": "529.982.247-25", "BR CNPJ": "11.222.333/0001-81", "PL PESEL": "44051401359", "IN Aadhaar": "2345 6789 0124",
    "IN PAN": "ABCDE1234F", "SE": "811218-9876", "SE plus": "121212+1212", "DK": "010180-1234", "NO": "01017000027",
    "FI": "131052-308T", "IE": "1234567TW", "CH": "756.9217.0769.85", "AT": "1237 010180", "CA SIN": "046 454 286",
    "AU TFN": "123 456 782", "AU Medicare": "2123 45670 1", "ZA": "8001015009087", "MX CURP": "HEGG560427MVZRRL04",
    "KR": "900101-1234568", "CN": "11010519491231002X", "SG": "S1234567D", "HK": "A123456(3)", "CL RUT": "12.345.678-5",
    "passport": "L01X00T47", "TR": "10000000146", "IL": "123456782", "UK passport": "925665416",
}  # fmt: skip
SECRETS = {
    "OpenAI": "sk-proj-4eC39HqLyjWDarjtT1zdp7dcXq", "OpenAI old": "sk-abcdefghijklmnopqrstuvwx", "Anthropic": "sk-ant-api03-Zk3x9Qq1aaBBccDDee",
    "AWS": "AKIAIOSFODNN7EXAMPLE", "AWS temporary": "ASIAIOSFODNN7EXAMPLE", "GitHub": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "GitHub fine": "github_pat_11AAAAAAA0aBcDeFgHiJ_kLmNoPqRsT", "GitLab": "glpat-20charsAbCdEf1234", "Slack": "xoxb-1234567890-abcdefGHIJKL",
    "Google": "AIzaSyA1234567890abcdefghijklmnopqrstu", "Google OAuth": "ya29.a0AfH6SMBx1234567", "Stripe": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "Stripe restricted": "rk_live_51H8abcDEF123456", "SendGrid": "SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc1s5cr",
    "Twilio": "SK0123456789abcdef0123456789abcdef", "npm": "npm_abcdefghij1234567890ABCDEFGHIJ123456", "PyPI": "pypi-AgEIcHlwaS5vcmcCJDU3N2Y3",
    "Hugging Face": "hf_abcdefghijklmnopqrstuvwxyz12", "Shopify": "shpat_0123456789abcdef0123456789abcdef", "DigitalOcean": "dop_v1_0123456789abcdef",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "Telegram": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "Discord": "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz1234", "Mailgun": "key-3ax6xnjp29jd6fds4gc373sgvjxteol0",
    "random hex": "a8f5f167f44f4964e6c998dee827110c", "AWS secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}  # fmt: skip
CONTACTS = {
    "plain": "jane.doe@example.com", "plus": "jane+tta@mail.example.co.uk", "dots": "jane dot doe at mail dot com", "brackets": "jane[at]example[dot]com",
    "parentheses": "jane (at) example (dot) org", "capitals": "JANE AT EXAMPLE DOT COM", "half": "jane@example dot com",
    "half at": "jane.doe at example.com", "unicode": "jörg@exämple.de", "wide at": "jane\uff20example.com",
    "UK": "07700 900461", "UK brackets": "(0161) 496 0123", "UK country": "+44 (0)20 7946 0958", "US": "(415) 555-0132", "US dots": "415.555.0132",
    "US country": "+1 415 555 0132", "US extension": "415-555-0132 x12", "DE": "+49 (0)151 23456789", "DE slash": "0151/23456789", "FR": "06 12 34 56 78",
    "FR dots": "06.12.34.56.78", "ES": "+34 612 345 678", "PT": "912 345 678", "IN": "+91 98765 43210", "spaced": "0 7 7 0 0 9 0 0 4 6 1",
    "IPv4": "203.0.113.9", "IPv4 port": "203.0.113.9:8443", "IPv6": "2001:db8::8a2e:370:7334", "IPv6 zone": "fe80::1ff:fe23:4567:890a%eth0",
    "MAC": "00:1b:63:84:45:e6", "MAC dashes": "00-1B-63-84-45-E6", "MAC Cisco": "001b.6384.45e6", "MAC letters": "aa:bb:cc:dd:ee:ff",
    "card": "4111 1111 1111 1111", "card dashes": "5500-0000-0000-0004", "Amex": "3782 822463 10005", "IBAN": "DE89 3704 0044 0532 0130 00",
    "IBAN joined": "GB29NWBK60161331926819", "IBAN lower": "de89 3704 0044 0532 0130 00", "UUID": "6b7f0c9a-0d3f-4a6e-9a8e-51c2f1b0a7d4",
    "ULID": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "object id": "507f1f77bcf86cd799439011",
}  # fmt: skip
ALL = {**NATIONAL, **SECRETS, **CONTACTS}


def _uncovered(text: str, value: str, kind: str) -> str:
    start = text.index(value)
    covered = {i for s in redact(text, kind).spans for i in range(s.start, s.end)}
    places = range(start, start + len(value))
    return "".join(text[i] for i in places if text[i].isalnum() and i not in covered)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "template", ["value {} was rejected", "number={}, retrying", "({}) not found"]
)
def test_an_identifier_is_covered_whole_in_a_log(name: str, template: str) -> None:
    assert _uncovered(template.format(ALL[name]), ALL[name], "log") == ""


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("template", ["my number is {} ok", "it was {}.", "{} please keep it safe"])
def test_an_identifier_is_covered_whole_in_a_message(name: str, template: str) -> None:
    assert _uncovered(template.format(ALL[name]), ALL[name], "chat") == ""


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"),
        ('"password": "Sunny#Meadow42"', "Sunny#Meadow42"),
        ("access_token=9f8a7b6c5d4e", "9f8a7b6c5d4e"),
        ("client_secret: qwertyuiop", "qwertyuiop"),
        ("X-Api-Key: 12ab34cd", "12ab34cd"),
        ("postgres://svc:s3cr3tpw@db:5432/app", "s3cr3tpw"),
        ("https://cdn.example.org/a?sig=Zk3x9&x=1", "Zk3x9"),
        ("GET /v1/play?token=abc&player=wren", "wren"),
        ("Set-Cookie: sid=s%3AZk3x9Qq1; Path=/", "Zk3x9Qq1"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nABC\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("/home/jane/letters/mary.txt", "jane"),
        ("C:\\Users\\Jane Doe\\diary.txt", "Jane Doe"),
        ("file:///Users/jane/diary.txt", "jane"),
        ("~jane/notes", "jane"),
    ],
)
@pytest.mark.parametrize("kind", ["log", "chat"])
def test_a_secret_is_covered_by_what_stands_around_it(text: str, secret: str, kind: str) -> None:
    assert secret not in redact(text, kind).text


@given(st.text(alphabet=string.digits, min_size=9, max_size=16), st.sampled_from(" -."))
@settings(max_examples=150, deadline=None)
def test_no_run_of_nine_digits_survives_however_it_is_cut(digits: str, separator: str) -> None:
    chance = random.Random(digits)
    cut = "".join(d + (separator if chance.random() < 0.4 else "") for d in digits).strip(separator)
    for kind in ("log", "chat"):
        assert _uncovered(f"call {cut} now", cut, kind) == ""


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/v1/worlds/enchanted_forest/scenes HTTP/1.1",
        "model=gpt-4o-mini region=eu-west-1 python3.12 utf-8 sha256",
        "loaded ResolvedIPv4Address from neo4j pool_1",
        "password is required",
        "token expired",
        "status=503 attempt_2 phase-3",
    ],
)
def test_constants_that_hold_digits_or_cues_stay(line: str) -> None:
    assert redact(line, "log").text == line


@given(st.sampled_from(list(ALL.values())), st.sampled_from(list(ALL.values())))
@settings(max_examples=100, deadline=None)
def test_a_skeleton_is_its_own_skeleton(first: str, second: str) -> None:
    once = skeletonise(f"user {first} sent {second} to /a/{first}")
    assert skeletonise(once) == once
