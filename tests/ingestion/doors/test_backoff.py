"""Waiting before another attempt: longer each time, bounded, and over after the last."""

from ingestion.doors.backoff import waits


def test_waits_grow_to_a_bound_and_end_before_the_last_attempt() -> None:
    found = list(waits(8, first_s=1, longest_s=20))
    assert len(found) == 7
    for least, wait_s in zip([1, 2, 4, 8, 16, 20, 20], found, strict=True):
        assert least <= wait_s <= least + 1


def test_two_senders_do_not_wait_in_step() -> None:
    assert list(waits(4)) != list(waits(4))
