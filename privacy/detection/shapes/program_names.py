"""What programs and machines are called: names made of words that are nobody's.

Here: whether a name may stay, and what stays of one that may not, for identifiers, hosts and the
segments of a route. A part of a name stays when it is a word of software, of a language or of a
product, a number, or what machines add to names; a word that nobody knows may be somebody, and goes.
Not here: texts (`detection/`), whole paths (`paths`), which field has which treatment (`fields`).
"""

import ipaddress
import re
from functools import lru_cache

from privacy.detection.shapes.compounds import is_of_a_component
from privacy.detection.shapes.constants import is_constant
from privacy.detection.shapes.packages import published_parts
from privacy.detection.vocabulary.lexicon import (
    is_ambiguous_software,
    is_given_name,
    is_only_a_name,
    template_words,
    word_list,
)

_PART = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d{1,6}\Z")
# `8x7b`, `r1`, `H200`, `80GB`, `v20241022`: a digit, and letters that spell nothing.
_MARKED = re.compile(r"(?=\w*\d)(?:[A-Za-z]{0,2}\d{1,3}){1,2}[A-Za-z]{0,2}\Z|v\d{1,8}\Z")
# Capitals and at most five digits: `RTX4090`.
_MODEL = re.compile(r"(?=.*\d)[A-Z]{1,4}\d{1,5}[A-Z]{0,3}\Z")
# Kubernetes' suffixes have no vowels; what a word would need.
_SUFFIX = re.compile(r"(?=\w*\d)[bcdfghjklmnpqrstvwxz2456789]{5,10}\Z")
_HEX = re.compile(r"(?=[a-f]*\d)[0-9a-f]{6,16}\Z")
_PROBLEM = re.compile(
    r"(?P<what>(?:[A-Z][A-Za-z0-9]*?)??)"
    r"(?:Error|Exception|Warning|Failure|Fault|Timeout|TimedOut|Interrupt|Exit|NotFound|Expired|Refused)\Z"
)
_SUBWORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_STEM = re.compile(r"\d{1,2}\Z")
_OF_THE_SITE = [
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10",
    )
]  # fmt: skip
WORD = "<word>"


def without_unknown(name: str) -> str:
    """The name with `<word>` for each part that nobody knows."""
    kept, at = [], 0
    for start, end in unknown_parts(name):
        kept += [name[at:start], WORD]
        at = end
    return "".join([*kept, name[at:]])


def unknown_parts(name: str) -> list[tuple[int, int]]:
    """Where in a name the parts stand that nobody knows."""
    parts = list(_PART.finditer(name))
    whole = [*published_parts(name), *_identifiers(name)]
    return [
        part.span()
        for part in parts
        if not (
            _is_known(part[0], len(parts))
            or any(a <= part.start() < b for a, b in whole)
            or is_of_a_component(name, *part.span())
        )
    ]


def _identifiers(name: str) -> list[tuple[int, int]]:
    """Where `heap_inuse_bytes` or `m6i.2xlarge` stands: known as a whole, not by its parts."""
    return [m.span() for m in _IDENTIFIER.finditer(name) if is_constant(m[0])]


_IDENTIFIER = re.compile(r"[A-Za-z]\w*_\w+|\w{1,12}\.\d{0,2}[a-z]{4,6}(?![\w.])")


def is_known_name(name: str) -> bool:
    """Whether every part of a name belongs to software, to a language or to a product."""
    parts = _PART.findall(name)
    return all(_is_known(part, len(parts)) for part in parts)


def known_host(host: str) -> str:
    """A host, `address` or `address:port`, without words that nobody knows and public addresses.

    A private address is a machine of the site's; a public one may be anybody's line.
    """
    address, _, port = host.partition(":") if host.count(":") == 1 else (host, "", "")
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return host if _IPV4.search(address) is None and is_known_name(host) else _named(host)
    if _is_of_the_site(parsed):
        return host
    return f"<ip>:{port}" if port else "<ip>"


def _is_of_the_site(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    # Not `is_private`: that counts the addresses of examples in documents too.
    return any(address.version == net.version and address in net for net in _OF_THE_SITE)


def _named(host: str) -> str:
    return without_unknown(_IPV4.sub(_masked_unless_private, host))


def _masked_unless_private(match: re.Match[str]) -> str:
    try:
        return match[0] if _is_of_the_site(ipaddress.ip_address(match[0])) else WORD
    except ValueError:
        return WORD


@lru_cache(maxsize=100_000)
def _is_known(part: str, of_parts: int) -> bool:
    if part.isdigit():
        return bool(_NUMBER.match(part)) or (
            len(part) == len("20241022") and part[:2] in ("19", "20")
        )
    lower = part.lower()
    if _is_product(lower, of_parts) or lower in template_words() or is_constant(part):
        return True
    stem = _STEM.sub("", lower)
    if stem != lower and len(stem) > 2 and (_is_product(stem, of_parts) or is_constant(stem)):
        return True
    if any(shape.match(part) for shape in (_MARKED, _MODEL, _SUFFIX, _HEX)):
        return True
    return _is_class(part)


def _is_product(lower: str, of_parts: int) -> bool:
    # `claude-opus-4` is a model; `claude` alone may be somebody.
    if of_parts > 1 and is_ambiguous_software(lower):
        return True
    return lower in word_list("programs") and (of_parts > 1 or not is_given_name(lower))


def _is_class(part: str) -> bool:
    """`QdrantTimeoutError`: what a program calls its problems, and nobody's name in it."""
    problem = _PROBLEM.match(part)
    if problem is None:
        words = _SUBWORD.findall(part)
        is_camel = 1 < len(words) < 4 and not any(c.isdigit() for c in part)
        return is_camel and all(_is_product(w.lower(), 2) or is_constant(w) for w in words)
    return not any(is_only_a_name(word.lower()) for word in _SUBWORD.findall(problem["what"]))
