"""`python -m tests.bench.alerting`: from a critical span to a webhook receiver, under other load.

Real receiver, live tail, notifier and HTTP receiver; every sample is a failing span on a route that
never failed before. Prints quantiles in seconds and how many of the samples arrived.
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

from tests.bench.load import capture_load, request_body, send
from tests.live_tail.alerts.support import Hook
from tests.processes import running

_SAMPLES = 30
_RATE = 5_000


def failing_body(chance: random.Random, route: str) -> bytes:
    """One server span of content delivery that ends with an error now."""
    body = request_body([chance.randbytes(8)], chance)
    request = ExportTraceServiceRequest.FromString(body)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.name = f"POST {route}"
    span.status.code = 2
    del span.attributes[:]
    for key, value in (("http.request.method", "POST"), ("http.route", route)):
        span.attributes.add(key=key).value.string_value = value
    span.attributes.add(key="http.response.status_code").value.int_value = 500
    span.attributes.add(key="error.type").value.string_value = "TimeoutError"
    return request.SerializeToString()


def main() -> None:
    """Measure with so many other spans a second (first argument, default 5,000)."""
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else _RATE
    chance = random.Random(3)
    hook = Hook()
    os.environ["TTA_MONITOR_ALERTING__WEBHOOK_URL"] = hook.url
    modules = ("ingestion.receivers", "live_tail", "live_tail.alerts.notifier")
    sent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), *modules) as started:
        port = started.settings.receiver.http_port
        time.sleep(5)
        seconds = _SAMPLES * 1.2 + 5
        loads = capture_load(max(int(rate * seconds / 10_161), 1), seed=9, now_ns=time.time_ns())
        options = {"connections": 8, "spans_per_s": rate}
        other = threading.Thread(target=send, args=(port, loads), kwargs=options, daemon=True)
        if rate:
            other.start()
        headers = {"Content-Type": "application/x-protobuf"}
        words = [f"{a}{b}" for a in "alder birch cedar elm fir oak".split() for b in "abcdef"]
        for word in words[:_SAMPLES]:
            route = f"/chat/{word}"
            sent[route] = time.time()
            url = f"{started.http}/v1/traces"
            httpx.post(url, content=failing_body(chance, route), headers=headers).raise_for_status()
            time.sleep(1.2)
        time.sleep(5)
    told: dict[str, float] = {}
    for _, body, at in hook.received:
        for alert in body["alerts"]:
            told.setdefault(alert["labels"].get("route", ""), at)
    lags = sorted(told[route] - at for route, at in sent.items() if route in told)
    print({"rate": rate, "sent": len(sent), "told": len(lags)})
    if lags:
        print(
            {
                f"p{q}_s": round(lags[min(int(len(lags) * q / 100), len(lags) - 1)], 2)
                for q in (50, 95, 99)
            }
        )


if __name__ == "__main__":
    main()
