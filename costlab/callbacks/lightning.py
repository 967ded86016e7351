"""The cost of training steps and MFU in the loggers of Lightning."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import torch

from .calls import Calls, outside_compiled
from .ceiling import Ceiling, Stated, device_name, dtype_of_products
from .clocks import clock_for
from .meter import Meter

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")  # one framework by two names
_AUTOCAST = {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}


def _package() -> Any:
    """Lightning by the name that the program uses. Raises ModuleNotFoundError without either."""
    for name in sorted(_PACKAGES, key=lambda name: name not in sys.modules):
        try:
            return import_module(name)
        except ModuleNotFoundError as e:
            if e.name not in (name, name.partition(".")[0]):
                raise
    raise ModuleNotFoundError("the Lightning callback needs Lightning: pip install lightning")


_lightning = _package()


class CostCallback(_lightning.Callback):
    """Logs what a training step costs and MFU to every logger of the trainer.

        Trainer(callbacks=[CostCallback()])

    A step is what lies between two steps of the optimizer: of accumulated gradients, all batches.
    The calls of models in `training_step` are counted, forward and backward; a loss outside of them
    is not. They are traced on `meta` after the first step, and again when the shapes of the inputs
    change. In a run on several devices all numbers are of the first one.

    Args:
        ceiling: FLOP/s of one device that MFU is a share of, two FLOPs a multiply-add; None:
            matrix products in the dtype of training are measured when training starts.
        ceiling_source: where `ceiling` is from, with the dtype.
        every_n_steps: how often to log; None: as the trainer does.
        window: steps that medians are of.
        max_shapes: at most so many different inputs are traced.

    Raises ValueError for a ceiling without a source.
    """

    def __init__(
        self,
        *,
        ceiling: float | None = None,
        ceiling_source: str | None = None,
        every_n_steps: int | None = None,
        window: int = 20,
        max_shapes: int = 8,
    ):
        self.ceiling: Ceiling | None = None
        self._stated = Stated(ceiling, ceiling_source)
        self._every_n_steps, self._window, self._max_shapes = every_n_steps, window, max_shapes
        self._calls: Calls | None = None
        self._meter: Meter | None = None
        self._optimizer_steps = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Measure the ceiling, and listen to the models."""
        if not trainer.is_global_zero:
            return
        device = trainer.strategy.root_device
        dtype = dtype_of_products(pl_module, _AUTOCAST.get(str(trainer.precision)))
        self.ceiling = self._stated.on(device, dtype)
        self._optimizer_steps = trainer.global_step
        self._calls = Calls(outside_compiled(pl_module))
        self._meter = Meter(
            clock_for(device),
            self.ceiling,
            params=sum(p.numel() for p in pl_module.parameters()),
            window=self._window,
            max_shapes=self._max_shapes,
        )
        self._name(trainer, device)

    def _name(self, trainer: Any, device: torch.device) -> None:
        """Say which device it is, and what its ceiling is and where from."""
        if self.ceiling is None:
            text = f"{device_name(device)}; no ceiling is known, so MFU is not logged (ceiling=...)"
            named = {"costlab/device": device_name(device)}
        else:
            text = str(self.ceiling)
            named = {
                "costlab/device": self.ceiling.device,
                "costlab/ceiling_tflops_per_s": self.ceiling.flops_per_s / 1e12,
                "costlab/ceiling_source": self.ceiling.source,
            }
        import_module(f"{_lightning.__name__}.utilities").rank_zero_info(f"costlab: {text}")
        for logger in trainer.loggers:
            logger.log_hyperparams(named)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Callbacks that freeze and unfreeze do so here."""
        self._interrupt()
        if self._calls is not None:
            self._calls.look_up_trained()

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """A batch begins, and with it a step unless gradients accumulate."""
        if self._calls is None or self._meter is None:
            return
        if not self._meter.running:
            self._meter.begin()
        wrapped = trainer.strategy.model is not pl_module  # by DDP, whose forward is training_step
        self._calls.listen(skip=pl_module if wrapped else None)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A batch has ended, and with it the step where the optimizer has made one."""
        if self._calls is None or self._meter is None:
            return
        self._meter.add(self._calls.stop())
        if trainer.global_step == self._optimizer_steps:
            return
        self._optimizer_steps = trainer.global_step
        self._meter.end()
        step = trainer.fit_loop.epoch_loop._batches_that_stepped  # the axis of Lightning's own logs
        if (step + 1) % (self._every_n_steps or trainer.log_every_n_steps):
            return
        metrics = self._meter.metrics()
        for logger in trainer.loggers if metrics else ():
            logger.log_metrics(metrics, step=step)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Evaluation is not training."""
        self._interrupt()

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: Any) -> None:
        """Nor is saving."""
        self._interrupt()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Remove the hooks, also after an exception."""
        if self._calls is not None:
            self._calls.remove()
        self._calls = self._meter = None

    def _interrupt(self) -> None:
        if self._meter is not None:
            self._meter.interrupt()
