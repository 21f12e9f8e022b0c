"""Compressed bodies come back whole or not at all, and never larger than they may be."""

import gzip
import json
import zlib
from collections.abc import Callable

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingestion.receivers.decoding.inflate import decompress
from ingestion.receivers.decoding.protobuf import BadBody


def test_a_bomb_is_refused_and_several_members_are_one_body() -> None:
    with pytest.raises(BadBody, match="larger than 4000000"):
        decompress(gzip.compress(bytes(50_000_000)), "gzip", 4_000_000)
    with pytest.raises(BadBody, match="larger than 4000000"):
        decompress(gzip.compress(bytes(3_000_000)) * 2, "gzip", 4_000_000)
    assert decompress(gzip.compress(b"a") + gzip.compress(b"b"), "x-gzip", 4_000_000) == b"ab"
    assert decompress(gzip.compress(bytes(3_000_000)), "gzip", 4_000_000) == bytes(3_000_000)
    with pytest.raises(BadBody, match="ends too early"):
        decompress(gzip.compress(json.dumps(list(range(10**6))).encode())[:-20], "gzip", 10**8)


_PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda plain: pa.compress(plain, "brotli", asbytes=True),
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", sorted(_PACKED))
@given(st.binary(min_size=1, max_size=5_000), st.integers(1, 500), st.data())
@hypothesis_settings(deadline=None, max_examples=50)
def test_what_was_compressed_comes_back_whole_or_not_at_all(
    encoding: str, plain: bytes, times: int, data: st.DataObject
) -> None:
    body = plain * times
    packed = _PACKED[encoding](body)
    assert decompress(packed, encoding, len(body)) == body
    with pytest.raises(BadBody, match="larger than"):
        decompress(packed, encoding, len(body) - 1)
    with pytest.raises(BadBody):
        decompress(packed[: data.draw(st.integers(1, len(packed) - 1))], encoding, 10**8)


def test_a_window_that_would_take_the_memory_of_many_bodies_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    packed = packer.compress(bytes(1_000_000)) + packer.flush()
    with pytest.raises(BadBody, match="window is larger"):
        decompress(packed, "zstd", 10**8)
