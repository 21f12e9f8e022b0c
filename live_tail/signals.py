"""What names in telemetry mean, as SQL: dependencies, probes, content delivery.

Here: reading `signals.yaml` and turning it into expressions for the evidence tables (`evidence`).
Not here: the tables themselves, and what a rule makes of them (`live_tail/alerts`).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "signals.yaml"


@dataclass(frozen=True)
class Signals:
    """The content of `signals.yaml`; patterns are RE2."""

    ignored_routes: tuple[str, ...]
    probe_routes: tuple[str, ...]
    dependencies: dict[str, dict[str, list[str]]]
    not_dependencies: tuple[str, ...]
    unreachable_exceptions: tuple[str, ...]
    unreachable_texts: tuple[str, ...]
    probe_commands: tuple[str, ...]
    sporadic_components: tuple[str, ...]
    content_delivery: dict[str, list[str]]

    def is_ignored(self, route: str) -> str:
        """SQL: whether the route proves nothing."""
        return _matches(route, self.ignored_routes)

    def is_probe(self, route: str) -> str:
        """SQL: whether the route is a probe."""
        return _matches(route, self.probe_routes)

    def dependency_of(self, text: str) -> str:
        """SQL: the dependency that a service, system or host name means, else null."""
        cases = " ".join(
            f"WHEN regexp_matches(lower({text}), '(^|[-_./])({'|'.join(names['names'])})([-_.:/0-9]|$)')"
            f" THEN '{dependency}'"
            for dependency, names in self.dependencies.items()
        )
        tools = "|".join(self.not_dependencies)
        return (
            f"CASE WHEN regexp_matches(lower({text}), '(^|[-_./])({tools})([-_./0-9]|$)') THEN NULL"
            f" {cases} END"
        )

    def dependency_of_exception(self, exception_type: str) -> str:
        """SQL: the dependency that an exception's module names, else null."""
        cases = " ".join(
            f"WHEN starts_with(lower({exception_type}), '{prefix}') THEN '{dependency}'"
            for dependency, names in self.dependencies.items()
            for prefix in names["exceptions"]
        )
        return f"CASE {cases} END"

    def is_unreachable(self, exception_type: str) -> str:
        """SQL: whether an exception type says that something cannot be reached."""
        return _matches(exception_type, self.unreachable_exceptions)

    def dependency_unreachable(self, text: str) -> str:
        """SQL: the dependency that a text names first when it says that it is unreachable."""
        names = "|".join(n for names in self.dependencies.values() for n in names["names"])
        word = (
            f"regexp_extract(lower({text}),"
            f" '(?:^|[^a-z0-9])((?:{names})(?:[-_.:/0-9][a-z0-9_.-]*)?)(?:[^a-z0-9]|$)', 1)"
        )
        named = self.dependency_of(word)
        return f"CASE WHEN {_matches(text, self.unreachable_texts)} THEN {named} END"

    def is_content(self, route: str, name: str) -> str:
        """SQL: whether a span of this route, name and `attributes` delivers content."""
        content = self.content_delivery
        present = " OR ".join(
            f"coalesce(attributes['{key}'] NOT IN ('', 'false'), false)"
            for key in content["attributes"]
        )
        by_route = _matches(route, tuple(content["routes"]))
        return f"({by_route} OR {_matches(name, tuple(content['spans']))} OR {present})"


@cache
def load_signals(path: Path = FILE) -> Signals:
    """The shipped definitions."""
    values: dict[str, Any] = yaml.safe_load(path.read_text())
    lists: dict[str, Any] = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
    return Signals(**{**values, **lists})


def _matches(text: str, patterns: tuple[str, ...]) -> str:
    joined = "|".join(f"(?:{p})" for p in patterns).replace("'", "''")
    return f"coalesce(regexp_matches(lower({text}), '{joined}'), false)"
