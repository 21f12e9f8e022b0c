"""The first pass after a start, which does not wait for the schedule.

Here: when it begins. Not here: launching it (`serve`). A home without published marts gets them
within seconds, and one more pass right after the first for what arrived meanwhile. Where marts are
younger than the interval of the schedule, the schedule is early enough.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dagster_project.passes.news import has_news
from ingestion.processes.passes import marts_age
from ingestion.settings import Settings

_WAIT_S = 8.0


class FirstPass:
    """Asked now and then; launches what is due and is done at last."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float],
        launch: Callable[[str], None],
        news: Callable[[Settings], str | None] = has_news,
    ) -> None:
        self._settings, self._clock, self._launch, self._news = settings, clock, launch, news
        self._started_at = clock()
        age = marts_age(settings, datetime.now(UTC))
        self._was_published = age is not None
        self._launched = 0
        interval = timedelta(minutes=settings.warehouse.build_every_minutes)
        self.is_done = age is not None and age < interval

    def look(self, *, is_idle: bool) -> None:
        """Launch a pass when something is new, or when nothing was ever published."""
        if self.is_done or not is_idle:
            return
        news = self._news(self._settings)
        if news:
            self._begin(news)
        elif self._clock() - self._started_at >= _WAIT_S:
            if self._was_published or self._launched:
                self.is_done = True
            else:
                self._begin("nothing was published yet")

    def _begin(self, news: str) -> None:
        self._launch(news)
        self._launched += 1
        self.is_done = self._was_published or self._launched == 2
