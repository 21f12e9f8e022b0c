"""Sentry SDKs against the real door: same groups as OpenTelemetry, nobody in without a key."""

import gzip
import json
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
import sentry_sdk
import zstandard
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from ingestion.lake.duck import connect
from ingestion.meaning.errors.error_records import Occurrence
from ingestion.meaning.errors.grouping import group
from ingestion.meaning.errors.occurrences import read_occurrences
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.processes import Running, running


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("sentry")
    with running(home, "ingestion.receivers") as started:
        yield started


def occurrences(door: Running) -> list[Occurrence]:
    """Everything that was committed, as the live tail and the batch see it."""
    spool = Spool(door.settings.spool_path, KeyStore.open(door.settings.home))
    found: list[Occurrence] = []
    for batch in spool.read(0, limit=10_000):
        con = connect()
        con.register("fresh", batch.table())
        found += [o for _, o in read_occurrences(con, batch.signal, "fresh")]
        con.close()
    spool.close()
    return found


def of(door: Running, component: str) -> list[Occurrence]:
    return [o for o in occurrences(door) if o.component == component]


class SceneError(RuntimeError):
    """An error with a cause."""


class Engine:
    def next_scene(self, number: int) -> None:
        try:
            {}[number]
        except KeyError as error:
            raise SceneError(f"scene {number} is gone") from error


def fail(number: int) -> SceneError:
    try:
        Engine().next_scene(number)
    except SceneError as error:
        return error
    raise AssertionError


@contextmanager
def python_sdk(door: Running, key: str) -> Iterator[None]:
    port = door.settings.receiver.http_port
    sentry_sdk.init(
        dsn=f"http://{key}@127.0.0.1:{port}/1", release="tta@2.1.0", environment="staging",
        default_integrations=False,
    )  # fmt: skip
    yield
    sentry_sdk.flush(10)
    sentry_sdk.get_client().close()


def test_one_error_is_one_group_through_sentry_span_events_and_logs(door: Running) -> None:
    with python_sdk(door, "through-sentry"):
        sentry_sdk.add_breadcrumb(category="chat", message="message 12 from jane@example.com")
        sentry_sdk.set_user({"id": "4711", "email": "jane@example.com"})
        sentry_sdk.capture_exception(fail(3))
    resource = Resource({"service.name": "through-otel"})
    tracer = TracerProvider(resource=resource)
    tracer.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{door.http}/v1/traces")))
    with tracer.get_tracer("t").start_as_current_span("x") as span:
        span.record_exception(fail(4))
    logs = LoggerProvider(Resource({"service.name": "through-logs"}))
    logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{door.http}/v1/logs")))
    send_log(logs, fail(5))
    names = ["through-sentry", "through-otel", "through-logs"]
    found = [o for name in names for o in of(door, name)]
    assert [o.component for o in found] == names
    grouped = [group(o) for o in found]
    assert len({g.key for g in grouped}) == 1
    assert grouped[0].culprit.endswith("next_scene")
    sentry = found[0]
    assert (sentry.version, sentry.environment) == ("2.1.0", "staging")
    assert sentry.session and sentry.session.startswith("p_")
    assert sentry.breadcrumbs == ("chat: message <number> from <email>",)
    assert "jane" not in repr(sentry)


def send_log(logs: LoggerProvider, error: Exception) -> None:
    import traceback

    from opentelemetry._logs import LogRecord, SeverityNumber

    logs.get_logger("t").emit(
        LogRecord(
            severity_number=SeverityNumber.ERROR,
            event_name="scene.exception",
            attributes={
                "exception.type": f"{type(error).__module__}.{type(error).__qualname__}",
                "exception.message": str(error),
                "exception.stacktrace": "".join(traceback.format_exception(error)),
            },
        )
    )
    logs.shutdown()


EVENT = {
    "event_id": "a" * 32, "timestamp": 1_795_469_743.5, "platform": "java", "level": "error",
    "exception": {"values": [{"type": "SceneMissing", "module": "com.tta.game", "value": "scene 4",
        "stacktrace": {"frames": [
            {"module": "java.lang.Thread", "function": "run", "filename": "Thread.java", "lineno": 1},
            {"module": "com.tta.game.Scenes", "function": "load", "filename": "Scenes.java", "lineno": 7},
        ]}}]},
}  # fmt: skip


def envelope(*items: tuple[dict, bytes], **header: str) -> bytes:
    lines = [json.dumps({"event_id": "a" * 32, **header}).encode()]
    for item, payload in items:
        lines += [json.dumps({"length": len(payload), **item}).encode(), payload]
    return b"\n".join(lines) + b"\n"


def post(
    door: Running, body: bytes, *, key: str | None = "java-app", **headers: str
) -> httpx.Response:
    auth = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key}"} if key else {}
    return httpx.post(f"{door.http}/api/1/envelope/", content=body, headers={**auth, **headers})


def event(**fields: object) -> tuple[dict, bytes]:
    return {"type": "event"}, json.dumps({**EVENT, **fields}).encode()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("br", lambda body: pa.compress(body, "brotli", asbytes=True)),
    ],
)
def test_compressed_envelopes_are_read_and_the_same_event_counts_once(
    door: Running, encoding: str, pack
) -> None:
    component = f"java-{encoding}"
    for sent_at in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"):
        body = pack(envelope(event(), sent_at=sent_at))
        answer = post(door, body, key=component, **{"Content-Encoding": encoding})
        assert (answer.status_code, answer.json()) == (200, {"id": "a" * 32})
    [found] = of(door, component)
    text = "com.tta.game.SceneMissing: scene 9\n\tat com.tta.game.Scenes.load(Scenes.java:70)"
    plain = Occurrence(found.event_at, "x", "log", "com.tta.game.SceneMissing", "scene 9", text)
    assert group(found).key == group(plain).key


def test_an_encoding_that_is_unknown_is_refused_with_those_that_are_read(door: Running) -> None:
    answer = post(door, envelope(event()), key="java", **{"Content-Encoding": "lzma"})
    assert answer.status_code == 415
    assert all(name in answer.text for name in ("gzip", "deflate", "br", "zstd"))


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_a_small_body_cannot_become_a_huge_one(encoding: str) -> None:
    from ingestion.receivers.decoding.inflate import decompress
    from ingestion.receivers.decoding.protobuf import BadBody
    from ingestion.receivers.doors import sentry

    huge = bytes(sentry.MAX_BYTES + 1)
    packed = (
        pa.compress(huge, "brotli", asbytes=True)
        if encoding == "br"
        else zstandard.ZstdCompressor().compress(huge)
    )
    with pytest.raises(BadBody, match="larger than"):
        decompress(packed, encoding, sentry.MAX_BYTES)
    with pytest.raises(BadBody, match="not valid"):
        decompress(b"nothing of the kind", encoding, sentry.MAX_BYTES)


def test_without_a_key_nobody_is_heard_and_the_dsn_in_the_header_is_one(door: Running) -> None:
    assert post(door, envelope(event()), key=None).status_code == 403
    by_dsn = envelope(event(event_id="b" * 32), dsn="http://dsn-app@localhost/1")
    assert post(door, by_dsn, key=None).status_code == 200
    url = f"{door.http}/api/1/store/?sentry_key=store-app"
    assert httpx.post(url, content=json.dumps(EVENT)).status_code == 200
    assert of(door, "dsn-app") and of(door, "store-app")


def test_unknown_items_are_skipped_and_counted(door: Running) -> None:
    items = [
        ({"type": "transaction"}, b"{}"),
        ({"type": "from-the-future"}, b"\x00\n\xff"),
        event(),
    ]
    assert post(door, envelope(*items), key="mixed-app").status_code == 200
    assert len(of(door, "mixed-app")) == 1
    exposition = httpx.get(f"{door.http}/metrics").text
    assert 'reason="sentry_transaction_skipped"' in exposition
    assert 'reason="sentry_unknown_skipped"' in exposition
    assert "from-the-future" not in exposition


def test_a_huge_event_is_truncated_and_never_dropped(door: Running) -> None:
    frame = {
        "module": "com.tta.game.Scenes",
        "function": "load",
        "filename": "Scenes.java",
        "lineno": 7,
    }
    values = [{"type": "SceneMissing", "module": "com.tta.game", "value": "x " * 400_000,
               "stacktrace": {"frames": [frame] * 20_000}}]  # fmt: skip
    crumbs = {"values": [{"message": "m" * 5_000}] * 500}
    body = gzip.compress(envelope(event(exception={"values": values}, breadcrumbs=crumbs)))
    answer = post(door, body, key="huge-app", **{"Content-Encoding": "gzip"})
    assert answer.status_code == 200
    [found] = of(door, "huge-app")
    assert "com.tta.game.Scenes.load" in found.stack


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[]", b"{}\n{", b'{}\n{"type":"event"}\nnope', b"{" * 5_000]
)
def test_broken_envelopes_are_refused_and_the_door_goes_on(door: Running, body: bytes) -> None:
    assert post(door, body).status_code == 400
    assert post(door, gzip.compress(body)[:7], **{"Content-Encoding": "gzip"}).status_code == 400
    assert post(door, envelope(event()), key="after-all").status_code == 200


NODE = Path.home() / ".cache" / "tta-monitor-tests" / "node"
node_sdk = NODE / "node_modules" / "@sentry" / "node"
PROGRAM = """
const Sentry = require("@sentry/node");
Sentry.init({dsn: process.env.DSN, defaultIntegrations: false, release: "3.0.0"});
class SceneView { render(n) { throw new TypeError("scene " + n + " has no title"); } }
function open(n) { new SceneView().render(n); }
let text = "";
try { open(1); } catch (error) { Sentry.captureException(error); }
try { open(2); } catch (error) { text = error.stack; }
Sentry.flush(5000).then(() => console.log(text));
"""


@pytest.mark.skipif(
    not (node_sdk.exists() and shutil.which("node")),
    reason="no @sentry/node: tests/install-system-packages.sh could not install it",
)
def test_one_error_is_one_group_through_the_node_sdk_and_as_text(
    door: Running, tmp_path: Path
) -> None:
    program = tmp_path / "scenes.js"
    program.write_text(PROGRAM)
    dsn = f"http://node_app@127.0.0.1:{door.settings.receiver.http_port}/1"
    done = subprocess.run(
        ["node", program], capture_output=True, text=True, timeout=60, check=True,
        env={"DSN": dsn, "NODE_PATH": str(NODE / "node_modules"), "PATH": "/usr/bin:/usr/local/bin:/bin"},
    )  # fmt: skip
    [found] = of(door, "node-app")
    from privacy.gate.treatments import stack

    text = Occurrence(found.event_at, "x", "log", "TypeError", "scene 2", stack(done.stdout))
    assert group(found).key == group(text).key
    assert group(found).culprit.endswith("render")
