"""How far a measurement is, and how long the rest may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

# stages in order, with the share of the time that each took on the networks measured so far
STAGES = {
    "a trace of the model": 0.10,
    "warm-up calls": 0.05,
    "the device's ceilings": 0.10,
    "the whole model": 0.20,
    "its operations in place": 0.15,
    "its modules alone": 0.40,
}


@dataclass(frozen=True)
class Progress:
    """`stage` is what is done now, `fraction` how much of the whole is done (0 to 1),
    `seconds_left` an estimate from the time so far (None: too early to tell)."""

    stage: str
    fraction: float
    seconds_left: float | None

    def __str__(self) -> str:
        left = f", about {self.seconds_left:.0f} s left" if self.seconds_left is not None else ""
        return f"measuring: {self.stage} ({100 * self.fraction:.0f}%{left})"


class Reporter:
    """Tells `listener` at each stage, and within one by how many of its steps are done; `stage` is
    the last one."""

    def __init__(self, listener: Callable[[Progress], None] | None):
        self.stage = ""
        self._listener = listener
        self._begin = time.perf_counter()

    def __call__(self, stage: str, done: int = 0, of: int = 1) -> None:
        self.stage = stage
        if not self._listener:
            return
        before = sum(STAGES[s] for s in list(STAGES)[: list(STAGES).index(stage)])
        fraction = before + STAGES[stage] * done / max(of, 1)
        text = stage if of == 1 else f"{stage}, {done + 1} of {of}"
        elapsed = time.perf_counter() - self._begin
        left = elapsed * (1 - fraction) / fraction if fraction > 0.2 else None
        self._listener(Progress(text, fraction, left))
