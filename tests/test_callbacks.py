"""The cost of training steps and MFU as Lightning and transformers log them."""

import csv
import os
import re
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from costlab.callbacks import ceiling
from costlab.callbacks.calls import Calls, outside_compiled
from costlab.callbacks.ceiling import Ceiling, Stated, dtype_of_products
from costlab.callbacks.clocks import clock_for
from costlab.callbacks.meter import Meter
from costlab.callbacks.step_cost import Call, StepCost, cost_of_call

MADE_UP = Ceiling(1e6, "a ceiling for tests", "a device")


class Ticks:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def mark(self):
        return self.now

    def seconds(self, start, end):
        return end - start


def mlp():
    """Forward 8*16 + 16*4 = 192 MACs a row; backward 128 for the first weight (its input needs no
    gradient) and 2*64 for the second layer: 256."""
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 4))


def call(model, *args, **kwargs):
    return Call.of(model, args, kwargs, trained=0)


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.reentrant = reentrant
        self.stem = nn.Linear(8, 8)
        self.inner = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 8))

    def forward(self, x):
        return checkpoint(self.inner, self.stem(x), use_reentrant=self.reentrant)


def frozen(model):
    model[0].requires_grad_(False)
    return model


@pytest.mark.parametrize(
    "model, forward, backward, recomputed",
    [
        (mlp(), 192, 256, 0),
        (frozen(mlp()), 192, 64, 0),  # the second layer's weight alone
        # stem 64, inner 128 + 128; backward: 64, and 2*(128 + 128). A checkpoint that saves tensors
        # stops before the last product, which nobody needs again; a reentrant one runs all
        (Checkpointed(False), 320, 576, 128),
        (Checkpointed(True), 320, 576, 256),
    ],
    ids=["mlp", "frozen", "checkpoint", "reentrant checkpoint"],
)
def test_the_cost_of_a_call(model, forward, backward, recomputed):
    cost = cost_of_call(call(model, torch.randn(4, 8)))
    assert (cost.forward_macs, cost.backward_macs) == (4 * forward, 4 * backward)
    assert cost.recomputed_macs == 4 * recomputed
    assert cost.model_flops == 2 * 4 * (forward + backward)
    assert cost.hardware_flops == 2 * 4 * (forward + backward + recomputed)


def test_a_call_without_gradients_has_no_backward_pass():
    with torch.no_grad():
        cost = cost_of_call(call(mlp(), torch.randn(4, 8)))
    assert (cost.forward_macs, cost.backward_macs, cost.unknown) == (768, 0, 0)


def test_the_gradient_goes_back_through_what_another_call_gave():
    """A discriminator behind a generator: its first layer's input has a gradient too."""
    given = nn.Linear(8, 8)(torch.randn(4, 8))
    assert cost_of_call(call(mlp(), given)).backward_macs == 4 * 2 * 192


class ByValue(nn.Module):
    """Goes on by a value of its input, which `meta` does not have."""

    def __init__(self):
        super().__init__()
        self.norm, self.fc = nn.BatchNorm1d(8), nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(self.norm(x)) if x.sum() > 0 else x


def state_of(model):
    return {
        "tensors": {k: v.clone() for k, v in model.state_dict().items()},
        "objects": [id(p) for p in (*model.parameters(), *model.buffers())],
        "grads": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        "random": torch.get_rng_state(),
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("model", [mlp(), ByValue()], ids=["on meta", "on the CPU"])
def test_a_model_its_inputs_and_the_random_state_are_as_before(model):
    x = torch.rand(4, 8)
    model(x).sum().backward()
    next(model.children()).eval()
    before, given = state_of(model), x.clone()
    assert cost_of_call(call(model, x)).macs > 0
    assert same(before, state_of(model)) and torch.equal(x, given)


def run_steps(meter, clock, model, batches, seconds=2.0):
    calls = Calls([model])
    for x in batches:
        meter.begin()
        calls.listen()
        model(x).sum().backward()
        meter.add(calls.stop())
        clock.now += seconds
        meter.end()
    calls.remove()


def test_mfu_is_flops_by_seconds_by_the_ceiling():
    clock = Ticks()
    meter = Meter(clock, MADE_UP, params=212)
    run_steps(meter, clock, mlp(), [torch.randn(4, 8)] * 3)
    found = meter.metrics()
    assert found["costlab/step_macs"] == 4 * (192 + 256) == 1792
    assert found["costlab/step_forward_macs"] == 768 and found["costlab/step_backward_macs"] == 1024
    assert found["costlab/params"] == 212 and found["costlab/step_activations"] == 4 * (16 + 4)
    assert found["costlab/step_seconds"] == 2
    assert found["costlab/step_tflops_per_s"] == 2 * 1792 / 2 / 1e12
    assert found["costlab/mfu"] == 2 * 1792 / 2 / 1e6
    assert found["costlab/ceiling_tflops_per_s"] == 1e6 / 1e12 and "costlab/hfu" not in found


class LateDevice(Ticks):
    """A device that is behind the host: a moment can be read once the device has come to it."""

    def __init__(self):
        super().__init__()
        self.arrived = 0.0

    def seconds(self, start, end):
        return end - start if end <= self.arrived else None


def test_steps_of_a_device_that_is_behind_are_logged_when_it_has_come_to_them():
    """Nothing waits for it: the first two of three steps are known, then all."""
    device, model = LateDevice(), mlp()
    meter = Meter(device, MADE_UP, params=212)
    run_steps(meter, device, model, [torch.randn(4, 8)] * 3)
    assert meter.metrics() == {}
    device.arrived = 4.0  # two steps of two seconds
    assert meter.metrics()["costlab/mfu"] == 2 * 1792 / 2 / 1e6
    device.arrived = 6.0
    run_steps(meter, device, model, [torch.randn(4, 8)], seconds=10)
    assert meter.metrics()["costlab/step_seconds"] == 2


class Event:
    """torch.cuda.Event on a device whose time is `now` milliseconds, and which has come to
    `arrived`."""

    now, arrived = 0.0, 0.0

    def __init__(self, enable_timing):
        assert enable_timing

    def record(self):
        self.at = Event.now

    def query(self):
        return self.at <= Event.arrived

    def elapsed_time(self, end):
        assert end.query()  # the real one raises
        return end.at - self.at


def test_the_clock_of_a_gpu_is_its_events_and_never_waits(monkeypatch):
    monkeypatch.setattr(torch.cuda, "Event", Event)
    clock = clock_for(torch.device("cuda", 1))
    start = clock.mark()
    monkeypatch.setattr(Event, "now", 250.0)
    end = clock.mark()
    assert clock.seconds(start, end) is None
    monkeypatch.setattr(Event, "arrived", 250.0)
    assert clock.seconds(start, end) == 0.25


class Gpu:
    """What costlab asks of a GPU here."""

    kind = "cuda"

    def describe(self):
        return {"device": "NVIDIA A GPU"}


def test_the_ceiling_of_a_gpu_is_named_after_it(monkeypatch):
    monkeypatch.setattr(ceiling, "find_device", lambda kind: Gpu())
    monkeypatch.setattr(ceiling, "random_state", lambda kind: lambda: None)
    rates = {"bf16": 8e14, "fp16": 0.0}  # a device without fp16 products
    monkeypatch.setattr(ceiling, "product_ceiling", lambda device, dtype: rates[dtype])
    gpu = torch.device("cuda", 1)
    found = str(Stated().on(gpu, "bf16"))
    assert found == "NVIDIA A GPU, ceiling 800 TFLOP/s (bf16 matrix products, measured in this run)"
    assert Stated().on(gpu, "fp16") is None and Stated().on(gpu, None) is None


def test_hfu_counts_recomputed_activations_and_mfu_does_not():
    clock = Ticks()
    meter = Meter(clock, MADE_UP, params=0)
    run_steps(meter, clock, Checkpointed(True), [torch.randn(4, 8)] * 2, seconds=1.0)
    found = meter.metrics()
    assert found["costlab/step_recomputed_macs"] == 4 * 256
    assert found["costlab/mfu"] == pytest.approx(2 * 4 * 896 / 1e6)
    assert found["costlab/hfu"] == pytest.approx(2 * 4 * (896 + 256) / 1e6)


def test_without_a_ceiling_there_is_no_mfu():
    clock = Ticks()
    meter = Meter(clock, None, params=0)
    run_steps(meter, clock, mlp(), [torch.randn(4, 8)] * 2)
    assert meter.metrics().keys() & {"costlab/mfu", "costlab/ceiling_tflops_per_s"} == set()
    assert meter.metrics()["costlab/step_macs"] == 1792


def test_each_shape_is_traced_once_and_at_most_so_many(caplog):
    clock, model = Ticks(), mlp()
    meter = Meter(clock, MADE_UP, params=0, max_shapes=2)
    run_steps(meter, clock, model, [torch.randn(n, 8) for n in (4, 2, 4)])
    assert meter.metrics()["costlab/step_macs"] == 1792
    run_steps(meter, clock, model, [torch.randn(2, 8)])
    assert meter.metrics()["costlab/step_macs"] == 2 * 448
    run_steps(meter, clock, model, [torch.randn(n, 8) for n in (1, 3, 1)])
    assert meter.metrics()["costlab/step_macs"] == 2 * 448
    assert [r.message for r in caplog.records] == [
        "costlab: steps have more than 2 different shapes of inputs; the others are left out of "
        "MFU (max_shapes)"
    ]


def test_waiting_for_data_counts_and_interruptions_do_not():
    clock, model, x = Ticks(), mlp(), torch.randn(4, 8)
    meter = Meter(clock, MADE_UP, params=0, window=1)
    run_steps(meter, clock, model, [x, x])
    clock.now += 3  # the loader
    run_steps(meter, clock, model, [x])
    assert meter.metrics()["costlab/step_seconds"] == 5
    clock.now += 100  # evaluation
    meter.interrupt()
    run_steps(meter, clock, model, [x])
    assert meter.metrics()["costlab/step_seconds"] == 2


class Breaks(nn.Module):
    """Runs in training, and in no trace: it asks for the memory of its input."""

    def __init__(self):
        super().__init__()
        self.fc, self.runs = nn.Linear(8, 4), []

    def forward(self, x):
        if COUNT["runs"]:
            raise RuntimeError("no second\nrun")
        return self.fc(x)


COUNT = {"runs": 0}


def test_a_trace_that_fails_is_one_line_and_training_goes_on(caplog):
    clock, model, x = Ticks(), Breaks(), torch.randn(4, 8)
    meter, calls = Meter(clock, MADE_UP, params=0), Calls([model])
    for _ in range(3):
        meter.begin()
        calls.listen()
        model(x)
        meter.add(calls.stop())
        COUNT["runs"] = 1
        meter.end()
        COUNT["runs"] = 0
    assert meter.metrics() == {} and len(caplog.records) == 1
    message = caplog.records[0].getMessage()
    assert message.startswith("costlab: the cost of a step is not known, because its trace failed:")
    assert "RuntimeError: no second" in message and "\n" not in message


def test_a_step_without_a_call_of_the_model_says_so(caplog):
    meter = Meter(Ticks(), MADE_UP, params=0)
    meter.begin()
    meter.end()
    assert "no call of the model was seen" in caplog.text and meter.metrics() == {}


def test_only_outermost_calls_of_the_forward_pass_are_found():
    model = nn.ModuleDict({"a": mlp(), "b": Checkpointed(True), "c": mlp()})
    calls = Calls(outside_compiled(model))
    model["a"](torch.randn(4, 8))  # not listening yet
    calls.listen()
    model["a"](torch.randn(4, 8))
    model["b"](torch.randn(2, 8)).sum().backward()  # recomputes its inner layers
    assert [c.module for c in calls.stop()] == [model["a"], model["b"]]
    calls.listen()
    model["c"][0](torch.randn(4, 8))
    assert [c.module for c in calls.stop()] == [model["c"][0]]
    calls.remove()
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_a_compiled_model_is_counted_as_it_was_written_and_compiled_once():
    compiled, model = [], mlp()

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    fast = torch.compile(model, backend=backend, fullgraph=True)
    whole = nn.ModuleDict({"net": fast})
    calls, clock = Calls(outside_compiled(whole)), Ticks()
    meter = Meter(clock, MADE_UP, params=0)
    for _ in range(3):
        meter.begin()
        calls.listen()
        fast(torch.randn(4, 8)).sum().backward()
        meter.add(calls.stop())
        clock.now += 1
        meter.end()
    assert meter.metrics()["costlab/step_macs"] == 1792 and len(compiled) == 1


@pytest.mark.parametrize(
    "given, message",
    [
        ({"flops_per_s": 989e12}, "go together"),
        ({"source": "a datasheet"}, "go together"),
        ({"flops_per_s": 0, "source": "a datasheet"}, "more than 0"),
    ],
)
def test_a_ceiling_has_a_source(given, message):
    with pytest.raises(ValueError, match=message):
        Stated(**given)


def test_a_ceiling_names_the_device_and_where_it_is_from():
    stated = Stated(989e12, "H100 SXM datasheet, bf16 dense").on(torch.device("cpu"), None)
    assert stated is not None and stated.flops_per_s == 989e12
    assert str(stated).endswith(", ceiling 989 TFLOP/s (H100 SXM datasheet, bf16 dense)")
    state = torch.get_rng_state()
    measured = Stated().on(torch.device("cpu"), "fp32")
    assert measured is not None and measured.flops_per_s > 0
    assert measured.source == "fp32 matrix products, measured in this run"
    assert measured.device and torch.equal(state, torch.get_rng_state())
    assert Stated().on(torch.device("meta"), "fp32") is None


@pytest.mark.parametrize(
    "model, autocast, name",
    [
        (mlp(), None, "fp32"),
        (mlp(), torch.bfloat16, "bf16"),
        (mlp().half(), None, "fp16"),
        (mlp().double(), None, None),
        (nn.ReLU(), None, None),
    ],
)
def test_the_dtype_of_the_ceiling(model, autocast, name):
    assert dtype_of_products(model, autocast) == name


def test_costs_add_up():
    assert StepCost(1, 2, 3, 4, 5, 6) + StepCost(1, 1, 1, 1, 1, 1) == StepCost(2, 3, 4, 5, 6, 7)


class Ticking(Ticks):
    """A clock on which every step takes one second."""

    def mark(self):
        self.now += 1
        return self.now


def rows():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 8, generator=generator)
    return x, torch.randint(4, (32,), generator=generator)


@pytest.fixture
def lightning(monkeypatch):
    """The framework, and our callback on a clock of one second a step."""
    package = pytest.importorskip("pytorch_lightning")
    ours = pytest.importorskip("costlab.callbacks.lightning")
    monkeypatch.setattr(ours, "clock_for", lambda device: Ticking())
    return package, ours.CostCallback


def fit(package, callbacks, folder, loggers=False, **options):
    """Train two epochs of 8 batches, with validation between them."""

    class Classifier(package.LightningModule):
        def __init__(self):
            super().__init__()
            self.net, self.norm = mlp(), nn.BatchNorm1d(4)

        def training_step(self, batch, batch_idx):
            loss = nn.functional.cross_entropy(self.norm(self.net(batch[0])), batch[1])
            self.log("loss", loss)
            return loss

        def validation_step(self, batch, batch_idx):
            self.net(batch[0])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    package.seed_everything(0, verbose=False)
    model = Classifier()
    trainer = package.Trainer(
        max_epochs=2,
        accelerator="cpu",
        log_every_n_steps=options.pop("log_every_n_steps", 2),
        callbacks=callbacks,
        logger=loggers,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    data = torch.utils.data.TensorDataset(*rows())
    trainer.fit(
        model,
        torch.utils.data.DataLoader(data, 4, shuffle=True),
        torch.utils.data.DataLoader(data, 4),
    )
    return model, trainer


STATED = {"ceiling": 1e6, "ceiling_source": "a ceiling for tests"}
# of the network in `fit`: 4 rows of `mlp`; its batch norm has no multiply-adds
MACS, MFU = 1792, 2 * 1792 / 1e6


def csv_rows(logger):
    with open(Path(logger.log_dir) / "metrics.csv") as f:
        return [r for r in csv.DictReader(f) if r["costlab/step_macs"]]


@pytest.mark.parametrize("batches, macs, logged", [(1, MACS, 8), (2, 2 * MACS, 4)])
def test_lightning_logs_the_cost_of_a_step(lightning, tmp_path, batches, macs, logged):
    package, callback = lightning
    logger = package.loggers.CSVLogger(tmp_path)
    options = {"accumulate_grad_batches": batches}
    model, _ = fit(package, [callback(**STATED)], tmp_path, [logger], **options)
    rows = csv_rows(logger)
    assert len(rows) == logged
    for row in rows:
        assert int(row["costlab/step_macs"]) == macs
        assert int(row["costlab/params"]) == 8 * 16 + 16 + 16 * 4 + 4 + 2 * 4
        assert float(row["costlab/mfu"]) == 2 * macs / 1e6 and row["costlab/step_seconds"] == "1.0"
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    hparams = (Path(logger.log_dir) / "hparams.yaml").read_text()
    assert "costlab/ceiling_source: a ceiling for tests" in hparams and "costlab/device:" in hparams


def test_training_with_lightning_is_the_same_to_the_bit(lightning, tmp_path):
    package, callback = lightning
    plain, _ = fit(package, [], tmp_path)
    watched, _ = fit(package, [callback()], tmp_path)  # which measures its ceiling
    assert same(dict(plain.state_dict()), dict(watched.state_dict()))


def test_tensorboard_has_them_by_lightning(lightning, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    package, callback = lightning
    logger = package.loggers.TensorBoardLogger(tmp_path)
    fit(package, [callback(**STATED)], tmp_path, [logger])
    events = EventAccumulator(logger.log_dir).Reload()
    assert [(e.step, e.value) for e in events.Scalars("costlab/step_macs")] == [
        (step, MACS) for step in range(1, 16, 2)
    ]
    assert [e.value for e in events.Scalars("costlab/mfu")] == [pytest.approx(MFU)] * 8
    named = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"costlab/ceiling_source" in named and b"a ceiling for tests" in named


@pytest.mark.slow
def test_mlflow_has_them_by_lightning(lightning, tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    package, callback = lightning
    logger = package.loggers.MLFlowLogger(tracking_uri=f"file:{tmp_path}")
    fit(package, [callback(**STATED)], tmp_path, [logger])
    run = logger.experiment.get_run(logger.run_id).data
    assert (run.metrics["costlab/step_macs"], run.metrics["costlab/mfu"]) == (MACS, MFU)
    assert run.params["costlab/ceiling_source"] == "a ceiling for tests"


@pytest.mark.slow
def test_wandb_has_them_by_lightning(lightning, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # it leaves folders there
    package, callback = lightning
    logger = package.loggers.WandbLogger(save_dir=tmp_path, offline=True)
    try:
        fit(package, [callback(**STATED)], tmp_path, [logger])
    finally:
        logger.experiment.finish()
        wandb.teardown()  # waits for the process that writes the file; `finish` does not
    (kept,) = tmp_path.rglob("*.wandb")  # records with JSON values
    for text in ("costlab/mfu", str(MFU), "costlab/ceiling_source", "a ceiling for tests"):
        assert text.encode() in kept.read_bytes()


@pytest.fixture
def hugging_face(monkeypatch):
    """transformers, and our callback on a clock of one second a step."""
    package = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    ours = pytest.importorskip("costlab.callbacks.transformers")
    monkeypatch.setattr(ours, "clock_for", lambda device: Ticking())
    return package, ours.CostCallback


# of one row of 6 tokens through `language_model`: embeddings look up
# q, k, v, o 4*(8*8), MLP 3*(8*16), head 8*20, by 6 tokens; two products of attention 2*(6*6*8)
LINEAR = 6 * (4 * 64 + 3 * 128 + 160)
FORWARD = LINEAR + 2 * 36 * 8


def language_model(package):
    torch.manual_seed(0)
    config = package.LlamaConfig(
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        vocab_size=20,
        use_cache=False,
        attention_dropout=0.1,
    )
    return package.LlamaForCausalLM(config)


def train(package, callback, folder, **options):
    """Train 6 steps on 12 rows of 6 tokens, with evaluation in between."""
    ids = torch.randint(20, (12, 6), generator=torch.Generator().manual_seed(0))
    rows = [
        {"input_ids": row, "labels": row, "attention_mask": torch.ones_like(row)} for row in ids
    ]
    arguments = package.TrainingArguments(
        output_dir=folder,
        max_steps=6,
        logging_steps=2,
        eval_strategy="steps",
        eval_steps=3,
        save_strategy="no",
        per_device_train_batch_size=2,
        use_cpu=True,
        disable_tqdm=True,
        report_to=options.pop("report_to", "none"),
        **options,
    )
    trainer = package.Trainer(
        language_model(package), arguments, train_dataset=rows, eval_dataset=rows[:2]
    )
    if callback is not None:
        trainer.add_callback(callback(trainer, **STATED))
    trainer.train()
    return trainer


def logged(trainer):
    return [entry for entry in trainer.state.log_history if "costlab/step_macs" in entry]


@pytest.mark.parametrize(
    "options, rows",
    [
        ({}, 2),
        pytest.param({"gradient_accumulation_steps": 3}, 6, marks=pytest.mark.slow),
        pytest.param({"bf16": True}, 2, marks=pytest.mark.slow),
        pytest.param(
            {"torch_compile": True, "torch_compile_backend": "eager"}, 2, marks=pytest.mark.slow
        ),
    ],
    ids=["plain", "accumulated", "bf16", "compiled"],
)
def test_trainer_logs_the_cost_of_a_step(hugging_face, tmp_path, options, rows, capsys):
    trainer = train(*hugging_face, tmp_path, **options)
    found = logged(trainer)
    assert [entry["step"] for entry in found] == [2, 4, 6]
    for entry in found:
        assert entry["loss"] > 0 and entry["costlab/step_forward_macs"] == rows * FORWARD
        assert entry["costlab/step_backward_macs"] == rows * 2 * FORWARD
        assert entry["costlab/step_seconds"] == 1
        assert entry["costlab/mfu"] == 2 * 3 * rows * FORWARD / 1e6
    assert [e["costlab/ceiling"] for e in found if "costlab/ceiling" in e] == [
        found[0]["costlab/ceiling"]
    ]
    assert found[0]["costlab/ceiling"].endswith("ceiling 1e-06 TFLOP/s (a ceiling for tests)")
    assert "TFLOP/s (a ceiling for tests)" in capsys.readouterr().err
    assert not any(m._forward_pre_hooks for m in trainer.model.modules())


def test_trainer_recomputes_activations(hugging_face, tmp_path):
    trainer = train(*hugging_face, tmp_path, gradient_checkpointing=True)
    entry = logged(trainer)[-1]
    assert entry["costlab/step_backward_macs"] == 2 * 2 * FORWARD
    assert 0 < entry["costlab/step_recomputed_macs"] <= 2 * FORWARD
    assert entry["costlab/hfu"] > entry["costlab/mfu"] == 2 * 3 * 2 * FORWARD / 1e6


def test_training_with_trainer_is_the_same_to_the_bit(hugging_face, tmp_path):
    package, callback = hugging_face
    plain, watched = (train(package, c, tmp_path).model for c in (None, callback))
    assert same(dict(plain.state_dict()), dict(watched.state_dict()))


def test_tensorboard_has_them_by_trainer(hugging_face, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    train(*hugging_face, tmp_path, report_to="tensorboard")
    events = EventAccumulator(str(tmp_path / "board")).Reload()
    found = events.Scalars("train/costlab/step_macs")
    assert [(e.step, e.value) for e in found] == [(step, 6 * FORWARD) for step in (2, 4, 6)]
    assert "train/costlab/ceiling/text_summary" in events.Tags()["tensors"]


@pytest.mark.slow
def test_mlflow_has_them_by_trainer(hugging_face, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path}/runs")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    mlflow.set_tracking_uri(f"file:{tmp_path}/runs")
    mlflow.set_experiment("steps")
    train(*hugging_face, tmp_path, report_to="mlflow")
    mlflow.end_run()
    client = mlflow.MlflowClient(f"file:{tmp_path}/runs")
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert run.data.metrics["costlab/step_macs"] == 6 * FORWARD
    assert run.data.metrics["costlab/mfu"] == 2 * 6 * FORWARD / 1e6


def test_the_guide_shows_how(lightning, hugging_face, tmp_path):
    """Its two blocks run, and it names all that is logged."""
    guide = (Path(__file__).parents[1] / "docs" / "how-to" / "training.md").read_text()
    first, second = re.findall(r"^```python\n(.*?)^```", guide, re.M | re.S)
    names = {"Trainer": lightning[0].Trainer}
    exec(first, names)
    assert any(isinstance(c, lightning[1]) for c in names["trainer"].callbacks)
    trainer = train(hugging_face[0], None, tmp_path)
    exec(second, {"trainer": trainer})
    assert any(isinstance(c, hugging_face[1]) for c in trainer.callback_handler.callbacks)
    clock = Ticks()
    meter = Meter(clock, MADE_UP, params=0)
    run_steps(meter, clock, Checkpointed(True), [torch.randn(4, 8)] * 2)
    for name in meter.metrics():
        assert f"`{name}`" in guide or f"`{name.removeprefix('costlab/')}`" in guide


# last: W&B keeps nothing of a run in a process that has had a process group
def test_of_several_devices_the_first_alone_logs(lightning, hugging_face, tmp_path, caplog):
    """Other processes hook nothing. nn.DataParallel has one process, which says that it does not
    count."""
    quiet = lightning[1](**STATED)
    quiet.on_train_start(SimpleNamespace(is_global_zero=False), mlp())
    quiet.on_train_batch_start(None, None, None, 0)
    quiet.on_train_batch_end(None, None, None, None, 0)
    assert quiet.ceiling is None

    model = mlp()
    ours = hugging_face[1](SimpleNamespace(model=model, model_wrapped=model), **STATED)
    for first, gpus in ((False, 1), (True, 2)):
        state = SimpleNamespace(is_world_process_zero=first)
        ours.on_train_begin(SimpleNamespace(n_gpu=gpus), state, None)
        ours.on_step_begin(None, state, None)
        ours.on_step_end(None, state, None)
        logs = {"loss": 1.0}
        ours.on_log(None, state, None, logs=logs)
        assert logs == {"loss": 1.0} and not any(m._forward_pre_hooks for m in model.modules())
    (line,) = [r.getMessage() for r in caplog.records if "DataParallel" in r.getMessage()]
    assert line.endswith("start one process a device with torchrun")


def test_lightning_under_ddp_counts_the_network_and_not_the_redirection(lightning, tmp_path):
    package, callback = lightning
    logger = package.loggers.CSVLogger(tmp_path)
    with mock.patch.dict(os.environ):  # DDP leaves its ranks there
        fit(package, [callback(**STATED)], tmp_path, [logger], strategy="ddp", devices=1)
    torch.distributed.destroy_process_group()
    assert {int(row["costlab/step_macs"]) for row in csv_rows(logger)} == {MACS}
