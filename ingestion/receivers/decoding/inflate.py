"""Compressed request bodies become plain ones, never larger than their limit.

Here: the content encodings that the HTTP doors read. Not here: which of them a request names (`http`) and
what the plain body holds (`decode`, `sentry`). Source: RFC 9110 8.4.1 (gzip, x-gzip, deflate), RFC 1952
2.2 (several members are one body), RFC 8878 (zstd), RFC 7932 (br).
"""

import gzip
import io
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import zstandard

from ingestion.receivers.decoding.protobuf import BadBody

_ANY_HEADER = 47  # gzip or zlib, whichever it is
_STEP_BYTES = 1 << 20
_MAX_WINDOW_BYTES = 8 << 20  # what RFC 8878 asks a decoder to take


class UnknownEncoding(BadBody):
    """The body is compressed in a way that no door reads."""

    def __init__(self) -> None:
        super().__init__(
            "Content-Encoding is not supported; send gzip, deflate, br, zstd or none",
            reason="unsupported_content_type",
        )

    @property
    def http_status(self) -> int:
        """RFC 9110 15.5.16."""
        return 415


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The plain body; raises UnknownEncoding, and BadBody for bad data or over `limit` bytes."""
    if encoding in {"", "identity"}:
        return body
    try:
        if encoding in {"gzip", "x-gzip", "deflate"}:
            return _inflated(body, limit)
        if encoding in _READERS:
            return _read_twice(_READERS[encoding], body, limit)
    except EOFError:
        raise BadBody(f"the {encoding} data ends too early; send the whole body") from None
    except (zlib.error, zstandard.ZstdError, OSError):
        raise BadBody(f"the body is not valid {encoding} data; compress it again") from None
    raise UnknownEncoding


def _inflated(body: bytes, limit: int) -> bytes:
    """The usual body is one member within a step; others are read as streams."""
    inflater = zlib.decompressobj(_ANY_HEADER)
    plain = inflater.decompress(body, min(limit, _STEP_BYTES) + 1)
    if inflater.eof and len(plain) <= limit and not inflater.unused_data:
        return plain
    reader = _gzip_reader if body.startswith(b"\x1f\x8b") else _ZlibReader
    return _read_twice(reader, body, limit)


def _read_twice(reader: Callable[[bytes], Any], body: bytes, limit: int) -> bytes:
    """Measured first, because a buffer that grows is twice in memory at its end."""
    size = 0
    with reader(body) as stream:
        while size <= limit and (made := len(stream.read(_STEP_BYTES))):
            size += made
    if size > limit:
        raise BadBody(
            f"the decompressed body is larger than {limit} bytes; send smaller batches",
            too_large=True,
        )
    with reader(body) as stream:
        return bytes(stream.read(size))


def _gzip_reader(body: bytes) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=io.BytesIO(body))


class _ZlibReader:
    """A zlib stream as a file; raises EOFError where it ends too early."""

    def __init__(self, body: bytes) -> None:
        self._inflater, self._left = zlib.decompressobj(), body

    def __enter__(self) -> "_ZlibReader":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, size: int) -> bytes:
        """As much as there is up to `size`; empty at the end."""
        if self._inflater.eof or not size:
            return b""
        plain = self._inflater.decompress(self._left, size)
        self._left = self._inflater.unconsumed_tail
        if not self._inflater.eof and not plain and not self._left:
            raise EOFError
        return plain


class _ArrowReader:
    """A stream of Arrow's, read by buffers: its `read` keeps the bytes it was to fill when it fails."""

    def __init__(self, body: bytes, compression: str) -> None:
        self._stream = pa.CompressedInputStream(pa.BufferReader(body), compression)

    def __enter__(self) -> "_ArrowReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int) -> pa.Buffer:
        """As much as there is up to `size`; empty at the end."""
        return self._stream.read_buffer(size)


def _zstd_reader(body: bytes) -> _ArrowReader:
    # Arrow takes windows of 128 MiB; zstandard takes a frame that was cut for a whole one.
    if zstandard.get_frame_parameters(body).window_size > _MAX_WINDOW_BYTES:
        raise BadBody(f"the zstd window is larger than {_MAX_WINDOW_BYTES} bytes", too_large=True)
    return _ArrowReader(body, "zstd")


def _brotli_reader(body: bytes) -> _ArrowReader:
    return _ArrowReader(body, "brotli")


_READERS = {"zstd": _zstd_reader, "br": _brotli_reader}
