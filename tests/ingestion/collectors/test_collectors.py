"""Host and GPU metrics: conventional names, no command lines, nothing where nothing is measured."""

from types import SimpleNamespace

import psutil
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from ingestion.collectors.machine.gpu import GpuMetrics, NoGpu, open_nvml
from ingestion.collectors.machine.host import HostMetrics
from privacy.gate.allow_list import load_allow_list


def collected(reader: InMemoryMetricReader) -> dict[str, list]:
    data = reader.get_metrics_data()
    return {
        metric.name: list(metric.data.data_points)
        for resource in (data.resource_metrics if data else [])
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


def test_host_metrics_have_conventional_names_and_allowed_labels_only(reader) -> None:
    HostMetrics(MeterProvider([reader]).get_meter("t"), ["pytest", "python"])
    # The share of a CPU is that of the time between two readings, which takes a tick of the clock.
    found = collected(reader)
    while "system.cpu.utilization" not in found:
        found = collected(reader)
    assert {
        "system.cpu.time", "system.cpu.utilization", "system.memory.usage", "system.memory.utilization",
        "system.linux.cpu.load_1m", "process.cpu.time", "process.memory.usage",
    } <= set(found)  # fmt: skip
    policy = load_allow_list()
    labels = {key for points in found.values() for p in points for key in p.attributes}
    assert all(policy.decide("metric", key).is_listed for key in labels)
    executables = {p.attributes["process.executable.name"] for p in found["process.memory.usage"]}
    assert all("/" not in name and " " not in name for name in executables)


def test_the_first_cpu_share_is_left_out_and_shares_sum_to_one(reader) -> None:
    HostMetrics(MeterProvider([reader]).get_meter("t"), [])
    assert "system.cpu.utilization" not in collected(reader)
    while not (shares := collected(reader).get("system.cpu.utilization")):
        pass
    assert sum(p.value for p in shares) == pytest.approx(1)


def test_a_process_that_ends_meanwhile_is_left_out(reader, monkeypatch) -> None:
    def gone(_: object) -> None:
        raise psutil.NoSuchProcess(1)

    monkeypatch.setattr(psutil.Process, "memory_info", gone)
    HostMetrics(MeterProvider([reader]).get_meter("t"), ["python"])
    assert not collected(reader).get("process.memory.usage")


class _NvmlError(Exception):
    pass


def fake_nvml(**broken: bool) -> SimpleNamespace:
    def energy(_: int) -> int:
        if broken.get("energy"):
            raise _NvmlError("not supported")
        return 5_000

    return SimpleNamespace(
        NVMLError=_NvmlError,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda i: i,
        nvmlDeviceGetName=lambda i: b"NVIDIA H200" if i else "NVIDIA L4",
        nvmlDeviceGetUtilizationRates=lambda _: SimpleNamespace(gpu=40),
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(used=10, total=100),
        nvmlDeviceGetPowerUsage=lambda _: 250_000,
        nvmlDeviceGetTemperature=lambda *_: 55,
        nvmlDeviceGetTotalEnergyConsumption=energy,
    )


def test_each_gpu_reports_in_base_units(reader) -> None:
    GpuMetrics(MeterProvider([reader]).get_meter("t"), fake_nvml())
    found = collected(reader)
    assert {p.value for p in found["hw.power"]} == {250.0}
    assert {p.value for p in found["hw.energy"]} == {5.0}
    assert {p.value for p in found["hw.gpu.utilization"]} == {0.4}
    assert {p.attributes["hw.model"] for p in found["hw.power"]} == {"NVIDIA L4", "NVIDIA H200"}


def test_what_a_gpu_does_not_measure_is_left_out_not_zero(reader) -> None:
    GpuMetrics(MeterProvider([reader]).get_meter("t"), fake_nvml(energy=True))
    found = collected(reader)
    assert "hw.energy" not in found
    assert "hw.power" in found


def test_without_a_gpu_the_reason_is_named() -> None:
    try:
        open_nvml()
    except NoGpu as problem:
        assert str(problem)
