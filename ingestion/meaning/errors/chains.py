"""A stack as it is compared: its exceptions in order, each with the frames that count.

Here: which frames and links say something, in which order, and in words what does not. Not here: reading a
stack (`stacks`), what a frame is (`frames`), keys (`grouping`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingestion.meaning.errors.error_records import Frame, Link, Stack
from ingestion.meaning.errors.frames import (
    SiteFrames,
    comparable,
    is_in_app,
    is_wrapper,
    without_recursion,
)
from ingestion.meaning.errors.stacks import parse_stack


@dataclass(frozen=True)
class Chain:
    """A stack as it is compared: per link the type and the frames that count."""

    links: tuple[tuple[str, tuple[Frame, ...]], ...]
    ignored: tuple[str, ...]
    culprit: Frame | None


def plain_type(name: str) -> str:
    """`builtins.ValueError` and `__main__.Oops` as Python's own traces print them."""
    return re.sub(r"^(?:builtins|__main__|exceptions)\.", "", name.strip())


def place_of(frame: Frame) -> str:
    """Module and function: where a frame is, without its line."""
    return f"{frame.module} {frame.function}"


@lru_cache(maxsize=4_096)
def chain_of(text: str, outer: str, site: SiteFrames, max_frames: int) -> Chain | None:
    """The chain of a stack's text, at most `max_frames` frames in all; None where it is no stack."""
    stack = parse_stack(text, outer)
    if stack is None:
        return None
    ours, ignored = _own_frames(stack, site)
    links = _without_reraised(stack.links, ours)
    limited: list[tuple[str, tuple[Frame, ...]]] = []
    left = max_frames
    for link, frames in links:
        # The root cause comes first and has the first claim on the limit.
        taken = tuple(frames[-left:]) if left > 0 else ()
        left -= len(taken)
        limited.append((plain_type(link.type), taken))
    return Chain(_sorted_members(links, limited), tuple(ignored), _culprit(limited))


def _culprit(links: list[tuple[str, tuple[Frame, ...]]]) -> Frame | None:
    """Where to look first: the innermost frame of our own under the outermost exception that has one."""
    return next((frames[-1] for _, frames in reversed(links) if frames), None)


def _sorted_members(
    links: list[tuple[Link, list[Frame]]], limited: list[tuple[str, tuple[Frame, ...]]]
) -> tuple[tuple[str, tuple[Frame, ...]], ...]:
    """Members of an exception group in a fixed order, each kind once: tasks end in any order."""
    members = sorted(
        {entry for (link, _), entry in zip(links, limited, strict=True) if link.is_member},
        key=repr,
    )
    others = [entry for (link, _), entry in zip(links, limited, strict=True) if not link.is_member]
    return (*members, *others)


def _own_frames(stack: Stack, site: SiteFrames) -> tuple[list[list[Frame]], list[str]]:
    """Frames that count by link, and in words what does not."""
    named = [[comparable(f, stack.language) for f in link.frames] for link in stack.links]
    own = [[f for f in frames if is_in_app(f, stack.language, site)] for frames in named]
    direct = [[f for f in frames if not is_wrapper(f)] for frames in own]
    libraries = sum(map(len, named)) - sum(map(len, own))
    wrappers = sum(map(len, own)) - sum(map(len, direct))
    # An error in a wrapper itself has nothing but the wrapper to go by.
    chosen = direct if any(direct) else own
    unique = [without_recursion(frames) for frames in chosen]
    repeated = sum(map(len, chosen)) - sum(map(len, unique))
    ignored = ["line numbers and message values"]
    ignored += [f"{libraries} frames of libraries and runtime"] if libraries else []
    ignored += [f"{wrappers} wrapper frames"] if wrappers and chosen is direct else []
    ignored += [f"{repeated} repeated frames"] if repeated else []
    return unique, ignored


def _without_reraised(
    links: Sequence[Link], frames: list[list[Frame]]
) -> list[tuple[Link, list[Frame]]]:
    """Links that say something: a re-raise of the same type without a frame of ours does not."""
    kept: list[tuple[Link, list[Frame]]] = []
    for link, own in zip(links, frames, strict=True):
        is_repeat = bool(kept) and not own and plain_type(kept[-1][0].type) == plain_type(link.type)
        if not is_repeat or link.is_member:
            kept.append((link, own))
    return kept
