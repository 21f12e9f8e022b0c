"""What one body may hold and cost, and how much of it there is, found before it is parsed.

Here: the limits, what a sender is told beyond them, and a linear look at JSON's structure that makes no
objects. Not here: counting protobuf's fields (`wire`), sending the refusal (`request_bodies`, `grpc`) and how
long others wait meanwhile (`committer`).
"""

from dataclasses import dataclass

import numpy as np

from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.settings import MIB
from ingestion.settings.receiver import ReceiverSettings

_BLOCK = 1 << 18
_LEVELS = 16
_QUOTE, _COMMA, _OPEN, _CLOSE = b'",[]'
# Of a body only what structures it is looked at, `[` and `{` as one and `]` and `}`.
_FOLDED = bytes.maketrans(b"{}", b"[]")
_PLAIN = bytes(byte for byte in range(256) if byte not in b'"[]{},')


@dataclass(frozen=True)
class BodyBudget:
    """Limits of one body, as `receiver.*` sets them.

    `groups` are resources and scopes; `item_values` are the fields of one span, log record or metric
    point with all that it nests; `work_s` is time for decoding and the gate without waiting for
    others.
    """

    items: int = 250_000
    groups: int = 10_000
    item_values: int = 10_000
    item_bytes: int = 16 * MIB
    depth: int = 64
    work_s: float = 3.0

    @staticmethod
    def of(settings: ReceiverSettings) -> "BodyBudget":
        """As the settings say."""
        return BodyBudget(
            settings.max_body_items,
            settings.max_body_groups,
            settings.max_item_values,
            settings.max_item_bytes,
            settings.max_body_depth,
            settings.max_body_work_s,
        )

    def check_items(self, count: int) -> None:
        """Raises BadBody (413) when there are more items than a body may hold."""
        if count > self.items:
            raise BadBody(
                f"the body holds more than {self.items} items (receiver.max_body_items); "
                "send smaller batches",
                too_large=True,
                reason="too_many_items",
            )

    def check_groups(self, count: int) -> None:
        """Raises BadBody (413) when there are more resources, or more scopes, than a body may hold."""
        if count > self.groups:
            raise BadBody(
                f"the body holds more than {self.groups} resources or scopes "
                "(receiver.max_body_groups); put items of one resource together or send smaller batches",
                too_large=True,
                reason="too_many_groups",
            )

    def too_many_values(self, what: str) -> BadBody:
        """What is told of something that holds more values than an item may."""
        return BadBody(
            f"{what} holds more than {self.item_values} values (receiver.max_item_values); "
            "send fewer attributes",
            too_large=True,
            reason="too_many_values",
        )

    def check_depth(self, depth: int) -> None:
        """Raises BadBody (400) when values lie in each other deeper than allowed."""
        if depth > self.depth:
            raise BadBody(
                f"the body is nested deeper than {self.depth} levels (receiver.max_body_depth); "
                "send flat attributes",
                reason="nested_too_deeply",
            )

    def over_time(self, done: int, expected: int) -> BadBody:
        """What is told when the time is over after `done` of about `expected` bytes.

        What was scrubbed once is remembered for a while, so a second try of a body that comes near
        succeeds; one that is many times too much would never.
        """
        is_hopeless = expected > 4 * max(done, 1)
        return BadBody(
            f"the body takes longer than {self.work_s:g} s of work "
            "(receiver.max_body_work_s): its texts are new; send smaller batches",
            too_large=is_hopeless,
            reason="body_takes_too_long",
            may_retry=not is_hopeless,
        )


@dataclass(frozen=True)
class Structure:
    """How deep JSON nests, how many values it holds, and its openings and commas by level.

    The root's content is level 1.
    """

    depth: int
    values: int
    openings: tuple[int, ...]
    commas: tuple[int, ...]


def json_structure(body: bytes) -> Structure:
    """Brackets and commas outside of texts; linear, in blocks, and no judge of validity."""
    in_text, level, deepest = 0, 0, 0
    openings, commas = np.zeros(_LEVELS, dtype=np.int64), np.zeros(_LEVELS, dtype=np.int64)
    start = 0
    while start < len(body):
        block, start = _block(body, start)
        if not len(block):
            continue
        quotes = np.cumsum(block == _QUOTE, dtype=np.int32)
        outside = ((quotes + in_text) & 1) == 0
        in_text = (in_text + int(quotes[-1])) & 1
        opens, closes = (block == _OPEN) & outside, (block == _CLOSE) & outside
        levels = np.cumsum(opens.view(np.int8) - closes.view(np.int8), dtype=np.int32) + level
        level, deepest = int(levels[-1]), max(deepest, int(levels.max()))
        openings += _by_level(levels[opens])
        commas += _by_level(levels[(block == _COMMA) & outside])
    values = 1 + int(openings.sum()) + int(commas.sum())
    return Structure(deepest, values, tuple(openings.tolist()), tuple(commas.tolist()))


def _by_level(levels: np.ndarray) -> np.ndarray:
    return np.bincount(np.clip(levels, 0, _LEVELS - 1), minlength=_LEVELS)


def _block(body: bytes, start: int) -> tuple[np.ndarray, int]:
    """What structures the next block, escapes blotted out, and where it ends: never within an escape."""
    plain = body[start : start + _BLOCK]
    slashes = len(plain) - len(plain.rstrip(b"\\"))
    if slashes % 2 and len(plain) > 1:
        plain = plain[:-1]
    end = start + len(plain)
    if b"\\" in plain:
        plain = plain.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    return np.frombuffer(plain.translate(_FOLDED, _PLAIN), np.uint8), end
