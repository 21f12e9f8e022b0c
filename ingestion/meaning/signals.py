"""What names in telemetry mean: dependencies, probes, content delivery.

Here: reading `signals.yaml` and judging one text by it. Not here: the tables of the hot window
(`evidence`, `spans`), and what a rule makes of them (`live_tail/alerts`).
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "signals.yaml"


@dataclass(frozen=True)
class Signals:
    """The content of `signals.yaml`."""

    ignored_routes: tuple[str, ...]
    probe_routes: tuple[str, ...]
    dependencies: dict[str, dict[str, list[str]]]
    not_dependencies: tuple[str, ...]
    unreachable_exceptions: tuple[str, ...]
    unreachable_texts: tuple[str, ...]
    probe_commands: tuple[str, ...]
    sporadic_components: tuple[str, ...]
    content_delivery: dict[str, list[str]]

    def is_ignored(self, route: str) -> bool:
        """Whether the route proves nothing."""
        return self._ignored.search(route.lower()) is not None

    def is_probe(self, route: str) -> bool:
        """Whether the route is a probe."""
        return self._probe.search(route.lower()) is not None

    def dependency_of(self, text: str) -> str | None:
        """The dependency that a service, system or host name means."""
        text = text.lower()
        if self._tool.search(text):
            return None
        return next((name for name, known in self._known.items() if known.search(text)), None)

    def dependency_of_exception(self, exception_type: str) -> str | None:
        """The dependency that an exception's module names."""
        text = exception_type.lower()
        found = (
            name
            for name, known in self.dependencies.items()
            if text.startswith(tuple(known["exceptions"]))
        )
        return next(found, None)

    def is_unreachable(self, exception_type: str) -> bool:
        """Whether an exception type says that something cannot be reached."""
        return self._unreachable.search(exception_type.lower()) is not None

    def dependency_unreachable(self, text: str) -> str | None:
        """The dependency that a text names first when it says that it is unreachable."""
        text = text.lower()
        if not self._unreachable_text.search(text):
            return None
        word = self._word.search(text)
        return self.dependency_of(word[1]) if word else None

    def is_content_route(self, route: str) -> bool:
        """Whether a route delivers content."""
        return self._content_route.search(route.lower()) is not None

    def is_content_name(self, name: str) -> bool:
        """Whether a span or event of this name delivers content."""
        return self._content_name.search(name.lower()) is not None

    @cached_property
    def _ignored(self) -> re.Pattern[str]:
        return _any(self.ignored_routes)

    @cached_property
    def _probe(self) -> re.Pattern[str]:
        return _any(self.probe_routes)

    @cached_property
    def _tool(self) -> re.Pattern[str]:
        return re.compile(rf"(^|[-_./])({'|'.join(self.not_dependencies)})([-_./0-9]|$)")

    @cached_property
    def _known(self) -> dict[str, re.Pattern[str]]:
        return {
            name: re.compile(rf"(^|[-_./])({'|'.join(known['names'])})([-_.:/0-9]|$)")
            for name, known in self.dependencies.items()
        }

    @cached_property
    def _unreachable(self) -> re.Pattern[str]:
        return _any(self.unreachable_exceptions)

    @cached_property
    def _unreachable_text(self) -> re.Pattern[str]:
        return _any(self.unreachable_texts)

    @cached_property
    def _word(self) -> re.Pattern[str]:
        names = "|".join(n for known in self.dependencies.values() for n in known["names"])
        return re.compile(
            rf"(?:^|[^a-z0-9])((?:{names})(?:[-_.:/0-9][a-z0-9_.-]*)?)(?:[^a-z0-9]|$)"
        )

    @cached_property
    def _content_route(self) -> re.Pattern[str]:
        return _any(tuple(self.content_delivery["routes"]))

    @cached_property
    def _content_name(self) -> re.Pattern[str]:
        return _any(tuple(self.content_delivery["spans"]))


@cache
def load_signals(path: Path = FILE) -> Signals:
    """The shipped definitions."""
    values: dict[str, Any] = yaml.safe_load(path.read_text())
    lists: dict[str, Any] = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
    return Signals(**{**values, **lists})


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns))
