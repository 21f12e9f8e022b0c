"""The first pass begins by itself: when something is new, or when nothing was ever published."""

import os
import time

from dagster_project.process.first_pass import FirstPass


class Beginning:
    """A start whose clock and news are set by the test."""

    def __init__(self, settings, *, news: str | None = None) -> None:
        self.now, self.news, self.launched = 0.0, news, []
        self.first = FirstPass(
            settings, lambda: self.now, self.launched.append, lambda _: self.news
        )

    def at(self, seconds: float, *, is_idle: bool = True) -> list[str]:
        self.now = seconds
        self.first.look(is_idle=is_idle)
        return self.launched


def _publish(settings, *, minutes_ago: float = 60) -> None:
    path = settings.published_path("operations")
    path.parent.mkdir(parents=True)
    path.touch()
    then = time.time() - 60 * minutes_ago
    os.utime(path, (then, then))


def test_news_are_taken_at_once(settings) -> None:
    assert Beginning(settings, news="3 batches").at(0) == ["3 batches"]


def test_without_news_a_new_home_publishes_within_ten_seconds(settings) -> None:
    start = Beginning(settings)
    assert start.at(1) == []
    assert start.at(9) == ["nothing was published yet"]


def test_what_arrives_during_a_homes_first_pass_gets_one_more(settings) -> None:
    start = Beginning(settings, news="the first host sample")
    start.at(0)
    start.news = "the replayed capture"
    assert len(start.at(1, is_idle=False)) == 1
    assert start.at(60) == ["the first host sample", "the replayed capture"]
    assert start.first.is_done
    assert len(start.at(61)) == 2


def test_a_home_that_is_published_and_has_no_news_is_left_to_the_schedule(settings) -> None:
    _publish(settings)
    start = Beginning(settings)
    start.at(9)
    start.news = "a batch"
    assert start.at(10) == []
    assert start.first.is_done


def test_a_published_home_gets_one_pass_for_its_news(settings) -> None:
    _publish(settings)
    start = Beginning(settings, news="a night of batches")
    start.at(0)
    assert start.at(5) == ["a night of batches"]


def test_marts_younger_than_the_schedules_interval_are_left_to_the_schedule(settings) -> None:
    _publish(settings, minutes_ago=1)
    start = Beginning(settings, news="a batch")
    assert start.at(0) == []
    assert start.first.is_done
