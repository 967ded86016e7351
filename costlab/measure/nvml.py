"""Clocks, power and temperature of a GPU by NVML (the `nvidia-ml-py` package, an extra).

They are read and never set. Reading all of them takes about half a millisecond, on the host alone:
it is done while the device works, and nothing waits for it.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..trace.facts import Sample

MISSING = "clocks, power and temperature were not read: install nvidia-ml-py (costlab[gpu])"

_DRIVER = Path("/proc/driver/nvidia/version")


def driver_of(file: Path) -> str | None:
    """The version in the text of the driver: "NVRM version: NVIDIA UNIX x86_64 Kernel Module
    550.54.15  Tue Mar  5 ..."; None for a file that is not there or says nothing of the kind."""
    try:
        found = re.search(r"Kernel Module\D* (?:for x86_64 +)?(\d+(?:\.\d+)+)", file.read_text())
    except OSError:
        return None
    return found[1] if found else None


class Sensors:
    """The sensors of the GPU with the UUID `uuid`; without NVML `missing` says why not."""

    def __init__(self, uuid: str | None):
        self._nvml, self._handle, self.missing = None, None, ""
        try:
            import pynvml
        except ImportError:
            self.missing = MISSING
            return
        try:
            pynvml.nvmlInit()
            self._handle = (
                pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
                if uuid  # CUDA's indices are not NVML's
                else pynvml.nvmlDeviceGetHandleByIndex(0)
            )
            self._nvml = pynvml
        except pynvml.NVMLError as e:
            self.missing = f"clocks, power and temperature were not read: NVML says {e}"

    def joules(self) -> float | None:
        """The energy that the device has used since its driver was loaded; None where it has no
        counter (before Volta) or NVML is missing."""
        if self._nvml is None:
            return None
        try:
            return self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1000
        except self._nvml.NVMLError:
            return None

    def driver(self) -> str | None:
        """The version of the driver, by NVML or by what the driver says in /proc; None where
        neither tells."""
        if self._nvml is not None:
            try:
                return self._nvml.nvmlSystemGetDriverVersion()
            except self._nvml.NVMLError:
                pass
        return driver_of(_DRIVER)

    def sample(self) -> Sample:
        """`sm_mhz`, `memory_mhz`, `watts`, `celsius` and `throttle` (NVML's bits, 0: none); what
        the device does not tell is left out."""
        n, handle = self._nvml, self._handle
        if n is None:
            return {}
        readings = {
            "sm_mhz": lambda: n.nvmlDeviceGetClockInfo(handle, n.NVML_CLOCK_SM),
            "memory_mhz": lambda: n.nvmlDeviceGetClockInfo(handle, n.NVML_CLOCK_MEM),
            "watts": lambda: round(n.nvmlDeviceGetPowerUsage(handle) / 1000, 1),
            "celsius": lambda: n.nvmlDeviceGetTemperature(handle, n.NVML_TEMPERATURE_GPU),
            "throttle": lambda: n.nvmlDeviceGetCurrentClocksEventReasons(handle),
        }
        found: Sample = {}
        for name, read in readings.items():
            try:
                found[name] = read()
            except n.NVMLError:
                continue
        return found
