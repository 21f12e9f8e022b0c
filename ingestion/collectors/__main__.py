"""The collectors process: `python -m ingestion.collectors [--home DIR]`."""

# ruff: noqa: E402 - after what it does without
from ingestion.processes.lean import without_rarely_used

without_rarely_used()

import argparse
import socket
import sys
import threading

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from ingestion.collectors.machine.gpu import GpuMetrics, NoGpu, open_nvml
from ingestion.collectors.machine.host import HostMetrics
from ingestion.collectors.own_settings import OwnSettings, own_settings
from ingestion.collectors.prometheus.jobs import JobsProblem, load_jobs
from ingestion.collectors.to_receiver import ReceiverExporter
from ingestion.doors.own_receiver import sender
from ingestion.processes.entry import on_stop, run_process
from privacy.process_log.log import logger

_log = logger()


def main() -> int:
    """Run until SIGTERM; exit code 2 when settings or scrape jobs are wrong."""
    return run_process("collectors", __doc__, _work, read=own_settings, problems=(JobsProblem,))


def _work(settings: OwnSettings, _: argparse.Namespace) -> None:
    stopping = threading.Event()
    on_stop(stopping.set)
    start_scraper(settings, stopping)
    if settings.log_files:
        # Keys and OTLP's messages, for homes that tail files.
        from ingestion.collectors.log_files.file_tail import start_log_files  # noqa: PLC0415

        start_log_files(settings, stopping)
    provider = start(settings)
    stopping.wait()
    provider.shutdown()


def start_scraper(settings: OwnSettings, stopping: threading.Event) -> threading.Thread | None:
    """Scrape the jobs of `collectors.prometheus_config` in a thread; raises JobsProblem.

    Should the thread ever end, `stopping` is set: supervision then starts the process again.
    """
    path = settings.prometheus_config
    if path is None:
        return None
    from ingestion.collectors.prometheus.scraper import run_scraper  # noqa: PLC0415 - for homes that scrape

    jobs = load_jobs(path)
    for reason in jobs.skipped:
        _log.warning("a part of the scrape jobs is not used", job=reason)

    def work() -> None:
        import asyncio  # noqa: PLC0415

        try:
            asyncio.run(run_scraper(jobs.targets, settings.door))
        finally:
            stopping.set()

    thread = threading.Thread(target=work, name="prometheus", daemon=True)
    thread.start()
    _log.info("scraping Prometheus targets", targets=len(jobs.targets))
    return thread


def start(settings: OwnSettings) -> MeterProvider:
    """Begin collecting; exports go to this home's receiver like everybody's."""
    exporter = ReceiverExporter(sender(settings.door, "/v1/metrics"))
    interval_ms = settings.host_interval_s * 1_000
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=interval_ms)
    resource = Resource({"service.name": "tta-monitor-host", "host.name": socket.gethostname()})
    provider = MeterProvider([reader], resource)
    HostMetrics(provider.get_meter("tta-monitor-host"), settings.process_patterns)
    try:
        GpuMetrics(provider.get_meter("tta-monitor-gpu"), open_nvml())
        _log.info("collecting host and GPU metrics")
    except NoGpu:
        _log.info("collecting host metrics; no GPU can be read here, so none is reported")
    return provider


if __name__ == "__main__":
    sys.exit(main())
