"""Every kind of channel against a counterpart that really listens."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from live_tail.alerts.notify import templates
from live_tail.alerts.notify.channels import SendProblem, Way, send
from live_tail.alerts.words.life_records import Alert, Notification, State
from tests.live_tail.alerts.support import START, Hook, reading, rule

KEY = "k" * 32
SECRET = "wonderful-secret-41"


def told(*states: State) -> dict[str, Any]:
    alerts = [
        Alert(
            f"{n:016x}", "RedisDown", reading(dependency="redis", component=f"c{n}").labels,
            rule().severity, state, START, summary="redis is down", effect="All fails.",
            runbook=("Restart it",), episode=1, fired_at=START, values=(1.0, 2.0),
        )
        for n, state in enumerate(states)
    ]  # fmt: skip
    firing = tuple(a for a in alerts if a.is_active)
    over = tuple(a for a in alerts if not a.is_active)
    note = Notification(KEY, "subject", "there", "team", "new", firing, over)
    return {
        "title": templates.title(note),
        "body": templates.body(note, "http://app"),
        "alertmanager": templates.alertmanager(note, "http://app"),
        "pagerduty": templates.pagerduty(note, "http://app"),
    }


@pytest.fixture
def counterpart() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


class Mailbox:
    """An SMTP server of the few commands that a client needs."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        starting = asyncio.start_server(self._talk, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(5)
        self.port = server.sockets[0].getsockname()[1]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to: list[str] = []
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append((to, content))
            if verb == b"RCPT":
                to.append(line.decode().split("<")[1].split(">")[0])
            if verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            if verb != b"EHLO":
                writer.write(b"250 ok\r\n")
            else:
                writer.write(b"250 here\r\n")
        writer.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


def channel(kind: str, url: str = "", url_file: Path | None = None) -> Way:
    return Way(kind, url, url_file, 2.0)


def deliver(to: Way, home: Path, *states: State) -> list[str]:
    handed: list[str] = []
    send(to, KEY, told(*(states or (State.FIRING,))), home, lambda: handed.append(KEY))
    return handed


def test_a_webhook_gets_the_key_before_anything_can_be_repeated(
    counterpart: Hook, home: Path
) -> None:
    handed = deliver(channel("webhook", f"http://127.0.0.1:{counterpart.port}/hook"), home)
    (request,) = counterpart.requests
    path, headers, body = request.path, request.headers, request.content
    assert (path, headers["idempotency-key"], handed) == ("/hook", KEY, [KEY])
    assert json.loads(body)["alerts"][0]["labels"]["dependency"] == "redis"


def test_pagerduty_gets_one_event_per_alert_with_its_dedup_key(
    counterpart: Hook, home: Path
) -> None:
    secret = home / "pagerduty"
    secret.write_text(f"http://127.0.0.1:{counterpart.port}/v2/enqueue#{SECRET}\n")
    secret.chmod(0o600)
    states = (State.FIRING, State.ACKNOWLEDGED, State.RESOLVED)
    deliver(channel("pagerduty", url_file=Path("pagerduty")), home, *states)
    events = [json.loads(r.content) for r in counterpart.requests]
    assert [e["event_action"] for e in events] == ["trigger", "acknowledge", "resolve"]
    assert [e["dedup_key"] for e in events] == [f"{n:016x}" for n in range(3)]
    assert {e["routing_key"] for e in events} == {SECRET}
    assert {r.path for r in counterpart.requests} == {"/v2/enqueue"}
    assert events[0]["payload"]["severity"] == "critical"
    assert events[0]["payload"]["custom_details"]["what_to_do"] == ["Restart it"]


@pytest.mark.parametrize(
    ("address", "title_of"),
    [
        ("json://127.0.0.1:{port}/alerts", lambda b: json.loads(b)["title"]),
        ("ntfy://127.0.0.1:{port}/tta-alerts", lambda b: json.loads(b)["title"]),
        ("gotify://127.0.0.1:{port}/token", lambda b: json.loads(b)["title"]),
        ("mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4", lambda b: json.loads(b)["text"]),
        ("form://127.0.0.1:{port}/alerts", lambda b: b.decode()),
    ],
)  # fmt: skip
def test_services_behind_apprise_get_title_and_text(
    counterpart: Hook, home: Path, address: str, title_of: Callable[[bytes], str]
) -> None:
    deliver(channel("apprise", address.format(port=counterpart.port)), home)
    body = counterpart.requests[0].content
    assert len(counterpart.requests) == 1
    assert "redis is down" in title_of(body) or "RedisDown" in title_of(body)
    assert b"Restart" in body


def test_mail_arrives_at_an_smtp_server(home: Path) -> None:
    mailbox = Mailbox()
    address = (
        f"mailto://127.0.0.1:{mailbox.port}?from=monitor@example.org&to=anna@example.org"
        "&mode=insecure&format=text"
    )
    try:
        deliver(channel("apprise", address), home)
    finally:
        mailbox.close()
    ((to, content),) = mailbox.mails
    mail = message_from_bytes(content)
    assert to == ["anna@example.org"] and "critical" in str(mail["Subject"])
    assert "Restart it" in content.decode() or "Restart" in str(mail.get_payload(decode=True))


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_refusal_is_a_problem_that_names_the_status_only(home: Path, status: int) -> None:
    refusing = Hook(lambda: status)
    url = f"http://127.0.0.1:{refusing.port}/{SECRET}"
    try:
        with pytest.raises(SendProblem, match=f"^HTTP {status}$"):
            deliver(channel("webhook", url), home)
        with pytest.raises(SendProblem, match="did not accept"):
            deliver(channel("apprise", f"json://127.0.0.1:{refusing.port}/{SECRET}"), home)
    finally:
        refusing.close()


@pytest.mark.parametrize("kind", ["webhook", "apprise"])
def test_a_counterpart_that_hangs_costs_no_more_than_the_time_out(home: Path, kind: str) -> None:
    release = threading.Event()
    hanging = Hook(lambda: 200 if release.wait(30) else 500)
    scheme = "http" if kind == "webhook" else "json"
    began = time.monotonic()
    try:
        with pytest.raises(SendProblem) as problem:
            deliver(channel(kind, f"{scheme}://127.0.0.1:{hanging.port}/{SECRET}"), home)
        # The channel's two seconds, and no service's own longer one.
        assert time.monotonic() - began < 20
    finally:
        release.set()
        hanging.close()
    assert SECRET not in str(problem.value)


def test_nobody_listening_is_a_problem_without_the_address(counterpart: Hook, home: Path) -> None:
    counterpart.close()
    for kind, scheme in (("webhook", "http"), ("pagerduty", "http"), ("apprise", "json")):
        url = f"{scheme}://127.0.0.1:{counterpart.port}/{SECRET}#key"
        with pytest.raises(SendProblem) as problem:
            deliver(channel(kind, url), home)
        assert SECRET not in str(problem.value) and str(counterpart.port) not in str(problem.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "cannot be read"),
        (lambda file: (file.write_text("x"), file.chmod(0o644)), "chmod 600"),
    ],
)
def test_a_secret_that_is_missing_or_open_is_not_used(
    home: Path, make: Callable[[Path], object], words: str
) -> None:
    make(home / "secret")
    with pytest.raises(SendProblem, match=words):
        deliver(channel("webhook", url_file=Path("secret")), home)


def test_what_is_no_address_is_said(home: Path) -> None:
    with pytest.raises(SendProblem, match="does not know"):
        deliver(channel("apprise", "pigeon://roof"), home)
    with pytest.raises(SendProblem, match="neither url nor url_file"):
        deliver(channel("webhook"), home)


def test_the_console_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver(channel("console"), home) == [KEY]
    said = capsys.readouterr()
    assert "redis is down" in said.out + said.err


def test_a_desktop_is_notified_and_its_absence_is_no_problem(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert deliver(channel("desktop"), home) == [KEY]
    program = tmp_path / "notify-send"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$(dirname "$0")/shown" 2>/dev/null'.replace(
        '"$(dirname "$0")/shown"', f'"{tmp_path}/shown"'
    ))  # fmt: skip
    program.chmod(0o700)
    deliver(channel("desktop"), home)
    assert "--urgency=critical" in (tmp_path / "shown").read_text()
    program.write_text("#!/nowhere\n")
    with pytest.raises(SendProblem, match="FileNotFoundError"):
        deliver(channel("desktop"), home)


def test_times_in_messages_are_utc() -> None:
    (alert,) = told(State.FIRING)["alertmanager"]["alerts"]
    assert datetime.fromisoformat(alert["startsAt"]).astimezone(UTC) == START
