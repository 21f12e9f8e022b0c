"""A partition that was moved, cut off or altered is refused by name; an honest one is read once."""

import shutil
from pathlib import Path
from unittest.mock import patch

import pytest

from ingestion.lake import binding
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from privacy.keys.key_store import KeyProblem, KeyStore
from tests.ingestion.lake.test_lake import rows, send
from tests.ingestion.receivers.test_receivers import NOW_NS

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def partitions(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> list[Path]:
    """Two hours of one day, one file each."""
    start = NOW_NS - NOW_NS % (24 * HOUR_NS)
    send(pipeline, number=1, at_ns=start + HOUR_NS)
    send(pipeline, number=2, at_ns=start + 2 * HOUR_NS)
    lake.drain(settings, keys)
    return [settings.lake_path / f.path for f in Catalog(settings.lake_path).files("spans")]


def _move(first: Path, second: Path) -> None:
    shutil.copy2(first, second)


def _flip(first: Path, second: Path) -> None:
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 1
    second.write_bytes(content)


def _cut(first: Path, second: Path) -> None:
    second.write_bytes(second.read_bytes()[:-9])


def _remove(first: Path, second: Path) -> None:
    second.unlink()


@pytest.mark.parametrize("harm", [_move, _flip, _cut, _remove])
def test_a_harmed_partition_is_refused_by_name_with_the_fix(
    settings: Settings, keys: KeyStore, partitions: list[Path], harm
) -> None:
    assert len(rows(settings, keys, "spans")) == 2
    harm(*partitions)
    with pytest.raises(KeyProblem, match="Restore it from a backup") as caught:
        rows(settings, keys, "spans")
    assert str(partitions[1]) in str(caught.value)
    assert str(partitions[0]) not in str(caught.value)


def test_the_drain_does_not_compare_with_a_harmed_partition(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, partitions: list[Path]
) -> None:
    _flip(*partitions)
    send(pipeline, number=3, at_ns=NOW_NS - NOW_NS % (24 * HOUR_NS) + 2 * HOUR_NS)
    with pytest.raises(KeyProblem, match=str(partitions[1])):
        lake.drain(settings, keys)


def test_an_unchanged_file_is_hashed_once_per_process(
    settings: Settings, keys: KeyStore, partitions: list[Path]
) -> None:
    rows(settings, keys, "spans")
    with patch.object(binding, "digest_of", side_effect=AssertionError("hashed again")):
        assert len(rows(settings, keys, "spans")) == 2


def test_the_digest_cannot_be_made_without_the_key(
    settings: Settings, keys: KeyStore, partitions: list[Path], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    KeyStore.open(other, create=True)
    relative = str(partitions[0].relative_to(settings.lake_path))
    assert binding.digest_of(settings.home, partitions[0], relative) != binding.digest_of(
        other, partitions[0], relative
    )


def test_reading_an_expired_day_makes_no_new_key(
    settings: Settings, keys: KeyStore, partitions: list[Path]
) -> None:
    (day,) = keys.days("lake.spans")
    keys.destroy("lake.spans", day)
    with pytest.raises(KeyProblem, match="expired"):
        rows(settings, keys, "spans")
    assert keys.days("lake.spans") == []
