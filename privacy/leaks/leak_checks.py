"""Checks that a match of the leak scan must pass: checksums, lengths, ranges.

Here: small predicates over the matched bytes, written for the scan alone (the gate has its own).
Not here: patterns (`leak_scan`). Sources: ISO/IEC 7812 (cards), ISO 13616 (IBAN), RFC 7519 (JWT),
RFC 5737 and 3849 (documentation addresses), INSEE and Spain's interior ministry (national ids).
"""

import base64
import binascii
import ipaddress
import re

_COUNTRIES = frozenset(
    """ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs
    bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg
    er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr
    ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk
    lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf
    ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc
    sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv
    tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw""".split()
)
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24,
    "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21,
    "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SA": 24,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
_NO_SECRET = re.compile(
    rb"(?:none|null|true|false|undefined|redacted|required|optional|xxx+|\?+|\.+|-+"
    rb"|str|string|bytes|self\..*|os\..*|[a-z]+(?:[._][a-z]+)+)\Z",
    re.IGNORECASE,
)
# Addresses in licences, package metadata and examples of the software itself.
_SOFTWARE_DOMAINS = (b"dagsterlabs.com", b"dbtlabs.com", b"elementl.com", b"getdbt.com")


_SHORT_MAIL = 10
_PLAIN_MAIL = re.compile(rb"[a-z]+@[a-z]+\.[a-z]+\Z")
# `…+00:00` of a time, or a row's header, beside the day that a sealed record begins with, and a few digits
# with which its random bytes happen to go on: no number of Egypt (+20) has so few, and +19 is nobody's.
_DATE = re.compile(
    rb"(?:(?:\+|00)\d{0,2})?(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    rb"(?:[ ()./-]{0,2}\d){0,3}\Z"
)


def is_mail_domain(found: bytes) -> bool:
    """A domain with a top level that exists or is reserved, and not of the software's makers."""
    if len(found) < _SHORT_MAIL and not _PLAIN_MAIL.match(found):
        return False  # sealed bytes look like this every few megabytes
    domain = found.rpartition(b"@")[2].lower()
    first, _, top = domain.rpartition(b".")
    is_top = len(top) > 2 or top.decode() in _COUNTRIES
    return is_top and len(first) >= 2 and not domain.endswith(_SOFTWARE_DOMAINS)


def is_phone(found: bytes) -> bool:
    """Eight to fifteen digits (E.164) that are not all the same, and no date after a stray sign."""
    digits = _digits(found)
    return not _DATE.match(found) and 8 <= len(digits) <= 17 and len(set(digits)) > 2


def is_card(found: bytes) -> bool:
    """Luhn's sum and a known length; groups of four or no separator at all."""
    digits = _digits(found)
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return (sum(doubled) + sum(int(d) for d in digits[-1::-2])) % 10 == 0


def is_iban(found: bytes) -> bool:
    """The country's length and ISO 7064 mod 97."""
    plain = re.sub(rb"[ -]", b"", found).decode()
    length = _IBAN_LENGTHS.get(plain[:2])
    # A word after the number may have been taken into the match.
    if length is None or len(plain) < length:
        return False
    turned = plain[4:length] + plain[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def is_french_id(found: bytes) -> bool:
    """The two digits at the end are 97 minus the number modulo 97."""
    plain = found.replace(b" ", b"").replace(b"A", b"0").replace(b"B", b"0")
    return len(plain) == 15 and 97 - int(plain[:13]) % 97 == int(plain[13:])


def is_spanish_id(found: bytes) -> bool:
    """The letter is the number modulo 23."""
    plain = found.replace(b"-", b"").decode()
    number = int(plain[:-1].translate(str.maketrans("XYZ", "012")))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == plain[-1]


def is_jwt(found: bytes) -> bool:
    """The first part is base64 of a JSON object."""
    head = found.partition(b".")[0]
    try:
        return base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)).startswith(b'{"')
    except binascii.Error:
        return False


def is_random(found: bytes) -> bool:
    """A secret has digits or mixed case; `basic authentication` has neither."""
    tail = re.split(rb"(?i:bearer|basic)(?: |%20)|[-_]", found, maxsplit=1)[-1]
    has_digit = any(48 <= c <= 57 for c in tail)
    return has_digit or (
        tail.lower() != tail and tail.upper() != tail and tail[1:] != tail[1:].lower()
    )


def is_given_secret(found: bytes) -> bool:
    """A value, not the name of a setting, a placeholder or a word of code."""
    value = re.split(rb"[:=][ ]?[\"']?", found, maxsplit=1)[-1]
    return not _NO_SECRET.match(value)


def is_public_address(found: bytes) -> bool:
    """Not private, not loopback; documentation ranges stand for public ones."""
    try:
        address = ipaddress.ip_address(found.decode())
    except ValueError:
        return False
    return address.is_global or any(address in net for net in _DOCUMENTATION)


def is_device(found: bytes) -> bool:
    """A hardware address that is neither all equal nor a broadcast."""
    return len(set(re.split(rb"[:-]", found))) > 2


def _digits(found: bytes) -> str:
    return "".join(chr(c) for c in found if 48 <= c <= 57)
