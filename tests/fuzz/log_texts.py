"""Contents of log files: the forms that people's logs have, and what files hold besides.

Here: bytes of a file, with the places where its writer paused and where it was rotated. Not here: spoiling
bytes (`mutations`).
"""

import json
from random import Random

from tests.fuzz.mutations import ODD_WORDS

_TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/app/a.py", line 3, in go\n'
    "    raise ValueError(1)\n"
    "ValueError: 1\n"
)
_JAVA = (
    "java.lang.IllegalStateException: no session\n"
    "\tat org.shop.Cart.add(Cart.java:12)\n"
    "Caused by: java.io.IOException: gone\n"
    "\t... 3 more\n"
)
_LINES = (
    "2026-11-28 09:00:00,123 - tta.api - ERROR - request failed\n" + _TRACE,
    'INFO:     127.0.0.1:5 - "GET /a HTTP/1.1" 200 OK\n',
    "[2026-11-28 09:00:00 +0000] [7] [INFO] Booting worker with pid: 7\n",
    'time=2026-11-28T09:00:00Z level=warn msg="slow query" took=1.5s user="ada"\n',
    "2026-11-28T09:00:00.5Z stdout F plain words of a container\n",
    '127.0.0.1 - - [28/Nov/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 12\n',
    "progress 10%\rprogress 20%\rprogress 100%\n",
    "Nov 28 09:00:00 web-1 sshd[7]: session opened\n",
    _TRACE,
    _JAVA,
    "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/main.go:5 +0x1\n",
    "\n",
    "   \n",
    "\tan indented line that belongs to nothing\n",
)
_FIELDS = (
    "message msg level severity levelno timestamp time ts logger service service.name exc_info stack error trace_id"
    " span_id context record log stream PRIORITY short_message @timestamp @message text body"
).split()
_VALUES = (
    "x", "ERROR", "30", 30, 30.5, -1, 10**30, 1_790_000_000, 1_790_000_000_000, True, None, [], {}, ["a", {"b": 1}],
    {"name": "ada"}, {"message": "m", "type": "T", "stack": _TRACE}, "2026-11-28T09:00:00Z", "NaN", "", _TRACE,
    {"record": {"message": "x"}},
)  # fmt: skip


def log_file(chance: Random) -> bytes:
    """The content of a file."""
    data = b"".join(_entry(chance) for _ in range(chance.choice((1, 2, 4, 8))))
    if chance.random() < 0.1:
        data += b"x" * chance.choice(
            (10_000, 70_000, 1_100_000 if chance.random() < 0.05 else 5_000)
        )
    if chance.random() < 0.2:
        data = data.replace(b"\n", b"\r\n")
    if chance.random() < 0.15:
        data = data.rstrip(b"\n")
    return data


def _entry(chance: Random) -> bytes:
    kind = chance.random()
    if kind < 0.5:
        return chance.choice(_LINES).encode()
    if kind < 0.8:
        chosen = chance.sample(_FIELDS, chance.randrange(1, 6))
        line = json.dumps({name: chance.choice(_VALUES) for name in chosen}) + "\n"
        return line.encode()
    if kind < 0.9:
        return chance.randbytes(chance.randrange(1, 80)) + b"\n"
    return chance.choice(ODD_WORDS).encode("utf-8", "surrogatepass") + b"\n"
