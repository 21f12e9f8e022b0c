"""Sentry envelopes and stored events as SDKs of many languages send them, and odd ones.

Here: bodies of the Sentry door. Not here: spoiling bytes (`mutations`).
"""

import json
import math
from random import Random
from typing import Any

from tests.fuzz.mutations import ODD_WORDS

_FRAMES = [
    {"filename": "shop/cart.py", "function": "add", "lineno": 5, "in_app": True},
    {
        "filename": "shop/views.py",
        "function": "<lambda>",
        "lineno": -1,
        "abs_path": "/srv/shop/views.py",
    },
]
_FIELDS: dict[str, tuple[Any, ...]] = {
    "event_id": ("0123456789abcdef0123456789abcdef", "", 5, None),
    "level": ("error", "fatal", "info", "40", 40, "loud", None),
    "platform": ("python", "javascript", "java", "csharp", "go", "native", None, 3),
    "release": ("shop@1.2.3", "1", "@", None),
    "environment": ("production", "", None),
    "server_name": ("web-1", None, []),
    "logger": ("shop.cart", "", None),
    "transaction": ("/cart/{id}", "task", None),
    "message": ("hello", "", {"formatted": "x 1", "message": "x %s"}, None),
    "logentry": ({"message": "failed for %s", "params": ["ada"]}, "x", None),
    "tags": ({"service": "shop", "a": "b"}, [["a", "b"], ["c"]], [], "x", None),
    "user": ({"id": 7}, {"email": "ada@example.org"}, [], None),
    "request": ({"method": "GET", "url": "https://x/y?z=1"}, {"url": 5}, None),
    "fingerprint": (["{{ default }}"], ["a", 1, None], "x", None),
    "breadcrumbs": (
        {"values": [{"category": "q", "message": "m"}]},
        [{}, 5],
        {"values": None},
        None,
    ),
    "contexts": ({"trace": {"trace_id": "0" * 32, "span_id": "1" * 16}}, {"trace": []}, {}, None),
    "threads": ({"values": [{"stacktrace": {"frames": _FRAMES}}]}, None),
    "exception": (
        {"values": [{"type": "KeyError", "value": "missing", "stacktrace": {"frames": _FRAMES}}]},
        {"values": [{"type": "A", "mechanism": {"is_exception_group": True}}, {"type": "B"}]},
        {"type": "TypeError", "value": "x is not a function", "module": "app"},
        [{"value": 5}],
        {"values": [None, {"stacktrace": None}]},
        {"values": {}},
        None,
    ),
}
_KINDS = (
    "event",
    "event",
    "event",
    "transaction",
    "session",
    "attachment",
    "client_report",
    "x",
    "",
    None,
    7,
)


def envelope(chance: Random, now_ns: int) -> bytes:
    """An envelope of some items; lengths are right, wrong or missing."""
    header = chance.choice(
        (
            {"event_id": "0123456789abcdef0123456789abcdef", "dsn": "https://shop@monitor/1"},
            {},
            {"event_id": None},
        )
    )
    parts = [json.dumps(header).encode()]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        kind = chance.choice(_KINDS)
        payload = json.dumps(event(chance, now_ns)).encode()
        if kind == "attachment":
            payload = chance.randbytes(chance.randrange(60))
        head: dict[str, Any] = {"type": kind}
        length = chance.choice((len(payload), len(payload), None, 0, -1, 10**9, "5", 1.5))
        if length is not None:
            head["length"] = length
        parts += [json.dumps(head).encode(), payload]
    return b"\n".join(parts) + chance.choice((b"", b"\n", b"\n\n"))


def event(chance: Random, now_ns: int) -> dict[str, Any]:
    """One event; each field may be there, missing, or of another kind."""
    made: dict[str, Any] = {
        name: chance.choice(values) for name, values in _FIELDS.items() if chance.random() < 0.5
    }
    now_s = now_ns / 1e9
    times = (
        now_s,
        now_s * 1_000,
        "2026-11-28T09:00:00Z",
        "yesterday",
        -1,
        1e30,
        math.nan,
        None,
        True,
        [],
    )
    made["timestamp"] = chance.choice(times)
    if chance.random() < 0.3:
        made[chance.choice(list(_FIELDS))] = chance.choice(ODD_WORDS)
    return made
