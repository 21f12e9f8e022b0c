"""`python -m tests.bench.alerting`: from a critical span to a webhook receiver, under other load.

Real receiver, live tail, notifier and HTTP receiver; every sample is a failing span of a component
that never failed before. Prints quantiles in seconds from sending to the receiver's hands and of the parts
of the way (answered by the door, in the outbox, delivered), how many of the samples arrived, the
processor time of each process, and the machine's load before and after.
"""

import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from live_tail.alerts.life.alert_store import Store
from privacy.keys.key_store import KeyStore
from tests.bench.load import capture_load, request_body, send
from tests.live_tail.alerts.support import Hook
from tests.processes import running

_SAMPLES = 36
_EVERY_S = 1.2
_RATE = 5_000
_ROUTE = "/api/v1/gameplay/sessions/{session_id}/choices"


def failing_body(chance: random.Random, component: str) -> bytes:
    """One server span of content delivery that ends with an error now."""
    body = request_body([chance.randbytes(8)], chance, component)
    request = ExportTraceServiceRequest.FromString(body)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.name = f"POST {_ROUTE}"
    span.status.code = 2
    del span.attributes[:]
    for key, value in (("http.request.method", "POST"), ("http.route", _ROUTE)):
        span.attributes.add(key=key).value.string_value = value
    span.attributes.add(key="http.response.status_code").value.int_value = 500
    span.attributes.add(key="error.type").value.string_value = "TimeoutError"
    return request.SerializeToString()


def main() -> None:
    """Measure with so many other spans a second (first argument, default 5,000)."""
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else _RATE
    load_before = os.getloadavg()
    chance = random.Random(3)
    hook = Hook()
    os.environ["TTA_MONITOR_ALERTING__WEBHOOK_URL"] = hook.url
    modules = ("ingestion.receivers", "live_tail", "live_tail.alerts.notify.notifier")
    sent: dict[str, float] = {}
    answered: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), *modules) as started:
        port = started.settings.receiver.http_port
        time.sleep(5)
        seconds = _SAMPLES * _EVERY_S + 5
        loads = capture_load(max(int(rate * seconds / 10_161), 1), seed=9, now_ns=time.time_ns())
        options = {"connections": 8, "spans_per_s": rate}
        other = threading.Thread(target=send, args=(port, loads), kwargs=options, daemon=True)
        if rate:
            other.start()
        headers = {"Content-Type": "application/x-protobuf"}
        words = [f"{a}{b}" for a in "alder birch cedar beech fir oak".split() for b in "abcdef"]
        spent = {m: sum(started.process(m).cpu_times()[:2]) for m in modules}
        began = time.time()
        for word in words[:_SAMPLES]:
            component = f"story-{word}"
            body = failing_body(chance, component)
            sent[component] = time.time()
            httpx.post(
                f"{started.http}/v1/traces", content=body, headers=headers
            ).raise_for_status()
            answered[component] = time.time()
            time.sleep(_EVERY_S)
        took = time.time() - began
        cpu = {m: sum(started.process(m).cpu_times()[:2]) - before for m, before in spent.items()}
        time.sleep(5)
        store = Store(Path(folder), KeyStore.open(Path(folder)))
        written = {d["key"]: d["created_us"] / 1e6 for d in store.outbox.deliveries(10_000)}
        store.tables.close()
        if rate:
            other.join()
    told: dict[str, tuple[float, float]] = {}
    for key, body, at in hook.received:
        for alert in body["alerts"]:
            if key in written:
                told.setdefault(alert["labels"].get("component", ""), (at, written[key]))
    arrived = [component for component in sent if component in told]
    print({"rate": rate, "sent": len(sent), "told": len(arrived), "loadavg_before": load_before[0],
           "loadavg_after": os.getloadavg()[0]})  # fmt: skip
    print({f"{m}_cpu_pct": round(100 * s / took) for m, s in cpu.items()})
    _print("sent_to_told", [told[r][0] - sent[r] for r in arrived])
    _print("sent_to_answered", [answered[r] - sent[r] for r in arrived])
    _print("sent_to_outbox", [told[r][1] - sent[r] for r in arrived])
    _print("outbox_to_told", [told[r][0] - told[r][1] for r in arrived])


def _print(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    if ordered:
        print({f"{name}_p{q}_s": round(ordered[min(int(len(ordered) * q / 100), len(ordered) - 1)], 2)
               for q in (50, 95, 99)})  # fmt: skip


if __name__ == "__main__":
    main()
