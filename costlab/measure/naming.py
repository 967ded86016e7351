"""What a measured trace is called, so that runs on several devices stand beside one another.

`googlenet.h100.fp32.nchw.1x3x224x224.trace`: the model, the device, the dtype, the layout and the
first input with its batch. The name is for people; everything in it is inside the trace too, and
is looked up there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..trace import Trace

LAYOUTS = {"contiguous": "nchw", "channels-last": "nhwc"}
# what a device's name says beside the model: "NVIDIA H100 80GB HBM3" is h100
_NOISE = re.compile(r"\b(nvidia|geforce|amd|intel|cpu|processor|\d+gb|hbm\d\w*)\b|\((r|tm)\)|@.*")


@dataclass(frozen=True)
class RunName:
    """What tells measured runs of one folder apart. `inputs`: the first input's shape, as
    1x3x224x224."""

    model: str
    device: str
    dtype: str
    layout: str
    inputs: str

    @classmethod
    def of(cls, trace: Trace) -> RunName:
        """The name of a measured trace. Raises ValueError for one that was not measured."""
        if not trace.measured:
            raise ValueError(f"{trace.provenance['model']} was not measured")
        c, inputs = trace.measured.conditions, trace.provenance["inputs"]
        shape = inputs[0][0] if inputs else "none"
        return cls(
            model=words(trace.provenance["model"]),
            device=device_slug(c["device"]),
            dtype=c["dtype"],
            layout=LAYOUTS.get(c["layout"], words(c["layout"])),
            inputs=shape,
        )

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.model}.{self.device}.{self.dtype}.{self.layout}.{self.inputs}.trace"


def device_slug(name: str) -> str:
    """A device's name in a file name: h100, h200, a100-sxm4, xeon-2-20ghz."""
    return words(_NOISE.sub(" ", name.lower())) or words(name)


def words(text: str) -> str:
    """The words of a text in a file name."""
    return "-".join(re.findall(r"[a-z0-9_]+", text.lower()))
