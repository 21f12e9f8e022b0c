"""An independent eye: finds personal data in bytes, knowing nothing of how the gate works.

Here: what a leak looks like (own patterns, own checksums, own names, texts given by the caller)
and counting it in bytes of any form. Not here: the gate's detectors (`skeleton`, `detect`), which
must not check themselves, and where bytes come from (`dagster_project/leaks/home_scan`). A finding is a
kind and a count, never the text.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from privacy.leaks import leak_checks
from privacy.leaks.views import readable, views

LISTED = "listed_text"
_MIN_LITERAL = 4


@dataclass(frozen=True)
class Kind:
    """One kind of leak: a pattern over bytes, and a check that a match must pass."""

    name: str
    pattern: re.Pattern[bytes]
    is_real: Callable[[bytes], bool] = lambda _: True


def _kind(
    name: str, pattern: bytes, is_real: Callable[[bytes], bool] = lambda _: True, flags: int = 0
) -> Kind:
    return Kind(name, re.compile(pattern, flags), is_real)


_NAMES = frozenset(
    name.encode()
    for name in Path(__file__).with_name("leak_names.txt").read_text(encoding="utf-8").split()
)
_TLD = rb"(?:[a-z]{3,18}|[A-Z]{3,18}|[a-z]{2}|[A-Z]{2})"
_DOMAIN = rb"(?:[A-Za-z0-9-]{1,63}\.)+" + _TLD
KINDS: tuple[Kind, ...] = (
    _kind(
        "email",
        rb"[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@" + _DOMAIN + rb"(?![A-Za-z0-9])",
        leak_checks.is_mail_domain,
    ),
    _kind(
        "obfuscated_email",
        rb"[\w.+-]{2,64} ?(?:\(at\)|\[at\]|\{at\}|<at>| at ) ?[\w-]{2,}"
        rb" ?(?:\(dot\)|\[dot\]|\{dot\}|<dot>| dot ) ?[a-z]{2,18}\b",
        flags=re.IGNORECASE,
    ),
    _kind(
        "phone",
        rb"(?<![\w+.])(?:\+|00)[1-9]\d{0,2}[ ()./-]{0,2}(?:\d[ ()./-]{0,2}){6,12}\d(?!\w)",
        leak_checks.is_phone,
    ),
    _kind(
        "phone", rb"(?<![\w.+/-])(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}(?![\w.-])"
    ),
    _kind(
        "phone",
        rb"(?<![\w.+/-])\(?0[1-9]\d{1,4}\)?[ /-]\d{3,4}[ -]?\d{3,5}(?![\w.-])",
        leak_checks.is_phone,
    ),
    _kind("phone", rb"(?<![\w.+/-])07\d{9}(?![\w.-])"),
    _kind("card", rb"(?<![\w.-])[3-6](?:[ -]?\d){12,18}(?![\w.-])", leak_checks.is_card),
    _kind(
        "iban",
        rb"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])",
        leak_checks.is_iban,
    ),
    _kind("national_id", rb"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"),
    _kind(
        "national_id",
        rb"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)"
        rb"[A-CEGHJ-PR-TW-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)",
    ),
    _kind(
        "national_id",
        rb"(?<!\w)[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?\d[\dAB]"
        rb"(?: ?\d{3}){2} ?\d\d(?!\w)",
        leak_checks.is_french_id,
    ),
    _kind("national_id", rb"(?<!\w)[XYZ\d]\d{7}-?[A-Z](?!\w)", leak_checks.is_spanish_id),
    _kind("jwt", rb"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?", leak_checks.is_jwt),
    _kind(
        "api_key",
        rb"(?<![A-Za-z0-9])(?:[spr]k[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{16,}"
        rb"|gh[opusr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}"
        rb"|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{30,}|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,})",
        leak_checks.is_random,
    ),
    _kind("private_key", rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
    _kind(
        "bearer", rb"(?:bearer|basic)(?: |%20)[\w.~+/=-]{12,}", leak_checks.is_random, re.IGNORECASE
    ),
    _kind(
        "credential",
        rb"(?:passw(?:or)?d|passphrase|pwd|secret|api[-_]?key|access[-_]?token)[\"']?[ ]?[:=][ ]?[\"']?"
        rb"[^\s\"'<>{}()\[\],;&*$\x00-\x1f\x7f-\xff]{6,}",
        leak_checks.is_given_secret,
        re.IGNORECASE,
    ),
    _kind(
        "home_directory",
        rb"(?:(?<![\w.-])/home/|(?<![\w.-])/Users/|[A-Za-z]:\\{1,2}Users\\{1,2})[A-Za-z][\w.@-]{1,40}",
    ),
    _kind(
        "ip", rb"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)", leak_checks.is_public_address
    ),
    _kind(
        "ip",
        rb"(?<![\w:.])[23][0-9a-fA-F]{3}:[0-9a-fA-F:]{2,34}(?![\w:.])",
        leak_checks.is_public_address,
    ),
    _kind(
        "mac",
        rb"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])",
        leak_checks.is_device,
    ),
    _kind(
        "uuid",
        rb"(?<![\w-])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}(?![\w-])",
    ),
    _kind("name", rb"(?<![\w<@/.-])[A-Z][a-z]{3,13}(?![\w=(:.@/-])", _NAMES.__contains__),
)
"""The kinds in the order of `KINDS`."""


class LeakDetector:
    """Counts leaks by kind; `listed` are further texts that must not be found, in any case."""

    def __init__(self, listed: Iterable[str] = (), *, own_roots: Iterable[Path] = ()) -> None:
        self._listed = _Listed(listed)
        # The installation's own folders may lie in somebody's home: they were never telemetry.
        self._own = re.compile(b"|".join(re.escape(str(root).encode()) for root in own_roots))

    def find(self, data: bytes, *, without: frozenset[str] = frozenset()) -> Counter[str]:
        """Findings by kind in the data and in everything encoded in it."""
        found: Counter[str] = Counter()
        for view in views(data):
            found += self._in_plain(view, without)
        return found

    def find_texts(
        self, texts: Iterable[str], *, without: frozenset[str] = frozenset()
    ) -> Counter[str]:
        """Findings by kind in many texts; no match spans two of them."""
        joined = "\n".join(text.replace("\n", "\x0b") for text in texts)
        return self.find(joined.encode(errors="surrogatepass"), without=without)

    def _in_plain(self, data: bytes, without: frozenset[str]) -> Counter[str]:
        found: Counter[str] = Counter()
        text = readable(data)
        cleaned = self._own.sub(b"", text) if self._own.pattern else text
        for kind in KINDS:
            if kind.name in without:
                continue
            number = sum(kind.is_real(m.group()) for m in kind.pattern.finditer(cleaned))
            if number:
                found[kind.name] += number
        listed = self._listed.count(data)
        if listed:
            found[LISTED] += listed
        return found


class _Listed:
    """Exact texts, ASCII case ignored, found with one pass however many there are."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_start: dict[int, list[bytes]] = {}
        for text in {t.strip() for t in texts if t.strip()}:
            wanted = text.encode().lower()
            if len(wanted) < _MIN_LITERAL:
                raise ValueError(f"a listed text has fewer than {_MIN_LITERAL} bytes")
            self._by_start.setdefault(int.from_bytes(wanted[:4], "little"), []).append(wanted)
        self._starts = np.array(sorted(self._by_start), dtype=np.uint32)
        self._is_start = np.zeros(65_536, dtype=bool)
        self._is_start[_mixed(self._starts)] = True

    def count(self, data: bytes) -> int:
        """How often any of the texts occurs."""
        if not len(self._starts) or len(data) < _MIN_LITERAL:
            return 0
        lowered = data.lower()
        places = np.frombuffer(lowered, dtype=np.uint8).astype(np.uint32)
        keys = places[:-3] | places[1:-2] << 8 | places[2:-1] << 16 | places[3:] << 24
        likely = np.flatnonzero(self._is_start[_mixed(keys)])
        likely = likely[np.isin(keys[likely], self._starts)]
        return sum(
            lowered.startswith(wanted, at)
            for at in likely.tolist()
            for wanted in self._by_start[int(keys[at])]
        )


def _mixed(keys: np.ndarray) -> np.ndarray:
    return (keys * np.uint32(2_654_435_761)) >> np.uint32(16)
