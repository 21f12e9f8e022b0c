"""The forms in which a text can lie in bytes: as it is, UTF-16, base64, hex, percent, compressed.

Here: turning raw bytes into the plain bytes a detector can read, within bounds. Not here: what is
looked for (`leak_scan`) and where bytes come from (`dagster_project/leaks/home_scan`).
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import zstandard

MAX_DEPTH = 2
_MAX_INFLATED = 64 * 1024 * 1024
_MAX_STREAMS = 20_000
_RUN = re.compile(rb"[\x09-\x0d\x20-\x7e]{6,}")
_UTF16_LE = re.compile(rb"(?:[\x09\x20-\x7e]\x00){6,}")
_UTF16_BE = re.compile(rb"(?:\x00[\x09\x20-\x7e]){6,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-f]{2}){6,}|(?:[0-9A-F]{2}){6,}")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(rb"\\u00([0-9a-fA-F]{2})")
_MAGIC = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|\x78[\x01\x5e\x9c\xda]")
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\n\r"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def views(data: bytes, depth: int = MAX_DEPTH) -> Iterator[bytes]:
    """The data itself, then every readable form found inside it, forms in forms included."""
    yield data
    if depth == 0:
        return
    for found in _decoded(data):
        yield from views(found, depth - 1)


def readable(data: bytes) -> bytes:
    """The runs of ASCII text in the data, one a line: sealed bytes have next to none."""
    if data.isascii() and b"\x00" not in data:
        return data
    return b"\n".join(_RUN.findall(data))


def _decoded(data: bytes) -> Iterator[bytes]:
    """The regions of each encoding, joined by newlines so that no match spans two of them."""
    text = readable(data)
    for regions in (_utf16(data), _base64(text), _hex(text), _percent(text), _escapes(text)):
        joined = b"\n".join(regions)
        if joined:
            yield joined
    yield from _inflated(data)


def _utf16(data: bytes) -> Iterator[bytes]:
    if b"\x00" not in data:
        return
    for region in _UTF16_LE.finditer(data):
        yield region.group()[::2]
    for region in _UTF16_BE.finditer(data):
        yield region.group()[1::2]


def _base64(data: bytes) -> Iterator[bytes]:
    for region in _BASE64.finditer(data):
        run = region.group().rstrip(b"=").translate(_URL_SAFE)
        # Inside a longer run a text may begin at any of the four places of a group.
        for start in range(4):
            part = run[start:]
            part = part[: len(part) - (len(part) % 4 == 1)]
            try:
                plain = base64.b64decode(part + b"=" * (-len(part) % 4))
            except binascii.Error:
                continue
            yield from _plausible(plain)


def _hex(data: bytes) -> Iterator[bytes]:
    for region in _HEX.finditer(data):
        yield from _plausible(bytes.fromhex(region.group().decode()))


def _plausible(plain: bytes) -> Iterator[bytes]:
    """The bytes when they can be a text in ASCII or UTF-16, or a compressed stream."""
    odd = len(plain.translate(None, _TEXT))
    if odd * 4 <= len(plain) or plain.count(0) * 3 >= len(plain) or _MAGIC.match(plain):
        yield plain


def _percent(data: bytes) -> Iterator[bytes]:
    if _PERCENT.search(data):
        for line in data.splitlines():
            if _PERCENT.search(line):
                yield unquote_to_bytes(line.replace(b"+", b" "))


def _escapes(data: bytes) -> Iterator[bytes]:
    r"""JSON's `\u0040`."""
    if _ESCAPE.search(data):
        for line in data.splitlines():
            if _ESCAPE.search(line):
                yield _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), line)


def _inflated(data: bytes) -> Iterator[bytes]:
    for number, magic in enumerate(_MAGIC.finditer(data)):
        if number >= _MAX_STREAMS:
            return
        is_zstd = magic.group()[0] == 0x28
        inflater = (
            zstandard.ZstdDecompressor().decompressobj() if is_zstd else zlib.decompressobj(47)
        )
        plain = _plain_of(memoryview(data)[magic.start() :], inflater)
        if plain:
            yield plain


def _plain_of(stream: memoryview, inflater: Any) -> bytes:
    plain = bytearray()
    try:
        # A piece at a time, so that a broken stream still gives what came before the break.
        for start in range(0, len(stream), 65_536):
            plain += inflater.decompress(stream[start : start + 65_536])
            if inflater.eof or len(plain) > _MAX_INFLATED:
                break
    except (zlib.error, zstandard.ZstdError):
        return bytes(plain)
    return bytes(plain)
