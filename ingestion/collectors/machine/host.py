"""Host and process metrics through the OpenTelemetry SDK, in the names of its conventions.

Here: what psutil measures, as observable instruments. Not here: which processes are measured
(`processes`). Source: semantic conventions for system and process metrics.
"""

import os
from collections.abc import Callable, Iterable, Iterator

import psutil
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from ingestion.collectors.machine.host_processes import ChosenProcesses

_Measure = Callable[[], Iterator[Observation]]


class HostMetrics:
    """Registers the host's and the chosen processes' instruments on a meter."""

    def __init__(self, meter: Meter, process_patterns: list[str]) -> None:
        self._processes = ChosenProcesses(process_patterns)
        counters: dict[str, tuple[str, _Measure]] = {
            "system.cpu.time": ("s", _cpu_time),
            "system.disk.io": ("By", _disk_io),
            "system.network.io": ("By", _network_io),
            "process.cpu.time": ("s", self._process_cpu),
        }
        gauges: dict[str, tuple[str, _Measure]] = {
            "system.cpu.utilization": ("1", _CpuUtilization()),
            "system.memory.usage": ("By", _memory_usage),
            "system.memory.utilization": ("1", _memory_utilization),
            "system.filesystem.utilization": ("1", _filesystem),
            "system.linux.cpu.load_1m": ("1", _load),
            "process.memory.usage": ("By", self._process_memory),
            "process.thread.count": ("{thread}", self._process_threads),
        }
        for name, (unit, measure) in counters.items():
            meter.create_observable_counter(name, [_callback(measure)], unit)
        for name, (unit, measure) in gauges.items():
            meter.create_observable_gauge(name, [_callback(measure)], unit)

    def _process_cpu(self) -> Iterator[Observation]:
        for one in self._processes():
            yield Observation(one.user_s, {**one.labels, "process.cpu.state": "user"})
            yield Observation(one.system_s, {**one.labels, "process.cpu.state": "system"})

    def _process_memory(self) -> Iterator[Observation]:
        return (Observation(one.rss, one.labels) for one in self._processes())

    def _process_threads(self) -> Iterator[Observation]:
        return (Observation(one.threads, one.labels) for one in self._processes())


class _CpuUtilization:
    """Shares of CPU time since the last measurement; the first one yields nothing."""

    def __init__(self) -> None:
        self._before: dict[str, float] | None = None

    def __call__(self) -> Iterator[Observation]:
        now = psutil.cpu_times()._asdict()
        before, self._before = self._before, now
        if before is None:
            return
        gained = {state: max(now[state] - before[state], 0.0) for state in now}
        total = sum(gained.values())
        if total > 0:
            for state, seconds in gained.items():
                yield Observation(seconds / total, {"system.cpu.state": state})


def _callback(
    measure: _Measure,
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return measure()

    return observe


def _cpu_time() -> Iterator[Observation]:
    for state, seconds in psutil.cpu_times()._asdict().items():
        yield Observation(seconds, {"system.cpu.state": state})


def _memory_usage() -> Iterator[Observation]:
    memory = psutil.virtual_memory()
    yield Observation(memory.total - memory.available, {"system.memory.state": "used"})
    yield Observation(memory.available, {"system.memory.state": "free"})


def _memory_utilization() -> Iterator[Observation]:
    memory = psutil.virtual_memory()
    used = (memory.total - memory.available) / memory.total
    yield Observation(used, {"system.memory.state": "used"})
    yield Observation(1 - used, {"system.memory.state": "free"})


def _filesystem() -> Iterator[Observation]:
    usage = psutil.disk_usage("/")
    yield Observation(usage.used / usage.total, {"system.filesystem.mountpoint": "/"})


def _load() -> Iterator[Observation]:
    yield Observation(os.getloadavg()[0])


def _disk_io() -> Iterator[Observation]:
    for device, io in (psutil.disk_io_counters(perdisk=True) or {}).items():
        yield Observation(io.read_bytes, {"system.device": device, "disk.io.direction": "read"})
        yield Observation(io.write_bytes, {"system.device": device, "disk.io.direction": "write"})


def _network_io() -> Iterator[Observation]:
    for name, io in psutil.net_io_counters(pernic=True).items():
        base = {"network.interface.name": name}
        yield Observation(io.bytes_recv, {**base, "network.io.direction": "receive"})
        yield Observation(io.bytes_sent, {**base, "network.io.direction": "transmit"})
