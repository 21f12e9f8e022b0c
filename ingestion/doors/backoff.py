"""How long a sender of ours waits before it tries again: twice as long each time, never in step.

Here: the waits. Not here: what is tried, and which failures are worth another attempt.
"""

import random
from collections.abc import Iterator


def waits(attempts: int, *, first_s: float = 0.1, longest_s: float = 5.0) -> Iterator[float]:
    """Seconds to wait after each failed attempt but the last, after which nothing comes."""
    for number in range(attempts - 1):
        yield min(first_s * 2**number, longest_s) + random.random() * min(first_s * 10, 1)  # noqa: S311
