"""The records that error capture, grouping and presentation share."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Frame:
    """One call: a file or class path, the function in it, and where it stood (not part of a key)."""

    module: str
    function: str
    line: int | None = None


@dataclass(frozen=True)
class Link:
    """One exception of a chain; frames oldest first, `message` is a skeleton.

    `is_member` marks members of an exception group.
    """

    type: str
    message: str
    frames: tuple[Frame, ...]
    is_member: bool = False


@dataclass(frozen=True)
class Stack:
    """A chain of exceptions, root cause first; `language` is python, javascript or java."""

    language: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Occurrence:
    """One error as it was captured, after the gate. Times are UTC without zone."""

    event_at: datetime
    component: str
    source: str  # span_event, log, span_status
    type: str
    message: str
    stack: str
    trace_id: bytes | None = None
    span_id: bytes | None = None
    version: str | None = None
    environment: str | None = None
    route: str | None = None
    logger: str | None = None
    session: str | None = None
    therapeutic_area: str | None = None
    is_content_delivery: bool = False
    fingerprint: tuple[str, ...] = ()
    breadcrumbs: tuple[str, ...] = ()
    severity: str = "error"


@dataclass(frozen=True)
class Grouped:
    """The group of an occurrence and why it is that group.

    `counted` are the frames and types the key is made of, `ignored` what was left out and why.
    """

    key: str
    rule: str
    title: str
    type: str
    culprit: str
    counted: tuple[str, ...]
    ignored: tuple[str, ...] = field(default=())

    def explanation(self) -> str:
        """One paragraph a person reads."""
        counted = "; ".join(self.counted) or "nothing"
        ignored = "; ".join(self.ignored) or "nothing"
        return f"Grouped by {self.rule}. Counted: {counted}. Ignored: {ignored}."
