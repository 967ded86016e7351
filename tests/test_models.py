"""Models as the command line names them, and inputs of every form."""

import dataclasses
import json

import pytest
import torch
from selection import slow_but
from torch import nn

import costlab
from costlab.cli import main


def total_of(capsys, *argv):
    assert main(["table", *argv, "--format", "json", "--convention", "macs"]) == 0
    doc = json.loads(capsys.readouterr().out)
    return doc["total"]["params (elements)"], doc["total"]["ops (MACs)"]


def test_a_factory_in_a_file_with_arguments_and_keyword_inputs(tmp_path, capsys):
    file = tmp_path / "my net.py"
    file.write_text("""
from torch import nn
class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.emb, self.fc = nn.Embedding(10, width), nn.Linear(width, 2)
    def forward(self, ids, scale=None):
        return self.fc(self.emb(ids)) * scale
def build(width=4):
    return Net(width)
""")
    got = total_of(
        capsys, f"{file}:build", "--arg", "width=8", "--input", "2x3:int64", "--input", "scale=1"
    )
    assert got == (10 * 8 + 18, 2 * 3 * 16)


@pytest.mark.parametrize(
    "spec, line",
    [
        ("{file}:biuld", "has no callable 'biuld'; did you mean build?"),
        ("{file}:broken", "building {file}:broken failed: ZeroDivisionError: division by zero"),
        ("{file}:number", "returned an object of type int, not a torch.nn.Module"),
        ("{file}", "name its factory, as in {file}:build"),
        ("missing.py:build", "no file missing.py"),
        ("{bad}:build", "importing {bad} failed: SyntaxError"),
        ("{file}:build", "needs --input"),
    ],
)
def test_bad_factories_are_one_line(tmp_path, capsys, spec, line):
    file, bad = tmp_path / "net.py", tmp_path / "bad.py"
    file.write_text(
        "from torch import nn\n"
        "build = lambda: nn.Linear(2, 2)\n"
        "number = lambda: 3\n"
        "def broken():\n"
        "    return 1 / 0\n"
    )
    bad.write_text("def (")
    names = {"file": file, "bad": bad}
    assert main(["table", spec.format(**names)]) == 2
    err = capsys.readouterr().err
    assert line.format(**names) in err and err.count("\n") == 1


def test_transformers_by_class_and_by_config_file(tmp_path, capsys):
    pytest.importorskip("transformers")
    small = dict(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
    )
    # per token: q 32*32, k and v 32*16 each, out 32*32, mlp 3*32*64; attention 2*T*32; head 32*50
    layer = 32 * 32 * 2 + 2 * 32 * 16 + 3 * 32 * 64
    macs = 16 * (2 * layer + 32 * 50) + 2 * 2 * 16 * 16 * 32
    params = 2 * (layer + 2 * 32) + 32 + 2 * 50 * 32
    by_class = total_of(
        capsys,
        "transformers:LlamaConfig",
        *(f for k, v in small.items() for f in ("--arg", f"{k}={v}")),
        "--input",
        "input_ids=1x16:int64",
    )
    file = tmp_path / "config.json"
    file.write_text(
        json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"], **small})
    )
    by_file = total_of(capsys, f"transformers:{file}", "--input", "input_ids=1x16:int64")
    assert by_class == by_file == (params, macs)


@pytest.mark.parametrize(
    "spec, line",
    [
        ("transformers:LamaConfig", "did you mean LlamaConfig"),
        ("transformers:no.json", "cannot read no.json"),
        ("timm:resnet51", "did you mean"),
    ],
)
def test_misspelt_names_of_libraries(spec, line, capsys):
    pytest.importorskip(spec.partition(":")[0])
    assert main(["table", spec]) == 2 and line in capsys.readouterr().err


def test_timm_takes_its_own_input_size(capsys):
    pytest.importorskip("timm")
    torchvision, timm = (total_of(capsys, f"{lib}:inception_v3") for lib in ("torchvision", "timm"))
    assert timm == (23834568, 5713216096) and torchvision[1] == timm[1]


@dataclasses.dataclass
class Batch:
    a: torch.Tensor
    b: torch.Tensor


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2, bias=False)

    def forward(self, first, *rest, extra=None):
        if isinstance(first, dict):
            first = first["x"][0]
        if isinstance(first, Batch):
            return Batch(self.fc(first.a), first.b)
        return {"out": (self.fc(first + sum(rest)), [extra])}


X = torch.zeros(3, 4)


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize(
    "inputs, kwargs, outputs",
    [
        (X, None, 1),
        ((X, X), {"extra": X}, 2),
        (({"x": [X]},), None, 1),
        ({"first": X}, None, 1),
        ((Batch(X, X),), None, 2),
    ],
    ids=["tensor", "several", "nested", "keywords", "dataclass"],
)
def test_inputs_and_outputs_of_every_form(inputs, kwargs, outputs, device):
    trace = costlab.trace(Nested(), inputs, kwargs, device=device)
    assert costlab.total(trace).macs == 24 and len(trace.outputs) == outputs and trace.inputs


CONV = nn.Sequential(
    nn.Conv2d(3, 4, 3),
    nn.BatchNorm2d(4),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.LocalResponseNorm(3),
    nn.Flatten(),
    nn.Linear(36, 8),
)


@pytest.mark.parametrize(
    "model, inputs",
    [
        (CONV, (torch.zeros(2, 3, 8, 8),)),
        (nn.MultiheadAttention(8, 2), (torch.zeros(3, 1, 8),) * 3),
        (nn.TransformerEncoderLayer(8, 2, 16), (torch.zeros(3, 1, 8),)),
    ],
    ids=["conv", "mha", "encoder"],
)
def test_no_count_depends_on_the_device(model, inputs):
    meta, cpu = (
        costlab.total(costlab.trace(model.eval(), inputs, device=d)) for d in ("meta", "cpu")
    )
    assert meta == cpu


class Padded(nn.Module):
    """Sequences of several lengths, as they are packed for an LSTM, and a label in one-hot form."""

    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x, lengths, labels):
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.fc(out[labels.tolist()]) + nn.functional.one_hot(labels, 2)[:, None]


def test_padded_sequences_and_one_hot_labels_count_the_same_on_every_device():
    inputs = (torch.zeros(3, 5, 3), torch.tensor([5, 2, 4]), torch.tensor([0, 1]))
    meta, cpu = (
        costlab.total(costlab.trace(Padded(), inputs, device=d), strict=True)
        for d in ("meta", "cpu")
    )
    # 11 steps of 4 gates of 4 by 3 + 4; then two of the padded sequences
    assert meta == cpu and cpu.macs == 11 * 16 * 7 + 2 * 5 * 8


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_work_does_not_depend_on_the_device(kind):
    """On the CPU torch multiplies all steps' inputs at once, elsewhere step by step: other
    operations, the same work."""
    meta, cpu = (
        costlab.total(
            costlab.trace(kind(3, 4, 2, bidirectional=True), torch.zeros(5, 2, 3), device=d)
        )
        for d in ("meta", "cpu")
    )
    assert meta == cpu


@pytest.mark.parametrize("layers", slow_but((1_100,), (1_100, 1_500, 10_000)))
def test_a_model_of_thousands_of_layers_is_traced_without_recursion(layers):
    """Python's limit is 1,000 frames. Each layer: 2 x 2 weights at 4 x 4 positions, 64 MACs."""
    from costlab.tables import table

    with torch.device("meta"):
        model = nn.Sequential(*(nn.Conv2d(2, 2, 1) for _ in range(layers)))
    trace = costlab.trace(model, torch.empty(1, 2, 4, 4, device="meta"))
    assert len(trace.ops) == layers and table(trace, "layers").macs == layers * 64
    costlab.trace(model, torch.empty(1, 2, 4, 4, device="meta"))  # the first one left it whole


def test_a_zoo_name_is_the_zoos_whatever_lies_in_the_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nin_cifar10").write_text("no trace")
    (tmp_path / "torchvision").mkdir()
    assert total_of(capsys, "nin_cifar10")[0] > 0


def test_transformers_takes_the_class_that_the_config_is_of(tmp_path, capsys):
    """A config file that names its architecture, and one that does not: then the causal model where
    there is one."""
    pytest.importorskip("transformers")
    small = dict(
        model_type="bert",
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        vocab_size=20,
        max_position_embeddings=8,
    )
    file = tmp_path / "config.json"
    found = []
    for names in (["BertModel"], ["BertForMaskedLM"]):
        file.write_text(json.dumps({**small, "architectures": names}))
        found.append(total_of(capsys, f"transformers:{file}", "--input", "input_ids=1x4:int64")[1])
    # the head of the second: 16 x 16 and 16 x 20 a token, without the pooler's one 16 x 16
    assert found[1] - found[0] == 4 * (16 * 16 + 16 * 20) - 16 * 16


@pytest.mark.parametrize(
    "argv, line",
    [
        (["table"], "arguments are required: MODEL; see costlab table --help"),
        (["tabel", "googlenet"], "unknown command 'tabel'; did you mean table"),
        (
            ["table", "googlenet", "--nope"],
            "unknown option --nope; did you mean --top? see costlab table --help",
        ),
        (["table", "googlenet", "--depth", "x"], "invalid int value: 'x'"),
    ],
)
def test_a_wrong_command_line_is_one_line(argv, line, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def damage(doc, change):
    change(doc)
    return doc


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("ops"),
        lambda d: d["ops"].pop(),
        lambda d: d["tensors"].clear(),
        lambda d: d.update(inputs=[10**6]),
        lambda d: d["tensors"][0].__setitem__(0, [-1]),
        lambda d: d["provenance"].pop("model"),
        lambda d: d.update(ops=3),
        lambda d: d["ops"][0].__setitem__(4, ["a"]),
        lambda d: d.update(measured={"ops": 1}),
        lambda d: d["params"][0].__setitem__(1, [1]),
        lambda d: d.update(provenance=None),
    ],
)
def test_a_trace_file_that_no_tracer_wrote_is_one_line(change, tmp_path, capsys):
    import gzip

    file = tmp_path / "m.trace"
    costlab.trace(nn.Linear(4, 2), X).save(file)
    file.write_bytes(
        gzip.compress(
            json.dumps(damage(json.loads(gzip.decompress(file.read_bytes())), change)).encode()
        )
    )
    assert main(["table", str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"costlab: {file} is damaged: ") and err.count("\n") == 1
    assert err.endswith("; trace the model again\n")


def test_what_is_written_goes_where_it_was_said(tmp_path, capsys):
    """Through a link, into a pipe, to standard output for "-"; an existing file keeps its mode."""
    import os
    import threading

    real, link, pipe = tmp_path / "real.csv", tmp_path / "t.csv", tmp_path / "p.csv"
    real.write_text("BEFORE")
    real.chmod(0o600)
    link.symlink_to(real)
    os.mkfifo(pipe)
    assert (
        main(["head", "-o", str(link)]) == 0
        and link.is_symlink()
        and "BEFORE" not in real.read_text()
        and real.stat().st_mode & 0o777 == 0o600
    )
    recorded, to_recorded = tmp_path / "real.trace", tmp_path / "t.trace"
    recorded.touch(mode=0o600)
    to_recorded.symlink_to(recorded)
    assert (
        main(["trace", "nin_cifar10", "-o", str(to_recorded)]) == 0
        and to_recorded.is_symlink()
        and costlab.Trace.load(recorded).ops
        and recorded.stat().st_mode & 0o777 == 0o600
    )
    assert main(["head", "-o", str(link)]) == 0
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    assert main(["head", "-o", str(pipe)]) == 0
    reader.join()
    assert got == [real.read_text()] and pipe.is_fifo()
    capsys.readouterr()
    assert (
        main(["head", "--format", "csv", "-o", "-"]) == 0
        and capsys.readouterr().out == got[0]
        and not (tmp_path / "-").exists()
    )


def test_an_interrupt_is_one_line(monkeypatch, capsys):
    from costlab.cli import head

    def stop(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(head, "run", stop)
    assert main(["head"]) == 130 and capsys.readouterr().err == "\rcostlab: interrupted\n"


def test_of_several_models_the_one_that_failed_is_named(capsys):
    assert main(["compare", "nin_cifar10", "alexnet", "--input", "1x3x64x64"]) == 2
    assert "costlab: alexnet: the model failed in" in capsys.readouterr().err
