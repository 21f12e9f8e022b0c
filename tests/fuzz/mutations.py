"""How a sound input is spoilt: bytes, lines, words and numbers of any text or protobuf body.

Here: changes that know no format. Not here: what is hostile within a format (`otlp`, `expositions`, …).
"""

import re
from random import Random

ODD_WORDS = (
    "", " ", "\0", "\u2028", "\ufeff", "\u202e", "é" * 40, "🦆", "a" * 4_000, "null", "None", "NaN", "-0", "{{ x }}",
    "../../etc/passwd", "'; DROP TABLE spans;--", "<script>", "%s%n", "\\", '"', "unknown", "other", "$value", "0x1F",
    "1e309", "9" * 40, "Mrs. Ada Lovelace", "ada@example.org", "+44 7700 900461", "\x1b[31m", "\x85", "a\nb\rc",
)  # fmt: skip
ODD_NUMBERS = (
    "0", "-1", "-0.0", "NaN", "+Inf", "-Inf", "1e308", "1e-320", "9223372036854775807", "-9223372036854775808",
    "18446744073709551615", "18446744073709551616", "1e400", "253402300799", "99999999999999999999", "0x10",
    "1_000", "١٢", "1.", ".5", "2147483648",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_WORD = re.compile(rb"[A-Za-z_]{3,}")


def spoilt(chance: Random, data: bytes, others: list[bytes]) -> bytes:
    """The data after one to three changes; `others` are what it may be spliced with."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(_WAYS)(chance, data, others)
    return data


def _flipped(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 12)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _truncated(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    return data[: chance.randrange(len(data))] if data else data


def _spliced(chance: Random, data: bytes, others: list[bytes]) -> bytes:
    other = chance.choice(others) if others else data
    at, start = chance.randrange(len(data) + 1), chance.randrange(len(other) + 1)
    return data[:at] + other[start:] + (data[at:] if chance.random() < 0.5 else b"")


def _doubled(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    """A stretch that comes twice: keys, ids, lines."""
    start = chance.randrange(len(data) + 1)
    end = min(start + chance.randrange(1, 200), len(data))
    return data[:end] + data[start:end] + data[end:]


def _removed(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + chance.randrange(1, 40) :]


def _inserted(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    odd = chance.choice(
        (
            b"\0",
            b"\xff\xfe",
            b"\xff" * 9 + b"\x01",
            b"\x0a" + b"\xff" * 9 + b"\x7f",
            b"\xed\xa0\x80",
            b"\\ud83d",
            b"\r",
            b"\r\n",
            b"\n\n",
            b'"',
            b"{",
            b"}",
            b"[",
            b"\\",
        )
    )
    return data[:at] + odd * chance.choice((1, 1, 3)) + data[at:]


def _other_number(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    return _replaced(chance, data, _NUMBER, chance.choice(ODD_NUMBERS).encode())


def _other_word(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    return _replaced(chance, data, _WORD, chance.choice(ODD_WORDS).encode("utf-8", "surrogatepass"))


def _swapped_words(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    words = [found.group() for found in _WORD.finditer(data)]
    return _replaced(chance, data, _WORD, chance.choice(words)) if words else data


def _shuffled_lines(chance: Random, data: bytes, _others: list[bytes]) -> bytes:
    lines = data.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _replaced(chance: Random, data: bytes, what: re.Pattern[bytes], by: bytes) -> bytes:
    found = list(what.finditer(data))
    if not found:
        return data
    chosen = chance.choice(found)
    return data[: chosen.start()] + by + data[chosen.end() :]


_WAYS = (
    _flipped, _truncated, _spliced, _doubled, _removed, _inserted, _other_number, _other_word, _swapped_words,
    _shuffled_lines,
)  # fmt: skip
