"""The one list of routes by which a text can come in or go out; a later route joins it here.

Here: how a private text is sent through each route. Each sender returns the doors it went through
(`doors`); `test_every_route` fails when a door exists that nobody used. Not here: looking for the texts.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect as open_socket

from ingestion.receivers.grpc_door import METHODS
from ingestion.receivers.http import JSON, PATHS, PROTOBUF
from tests.conftest import ROOT
from tests.e2e import exports
from tests.e2e.canaries import Canary
from tests.e2e.doors import commands, live_routes
from tests.processes import Running, free_port, live_headers
from tests.signing_in import session_secret


@dataclass
class Stage:
    """Running processes over a home, texts to send, and a folder outside the home for what goes out."""

    processes: Running
    canaries: list[Canary]
    outside: Path
    inputs: Path
    hook: str = ""
    used: set[str] = field(default_factory=set)

    @property
    def home(self) -> Path:
        """The data home that is scanned."""
        return self.processes.settings.home

    def some(self, part: int, of: int = 8) -> list[Canary]:
        """A slice with every kind in it."""
        return self.canaries[
            part * len(self.canaries) // of : (part + 1) * len(self.canaries) // of
        ]

    def texts(self, name: str, canaries: Sequence[Canary]) -> Path:
        """A file of texts, outside the home."""
        file = self.inputs / name
        file.write_text("\n".join(c.text for c in canaries))
        return file

    def heard(self, name: str, said: bytes) -> None:
        """Keep what went out, to be looked through."""
        with (self.outside / name).open("ab") as file:
            file.write(said + b"\n")


Sender = Callable[[Stage], Iterator[str]]
ROUTES: dict[str, Sender] = {}


def route(sender: Sender) -> Sender:
    """Join the list."""
    ROUTES[sender.__name__] = sender
    return sender


@route
def otlp_http(stage: Stage) -> Iterator[str]:
    """Every text through every field of every signal, protobuf and JSON."""
    with httpx.Client(base_url=stage.processes.http, timeout=60) as client:
        for path, signal in PATHS.items():
            for start in range(0, len(stage.canaries), 126):
                batch = stage.canaries[start : start + 126]
                request = exports.MAKERS[signal](batch)
                is_json = start == 0
                body = exports.as_json(request) if is_json else request.SerializeToString()
                headers = {
                    "Content-Type": JSON if is_json else PROTOBUF,
                    "User-Agent": f"sdk {batch[0].sentence}",
                    "X-Player": batch[0].text,
                }
                answer = client.post(path, content=body, headers=headers)
                assert answer.status_code == 200, answer.text
                stage.heard("answers.bin", answer.content)
            yield f"http {path}"


@route
def otlp_grpc(stage: Stage) -> Iterator[str]:
    """The same bodies' other parts over gRPC, with texts in the metadata."""
    address = f"127.0.0.1:{stage.processes.settings.receiver.grpc_port}"
    with grpc.insecure_channel(address) as channel:
        for method, signal in METHODS.items():
            chosen = stage.some(3)
            body = exports.MAKERS[signal](chosen).SerializeToString()
            metadata = [("x-player", chosen[1].text.encode("ascii", "ignore").decode())]
            stage.heard(
                "answers.bin", channel.unary_unary(method)(body, metadata=metadata, timeout=60)
            )
            try:
                channel.unary_unary(method)(chosen[0].sentence.encode(), timeout=60)
            except grpc.RpcError as refused:
                stage.heard("answers.bin", str(refused).encode())
            yield f"grpc {method}"


@route
def refused_bodies(stage: Stage) -> Iterator[str]:
    """What is turned away: broken, of the wrong kind, too large, of unknown paths."""
    client = httpx.Client(base_url=stage.processes.http, timeout=60)
    for number, canary in enumerate(stage.some(1)[:54]):
        text = canary.sentence.encode()
        path = list(PATHS)[number % 3]
        whole = exports.spans([canary], 5_000 + number).SerializeToString()
        for body, headers in [
            (text, {"Content-Type": PROTOBUF}),
            (whole[: len(whole) // 2], {"Content-Type": PROTOBUF}),
            (b'{"resourceSpans": "' + text, {"Content-Type": JSON}),
            (json.dumps({"resourceLogs": [{"scopeLogs": canary.text}]}).encode(), {"Content-Type": JSON}),
            (text, {"Content-Type": canary.kind}),
            (text, {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}),
            (text, {"Content-Type": PROTOBUF, "Authorization": f"Bearer {canary.text}"}),
        ]:  # fmt: skip
            answer = client.post(path, content=body, headers=headers, params={"q": canary.text})
            stage.heard("answers.bin", answer.content)
    canary = stage.canaries[0]
    limit = stage.processes.settings.receiver.max_body_bytes
    large = canary.sentence.encode() * (limit // len(canary.sentence) + 2)
    answer = client.post("/v1/logs", content=large, headers={"Content-Type": PROTOBUF})
    assert answer.status_code == 413
    for canary in stage.some(2)[:36]:
        for path in ("/livez", "/readyz", "/metrics"):
            client.get(path, params={"verbose": canary.text})
        client.post(f"/v1/{canary.text}", content=canary.text.encode())
        client.post(f"/api/{canary.text}/minidump/", content=canary.text.encode())
    stage.heard("answers.bin", client.get("/metrics").content)
    client.close()
    yield from ("http /livez", "http /readyz", "http /metrics")


@route
def sentry(stage: Stage) -> Iterator[str]:
    """Events with locals, breadcrumbs, cookies and attachments; broken ones too."""
    with httpx.Client(base_url=stage.processes.http, timeout=60) as client:
        for number, canary in enumerate(stage.some(4)[:54], start=9_000):
            for form in ("envelope", "store"):
                event = exports.sentry_event(canary, number)
                body = (
                    exports.envelope(canary, number)
                    if form == "envelope"
                    else json.dumps(event).encode()
                )
                answer = client.post(f"/api/1/{form}/?sentry_key=canary-web", content=body)
                assert answer.status_code == 200, answer.text
                broken = client.post(
                    f"/api/1/{form}/?sentry_key=x", content=canary.sentence.encode()
                )
                keyless = client.post(f"/api/1/{form}/", content=body)
                stage.heard("answers.bin", broken.content + keyless.content)
    yield from ("sentry envelope", "sentry store")


@route
def collectors(stage: Stage) -> Iterator[str]:
    """Log files in text and JSON with tracebacks, a scraped target's labels, processes' command lines."""
    chosen = stage.some(5)
    exposition = "".join(
        f"# HELP tta_{n} {c.sentence}\n# TYPE tta_{n} gauge\n"
        f"tta_{n}{{player={json.dumps(exports.in_token_field(c))},user_id={json.dumps(c.text)}}} 1\n"
        for n, c in enumerate(chosen)
    )
    exposition += "# TYPE tta_native histogram\n" + "".join(
        f"tta_native{{player={json.dumps(c.text)}}} {{count:2,sum:3,schema:0,zero_threshold:0.001,"
        "zero_count:0,positive_spans:[0:1],positive_deltas:[2]}\n"
        for c in chosen[:5]
    )
    with _serving(exposition.encode()) as target:
        (stage.inputs / "prometheus.yml").write_text(
            f"scrape_configs:\n  - job_name: canary\n    scrape_interval: 1s\n"
            f"    static_configs: [{{targets: ['{target}']}}]\n"
            "    metric_relabel_configs: [{source_labels: [player], target_label: route}]\n"
        )
        lines = [c.sentence for c in chosen]
        lines += [
            json.dumps({"level": "error", "msg": c.sentence, "player": c.text}) for c in chosen
        ]
        lines += [exports.traceback_of(c) for c in chosen]
        (stage.inputs / "api.log").write_text("\n".join(lines) + "\n")
        dummy = "import time; time.sleep(60)"
        stranger = subprocess.Popen([sys.executable, "-c", dummy, *(c.text for c in chosen[:40])])
        try:
            stage.processes.environment |= {
                "TTA_MONITOR_COLLECTORS__LOG_FILES": json.dumps(
                    [{"glob": str(stage.inputs / "*.log"), "component": "canary-files"}]
                ),
                "TTA_MONITOR_COLLECTORS__PROMETHEUS_CONFIG": str(stage.inputs / "prometheus.yml"),
                "TTA_MONITOR_COLLECTORS__HOST_INTERVAL_S": "1",
                "TTA_MONITOR_COLLECTORS__PROCESS_PATTERNS": json.dumps([chosen[0].text]),
            }
            stage.processes.start("ingestion.collectors")
            _until(lambda: {"canary-files", "canary", "tta-monitor-host"} <= _seen(stage), 180)
        finally:
            stranger.kill()
            stranger.wait()
    names = (
        "exposition exposition_lines exposition_otlp gpu host job_http log_files log_json log_lines "
        "log_record native_histograms processes prometheus_jobs relabelling scraped_samples scraper told"
    ).split()
    yield from (f"collector {name}" for name in names)


@route
def live_api(stage: Stage) -> Iterator[str]:
    """Every path of the live API with texts in path, query and body; alerts from outside."""
    base = f"http://127.0.0.1:{stage.processes.settings.live.port}"
    client = httpx.Client(base_url=base, timeout=60, headers=live_headers(stage.home))
    chosen = stage.some(6)
    alerts = [
        {
            "labels": {"alertname": f"Outside{n}", "severity": "critical", "player": exports.in_token_field(c)},
            "annotations": {"summary": c.sentence, "description": c.sentence, c.text: c.text},
            "generatorURL": f"https://x.example/?q={c.text}",
        }
        for n, c in enumerate(chosen)
    ]  # fmt: skip
    for number, (method, path) in enumerate(live_routes()):
        for canary in chosen[number * 3 : number * 3 + 3]:
            filled = path.replace("{id}", canary.text).replace("{name}", canary.text)
            body = {
                "by": canary.text, "note": canary.sentence, "comment": canary.sentence, "duration": "1h",
                "matchers": ['alertname="Nothing"'], "unknown": canary.text,
            }  # fmt: skip
            query = {"matcher": canary.text, "limit": canary.text, "x": canary.sentence}
            given: Any = alerts if path == "/api/v2/alerts" else body
            more = {"json": given} if method == "POST" else {"params": query}
            answer = client.request(method, filled, **more)
            assert answer.status_code < 500, (method, path, answer.status_code)
            client.request(method, filled, headers={"Authorization": f"Bearer {canary.text}"})
            client.post(filled, content=canary.sentence.encode(), headers={"Content-Type": JSON})
        yield f"live {method} {path}"
    id_ = client.get("/api/v1/alerts").json()["alerts"][0]["id"]
    noted = {"by": chosen[0].sentence, "note": chosen[0].sentence}
    assert client.post(f"/api/v1/alerts/{id_}/acknowledge", json=noted).is_success
    client.close()


@route
def notifications(stage: Stage) -> Iterator[str]:
    """What the notifier sends and prints of those alerts; the other channels take the same payload."""
    stage.processes.start("live_tail.alerts.notifier")
    wire = stage.outside / "wire.bin"
    _until(lambda: wire.exists() and wire.read_bytes().count(b"Outside") >= len(stage.some(6)), 180)
    _until(lambda: b"Outside" in stage.processes.output(), 180)
    yield from (
        f"channel {kind}" for kind in ("webhook", "console", "pagerduty", "apprise", "desktop")
    )


@route
def app(stage: Stage) -> Iterator[str]:
    """Signing in with private names, and every page failing over a private text."""
    texts = stage.texts("page.txt", stage.some(7))
    pages = sorted(
        f.stem for f in (ROOT / "streamlit_app" / "views").glob("*.py") if f.stem != "__init__"
    )
    port = free_port()
    arguments = [
        "run",
        "streamlit_app/server.py",
        "--server.headless=true",
        "--server.port",
        str(port),
        "--server.address=127.0.0.1",
    ]
    target = "streamlit_app.gate:page"
    with _faulty(stage, target, texts, "streamlit", *arguments):
        base = f"http://127.0.0.1:{port}"
        _until(lambda: _answers(f"{base}/_stcore/health"), 180)
        ours = {"Sec-Fetch-Site": "same-origin"}
        with httpx.Client(base_url=base, timeout=30, headers=ours) as client:
            for canary in stage.some(7)[:6]:
                form = {"name": canary.text, "password": canary.text}
                client.get("/favicon.png", params={"x": canary.text})
                client.get("/favicon.ico", params={"x": canary.text})
                client.post("/sign-in", data=form, params={"next": f"/{canary.text}"})
                client.get("/sign-out", params={"x": canary.text})
                client.get("/sign-in/provider", params={"next": canary.text})
                told = {"state": canary.text, "code": canary.text, "error_description": canary.text}
                client.get("/sign-in/provider/callback", params=told)
        yield from ("app /sign-in", "app /sign-out", "app /favicon.png", "app /favicon.ico")
        yield from ("app /sign-in/provider", "app /sign-in/provider/callback")
        for page in pages:
            stage.heard("pages.bin", _page(f"ws://127.0.0.1:{port}", stage.home, page))
            yield f"page {page}"
    # The same line again is counted, not written.
    assert b"page failed" in stage.processes.output()


@route
def failing_processes(stage: Stage) -> Iterator[str]:
    """Every supervised process with an error that quotes texts in message, arguments and locals."""
    texts, home = stage.texts("fault.txt", stage.some(0)), str(stage.home)
    scratch = stage.inputs / "scratch"
    scratch.mkdir()
    subprocess.run(["cp", "-r", f"{home}/keys", scratch], check=True)
    own = ("--home", str(scratch))
    faults = {
        "receiver": ("ingestion.spool:Spool.__init__", "ingestion.receivers", *own),
        "live-tail": ("live_tail.window:Window.__init__", "live_tail", *own),
        "notifier": ("live_tail.alerts.store:Store.waiting_channels", "live_tail.alerts.notifier", *own),
        "collectors": ("ingestion.collectors.host:HostMetrics.__init__", "ingestion.collectors", *own),
        "demo": ("tta_monitor.replay:read_capture", "tta_monitor.demo", *own, "--replay-only"),
        "dagster": ("dagster_project.serve:ensure_dagster_home", "dagster_project", "serve"),
    }  # fmt: skip

    def run(fault: tuple[str, ...]) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.faults", fault[0], str(texts), *fault[1:]],
            cwd=ROOT, env=stage.processes.environment, capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode, fault
        return done.stdout + done.stderr

    with ThreadPoolExecutor(2) as pool:
        for name, said in zip(faults, pool.map(run, faults.values()), strict=True):
            assert b"stopped by RuntimeError" in said, (name, said[-600:])
            stage.heard("crashes.bin", said)
            yield f"process {name}"
    yield "process app"  # its pages fail in `app`


@route
def aborted_receiver(stage: Stage) -> Iterator[str]:
    """A receiver that dies with texts in its memory leaves no dump."""
    stage.processes.kill("ingestion.receivers", 6)
    assert not list(ROOT.glob("core*")) and not list(stage.home.rglob("core*"))
    stage.processes.start("ingestion.receivers")
    yield "process receiver"


@route
def failing_run(stage: Stage) -> Iterator[str]:
    """A Dagster run whose step fails over a text, in the same storage as good runs."""
    texts = stage.texts("run.txt", stage.some(2))
    command = ["ingestion.lake:compact", str(texts), "tta_monitor", "build"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.faults", *command],
        cwd=ROOT, env=stage.processes.environment, capture_output=True, check=False, timeout=600,
    )  # fmt: skip
    stage.heard("crashes.bin", done.stdout + done.stderr)
    assert done.returncode == 1 and b"landed" in done.stderr, done.stderr[-2_000:]
    yield "command build"


_FILES = frozenset("path files file rules policy heads patterns".split())
_CHOICES = {"role": "operator", "format": "json", "audience": "operations"}
_ONLY_WRONG = ("up", "down", "build", "privacy scan", "keys rotate", "privacy erase")


@route
def command_line(stage: Stage) -> Iterator[str]:
    """Every command with texts as arguments, in the files it reads and in what it asks for.

    A terminal shows whoever typed it what was typed; what stood in a file it must not show.
    """
    typed, held = stage.some(6), stage.some(7)
    file = stage.inputs / "held.yaml"
    file.write_text("\n".join(f"- alert: {c.sentence}\n  expr: '{c.text}'" for c in held))
    lines = []
    for words, command in commands():
        name = " ".join(words)
        wrong = [*words, *(c.text for c in typed[:3]), "--no-such-option", typed[3].text]
        lines.append(json.dumps(wrong))
        if name in _ONLY_WRONG:
            continue
        for canary in typed[:: len(typed) // 2]:
            lines.append(json.dumps([*words, *_arguments(command, canary, file)]))
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.cli_driver"],
        cwd=ROOT, env=stage.processes.environment, input="\n".join(lines).encode(),
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert not done.returncode, done.stderr[-2_000:]
    stage.heard("terminal.bin", done.stdout + done.stderr)
    yield from (f"command {' '.join(words)}" for words, _ in commands())


def _arguments(command: Any, canary: Canary, file: Path) -> Iterator[str]:
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "is_flag", False):
            continue
        if parameter.name in {"rate", "hours", "minutes", "expires", "step", "since", "duration"}:
            continue
        text = (
            str(file) if parameter.name in _FILES else _CHOICES.get(parameter.name, canary.sentence)
        )
        if parameter.param_type_name == "argument":
            yield text.removeprefix("-")
        else:
            yield f"{parameter.opts[0]}={text}"


@contextmanager
def _serving(content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def listening(folder: Path) -> Iterator[str]:
    """A webhook's other end that keeps every byte it is sent."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = door.accept()
            except OSError:
                return
            Thread(target=keep, args=(peer,), daemon=True).start()

    def keep(peer: socket.socket) -> None:
        with peer, (folder / "wire.bin").open("ab") as wire:
            said = b""
            while piece := peer.recv(65_536):
                said += piece
                wire.write(piece)
                wire.flush()
                head, _, body = said.partition(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
                if len(body) >= length:
                    peer.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                    return

    Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{door.getsockname()[1]}/hook"
    door.close()


@contextmanager
def _faulty(stage: Stage, target: str, texts: Path, *arguments: str) -> Iterator[None]:
    with (stage.home / "processes.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.faults", target, str(texts), *arguments],
            cwd=ROOT, env=stage.processes.environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _page(address: str, home: Path, page: str) -> bytes:
    """What the app sends to a browser that opens a page."""
    cookie = f"tta_monitor_session={session_secret(home)}"
    said = b""
    with open_socket(
        f"{address}/_stcore/stream", additional_headers={"Cookie": cookie}, max_size=None
    ) as browser:
        asked = BackMsg()
        asked.rerun_script.page_name = page
        browser.send(asked.SerializeToString())
        while True:
            piece = browser.recv(timeout=30)
            said += piece
            if ForwardMsg.FromString(piece).WhichOneof("type") == "script_finished":
                return said


def _seen(stage: Stage) -> set[str]:
    return {row["component"] for row in stage.processes.live("components")}


def _until(is_so: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False
