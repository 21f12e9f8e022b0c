"""Ways to reach somebody: webhook, PagerDuty, Apprise's services, desktop, console.

Here: one attempt over one channel. Not here: queues, retries and the delivery log (`notifier`).
Addresses are secrets: they are read from a file of mode 0600, never logged, never in an error.
"""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from privacy.disk.owner_only import NotReadable, owner_only_text
from privacy.process_log.log import logger

_log = logger()
_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
# Channels of this machine, which cannot be out of reach: their messages carry title and text only.
READ_AS_TEXT = frozenset({"console", "desktop"})
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class SendProblem(Exception):
    """An attempt failed; the message is a constant or an exception's type, never an address."""


@dataclass(frozen=True)
class Way:
    """What delivering on a channel needs to know of it; `timeout_s` bounds an attempt."""

    type: str
    url: str
    url_file: Path | None
    timeout_s: float


def address(channel: Way, home: Path) -> str:
    """The channel's URL or routing key. Raises SendProblem when it is missing or readable by all."""
    if channel.url:
        return channel.url
    if channel.url_file is None:
        raise SendProblem("the channel has neither url nor url_file")
    try:
        return owner_only_text(home / channel.url_file)
    except NotReadable as problem:
        raise SendProblem(f"url_file {problem}") from None


def is_made_for(channel: Way, payload: dict[str, Any]) -> bool:
    """Whether a message holds what the channel sends: not, when the channel's type was changed."""
    needed = {"webhook": "alertmanager", "pagerduty": "pagerduty"}.get(channel.type, "body")
    return needed in payload


def send(
    channel: Way,
    key: str,
    payload: dict[str, Any],
    home: Path,
    handing_over: Callable[[], None],
) -> None:
    """One attempt; returns when the other side has accepted. Raises SendProblem.

    `handing_over` is called right before the receiver can have the whole message: until then
    another attempt cannot be a second delivery.
    """
    if channel.type == "console":
        handing_over()
        _log.warning("alert", title=payload["title"], text=payload["body"])
    elif channel.type == "desktop":
        handing_over()
        _desktop(payload)
    elif channel.type == "webhook":
        _post(address(channel, home), payload["alertmanager"], key, channel, handing_over)
    elif channel.type == "pagerduty":
        _pagerduty(channel, key, payload, home, handing_over)
    else:
        _apprise(address(channel, home), payload, channel.timeout_s)


def _pagerduty(
    channel: Way,
    key: str,
    payload: dict[str, Any],
    home: Path,
    handing_over: Callable[[], None],
) -> None:
    secret = address(channel, home)
    url, routing_key = _PAGERDUTY, secret
    if "://" in secret:
        parts = urlsplit(secret)
        url, routing_key = parts._replace(fragment="").geturl(), parts.fragment
    for event in payload["pagerduty"]:
        # PagerDuty itself deduplicates by dedup_key: a repeated event changes nothing there.
        _post(url, {"routing_key": routing_key, **event}, key, channel, handing_over)


def _post(
    url: str, content: dict[str, Any], key: str, channel: Way, handing_over: Callable[[], None]
) -> None:
    import httpx  # noqa: PLC0415 - twenty megabytes, for homes that have such a channel

    def trace(name: str, _: dict[str, Any]) -> None:
        if name.endswith("send_request_body.started"):
            handing_over()

    timeout = channel.timeout_s
    is_near = (urlsplit(url).hostname or "") in _LOOPBACK
    try:
        with httpx.Client(timeout=timeout, trust_env=not is_near) as client:
            response = client.post(
                url,
                json=content,
                headers={"Idempotency-Key": key, "User-Agent": "tta-monitor"},
                extensions={"trace": trace},
            )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        raise SendProblem(type(error).__name__) from None
    if not response.is_success:
        raise SendProblem(f"HTTP {response.status_code}")


def _apprise(url: str, payload: dict[str, Any], timeout_s: float) -> None:
    import apprise  # noqa: PLC0415 - takes half a second to import; most homes have no such channel

    service = apprise.Apprise.instantiate(url)
    if not isinstance(service, apprise.NotifyBase):
        raise SendProblem("Apprise does not know this kind of address")
    service.socket_connect_timeout = service.socket_read_timeout = timeout_s
    sender = apprise.Apprise()
    sender.add(service)
    try:
        is_sent = sender.notify(title=payload["title"], body=payload["body"])
    except Exception as error:  # noqa: BLE001 - a plugin's error may quote the address
        raise SendProblem(type(error).__name__) from None
    if not is_sent:
        raise SendProblem("the service did not accept it")


def _desktop(payload: dict[str, Any]) -> None:
    """A desktop notification where there is a desktop; elsewhere the console has it already."""
    program = shutil.which("notify-send")
    if not program:
        return
    try:
        subprocess.run(
            [program, "--urgency=critical", payload["title"], payload["body"]],
            timeout=5, check=False, capture_output=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise SendProblem(type(error).__name__) from None
