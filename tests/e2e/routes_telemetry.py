"""Routes of telemetry: the receiver's doors, what they turn away, and the collectors.

Here: senders of private texts through them, each yields the doors it went through. Not here: the list
(`routes`), looking for the texts (`test_every_route`).
"""

import json
import subprocess
import sys
from collections.abc import Iterator

import grpc
import httpx

from ingestion.receivers.doors.grpc import METHODS
from ingestion.receivers.doors.http import JSON, PATHS, PROTOBUF
from tests.e2e import exports
from tests.e2e.stage import Stage, serving, until


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
    with serving(exposition.encode()) as target:
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
            until(lambda: {"canary-files", "canary", "tta-monitor-host"} <= seen(stage), 180)
        finally:
            stranger.kill()
            stranger.wait()
    names = (
        "exposition exposition_lines exposition_otlp families file_tail gpu host host_processes job_http jobs "
        "json_lines lines native_histograms otlp_exports otlp_points own_settings record relabelling "
        "scraped_samples scraper to_receiver"
    ).split()
    yield from (f"collector {name}" for name in names)


def seen(stage: Stage) -> set[str]:
    return {row["component"] for row in stage.processes.live("components")}
