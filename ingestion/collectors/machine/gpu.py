"""GPU metrics through NVML, when there is a GPU; without one nothing is sent, never a zero.

Names: OpenTelemetry `hw.*` (Development). The module `pynvml` comes from nvidia-ml-py.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation


class NoGpu(Exception):
    """NVML is not usable here; the message says why in NVML's words."""


def open_nvml() -> Any:
    """The initialised pynvml module; raises NoGpu."""
    try:
        import pynvml  # noqa: PLC0415 - optional at run time
    except ImportError as error:
        raise NoGpu("pynvml is not installed") from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NoGpu(str(error)) from None
    return pynvml


class GpuMetrics:
    """Registers one set of instruments for all devices of an NVML module."""

    def __init__(self, meter: Meter, nvml: Any) -> None:
        self._nvml = nvml
        self._devices = [self._describe(i) for i in range(nvml.nvmlDeviceGetCount())]
        gauges: dict[str, tuple[str, Callable[[Any], float]]] = {
            "hw.gpu.utilization": ("1", lambda h: nvml.nvmlDeviceGetUtilizationRates(h).gpu / 100),
            "hw.gpu.memory.usage": ("By", lambda h: nvml.nvmlDeviceGetMemoryInfo(h).used),
            "hw.gpu.memory.limit": ("By", lambda h: nvml.nvmlDeviceGetMemoryInfo(h).total),
            "hw.power": ("W", lambda h: nvml.nvmlDeviceGetPowerUsage(h) / 1_000),
            "hw.temperature": ("Cel", lambda h: nvml.nvmlDeviceGetTemperature(h, 0)),
        }
        for name, (unit, read) in gauges.items():
            meter.create_observable_gauge(name, [self._callback(read)], unit)
        # The device's own counter, in millijoules since the driver was loaded.
        energy = self._callback(lambda h: nvml.nvmlDeviceGetTotalEnergyConsumption(h) / 1_000)
        meter.create_observable_counter("hw.energy", [energy], "J")

    def _describe(self, index: int) -> tuple[Any, dict[str, str]]:
        handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
        name = self._nvml.nvmlDeviceGetName(handle)
        text = name.decode() if isinstance(name, bytes) else name
        return handle, {"hw.id": str(index), "hw.type": "gpu", "hw.model": text}

    def _callback(
        self, read: Callable[[Any], float]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterator[Observation]:
            for handle, labels in self._devices:
                try:
                    value = read(handle)
                except self._nvml.NVMLError:
                    # This device does not measure this: leave the point out.
                    continue
                yield Observation(value, labels)

        return observe
