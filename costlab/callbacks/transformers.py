"""The cost of training steps and MFU in the logs of Hugging Face's Trainer."""

from __future__ import annotations

import sys
from typing import Any

import torch
from transformers import TrainerCallback

from .calls import Calls
from .ceiling import Ceiling, Stated, device_name, dtype_of_products
from .clocks import clock_for
from .meter import LOG, Meter
from .step_cost import as_written


class CostCallback(TrainerCallback):
    """Adds what a training step costs and MFU to each log of the loss, for every integration that
    the trainer reports to.

        trainer.add_callback(CostCallback(trainer))

    A step is what lies between two steps of the optimizer, with all its accumulated batches. The
    calls of the trainer's model are counted, forward and backward. They are traced on `meta` after
    the first step, and again when the shapes of the inputs change. In a run on several devices all
    numbers are of the first one.

    Args:
        trainer: the trainer that the callback is added to.
        ceiling: FLOP/s of one device that MFU is a share of, two FLOPs a multiply-add; None:
            matrix products in the dtype of training are measured when training starts.
        ceiling_source: where `ceiling` is from, with the dtype.
        window: steps that medians are of.
        max_shapes: at most so many different inputs are traced.

    Raises ValueError for a ceiling without a source.
    """

    def __init__(
        self,
        trainer: Any,
        *,
        ceiling: float | None = None,
        ceiling_source: str | None = None,
        window: int = 20,
        max_shapes: int = 8,
    ):
        self.ceiling: Ceiling | None = None
        self._trainer = trainer
        self._stated = Stated(ceiling, ceiling_source)
        self._window, self._max_shapes = window, max_shapes
        self._calls: Calls | None = None
        self._meter: Meter | None = None
        self._text = ""  # names the device and its ceiling; empty once it is logged

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the ceiling, and listen to the model."""
        self._stop()
        if not state.is_world_process_zero:
            return
        if args.n_gpu > 1:
            LOG.warning(
                "costlab: steps of nn.DataParallel are not counted; start one process a device "
                "with torchrun"
            )
            return
        handler = self._trainer.callback_handler
        # the first in the list adds to the logs before the others report them
        handler.callbacks = [self, *(c for c in handler.callbacks if c is not self)]
        self._start(args)
        print(f"costlab: {self._text}", file=sys.stderr)

    def _start(self, args: Any) -> None:
        model, called = self._trainer.model, self._trainer.model_wrapped
        autocast = torch.bfloat16 if args.bf16 else torch.float16 if args.fp16 else None
        self.ceiling = self._stated.on(args.device, dtype_of_products(model, autocast))
        # inside a compiled model no call is seen; a wrapper of one device, such as DDP, calls it
        compiled = as_written(called) is not called
        self._calls = Calls([called], {called: model}) if compiled else Calls([model])
        self._meter = Meter(
            clock_for(args.device),
            self.ceiling,
            params=sum(p.numel() for p in model.parameters()),
            window=self._window,
            max_shapes=self._max_shapes,
        )
        no_ceiling = "no ceiling is known, so MFU is not logged (ceiling=...)"
        self._text = str(self.ceiling or f"{device_name(args.device)}; {no_ceiling}")

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Params may have been frozen or unfrozen."""
        self._interrupt()
        if self._calls is not None:
            self._calls.look_up_trained()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step begins with its first batch."""
        if self._calls is not None and self._meter is not None:
            self._meter.begin()
            self._calls.listen()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The optimizer has made its step."""
        if self._calls is not None and self._meter is not None:
            self._meter.add(self._calls.stop())
            self._meter.end()

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add to the log of a training loss; those of evaluation are left alone."""
        if self._meter is None or logs is None or "loss" not in logs:
            return
        found: dict[str, float | str] = {**self._meter.metrics()}
        if found and self._text:
            found["costlab/ceiling"], self._text = self._text, ""
        logs.update(found)
        state.log_history[-1].update(found)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Evaluation is not training."""
        self._interrupt()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Nor is saving."""
        self._interrupt()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remove the hooks."""
        self._stop()

    def _interrupt(self) -> None:
        if self._meter is not None:
            self._meter.interrupt()

    def _stop(self) -> None:
        if self._calls is not None:
            self._calls.remove()
        self._calls = self._meter = None
