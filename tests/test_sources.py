"""Models by name: two versions of a model are never mixed; what is built, from where, on what."""

import importlib
import json
import os
import pickle
import subprocess
import sys

import pytest
import torch
from selection import slow_but

import costlab
from costlab.cli import main
from costlab.cost import scaled
from costlab.sources import Loaded, SourceError
from costlab.sources._model import first_line
from costlab.sources.run import trace_loaded
from costlab.tables import display_names

NET = """
import torch
from torch import nn
{0}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
    def forward(self, x):
        {1}
        return self.block(x)
def build():
    {2}
    return Net()
"""
BLOCK = """
from torch import nn
class Block(nn.Conv2d):
    def __init__(self):
        super().__init__(3, 4, {kernel}, padding={kernel} // 2)
"""
# a 3x3 and a 5x5 convolution from 3 to 4 channels on an 8 x 8 grid
MACS = {3: 8 * 8 * 3 * 4 * 9, 5: 8 * 8 * 3 * 4 * 25}
INPUT = ["--input", "1x3x8x8"]


def beside(folder):
    """net.py and blocks.py in one folder."""
    return {"net.py": NET.format("from blocks import Block", "", "")}, "blocks.py", "net.py"


def package(folder):
    """A package with relative imports."""
    net = NET.format("from .parts.blocks import Block", "", "")
    files = {"mynet/__init__.py": "", "mynet/parts/__init__.py": "", "mynet/net.py": net}
    return files, "mynet/parts/blocks.py", "mynet/net.py"


def absolute(folder):
    """A package that names itself."""
    net = NET.format("import mynet.blocks\nBlock = mynet.blocks.Block", "", "")
    return {"mynet/__init__.py": "", "mynet/net.py": net}, "mynet/blocks.py", "mynet/net.py"


def folders(folder):
    """Folders without __init__.py: the one of the model, and one beside it, in a project."""
    files = {
        "pyproject.toml": "",
        "models/net.py": NET.format("from models.base import Block", "", ""),
        "models/base.py": "from layers.blocks import Block",
    }
    return files, "layers/blocks.py", "models/net.py"


def relative(folder):
    """A relative import where no __init__.py is."""
    return {"m/net.py": NET.format("from .blocks import Block", "", "")}, "m/blocks.py", "m/net.py"


def in_factory(folder):
    """An import when the model is built."""
    net = NET.format("Block = None", "", "global Block; from blocks import Block")
    return {"net.py": net}, "blocks.py", "net.py"


def in_forward(folder):
    """An import when the model runs."""
    lazy = "from blocks import Block\n        self.block = Block()"
    net = NET.format("Block = nn.Identity", lazy, "")
    return {"net.py": net}, "blocks.py", "net.py"


def by_importlib(folder):
    """importlib.import_module when the model runs."""
    lazy = "import importlib\n        self.block = importlib.import_module('blocks').Block()"
    return {"net.py": NET.format("Block = nn.Identity", lazy, "")}, "blocks.py", "net.py"


def by_path(folder):
    """A folder that the file itself puts on sys.path."""
    put = "import os, sys; sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))"
    return (
        {"net.py": NET.format(f"{put}\nfrom blocks import Block", "", "")},
        "lib/blocks.py",
        "net.py",
    )


def load(spec, inputs=None, **options) -> Loaded:
    """A model, and not a recorded graph."""
    loaded = costlab.load(spec, inputs, **options)
    assert isinstance(loaded, Loaded)
    return loaded


OWN = {"net", "blocks", "mynet", "models", "layers", "m"}  # names of their modules
LAYOUTS = [
    beside,
    package,
    absolute,
    folders,
    relative,
    in_factory,
    in_forward,
    by_importlib,
    by_path,
]


def write(folder, layout, kernel):
    files, block, net = layout(folder)
    for name, text in {**files, block: BLOCK.format(kernel=kernel)}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return f"{folder / net}:build"


def table_macs(capsys, *argv):
    assert main(["table", *argv, *INPUT, "--format", "json", "--convention", "macs"]) == 0
    return json.loads(capsys.readouterr().out)["total"]["ops (MACs)"]


@pytest.fixture(params=[beside, package, in_forward], ids=lambda layout: layout.__name__)
def versions(request, tmp_path):
    """The same model with a 3x3 and with a 5x5 convolution, in two folders."""
    return [write(tmp_path / name, request.param, k) for name, k in (("A", 3), ("B", 5))]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_two_versions_of_a_model_are_never_mixed(layout, tmp_path, capsys):
    versions = [write(tmp_path / name, layout, k) for name, k in (("A", 3), ("B", 5))]
    modules, path = set(sys.modules), list(sys.path)
    for spec, kernel in zip((*versions, *versions), (3, 5, 3, 5), strict=True):
        assert table_macs(capsys, spec) == MACS[kernel]
    assert sys.path == path
    assert not {m for m in set(sys.modules) - modules if m.partition(".")[0] in OWN}


def json_of(capsys, *argv):
    assert main([*argv, *INPUT, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_compare_has_each_version_in_its_column(versions, capsys):
    rows = json_of(capsys, "compare", *versions)["rows"]
    macs = next(r for r in rows if r["what"] == "MACs")
    assert [macs[name] for name in display_names(versions)] == [MACS[3], MACS[5]]


def test_a_review_has_base_and_head(versions, tmp_path):
    page = tmp_path / "r.html"
    argv = ["--base", versions[0], "--head", versions[1], *INPUT, "--sections", "change"]
    assert main(["report", *argv, "-o", str(page)]) == 0
    assert all(scaled(macs) in page.read_text() for macs in MACS.values())


def test_a_budget_is_held_against_the_version_that_it_names(versions, tmp_path, capsys):
    macs = [f"model({spec!r}, size=8).macs" for spec in versions]
    ledger = tmp_path / "budget.toml"
    for check, code in ((f"{macs[1]} <= {macs[0]}", 1), (f"{macs[0]} < {macs[1]}", 0)):
        claim = 'id = "budget"\nsays = "it costs no more"\n'
        ledger.write_text(f'[[claim]]\n{claim}checks = [{{expr = """{check}"""}}]')
        assert main(["claims", "--ledger", str(ledger), "--check"]) == code
    capsys.readouterr()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_sweeps_run_each_version_also_in_worker_processes(tmp_path, capsys, jobs):
    specs = [write(tmp_path / name, package, k) for name, k in (("A", 3), ("B", 5))]
    doc = json_of(capsys, "sweep", *specs, "--over", "batch=1,2", "--jobs", jobs)
    assert [r["MACs"] for r in doc["rows"]] == [n * MACS[k] for k in (3, 5) for n in (1, 2)]
    notes = " ".join(doc["notes"])
    assert all(
        f"{spec}: MACs = {MACS[k]:,} N" in notes for spec, k in zip(specs, (3, 5), strict=True)
    )


def test_a_file_that_changes_on_disk_is_read_again(versions, tmp_path, capsys):
    """Of the same length, and within the second that a .pyc can tell apart."""
    file = next(f for f in (tmp_path / "A").rglob("b*.py") if "Conv2d" in f.read_text())
    assert table_macs(capsys, versions[0]) == MACS[3]
    file.write_text(BLOCK.format(kernel=5))
    assert table_macs(capsys, versions[0]) == MACS[5]


def test_a_sweep_with_a_journal_knows_a_changed_sibling(tmp_path, capsys):
    spec, journal = write(tmp_path, beside, 3), str(tmp_path / "j.jsonl")
    argv = ["sweep", spec, "--over", "batch=1", "--journal", journal]
    assert [r["MACs"] for r in json_of(capsys, *argv)["rows"]] == [MACS[3]]
    (tmp_path / "blocks.py").write_text(BLOCK.format(kernel=5))
    assert [r["MACs"] for r in json_of(capsys, *argv)["rows"]] == [MACS[5]]


@pytest.fixture
def checkouts(tmp_path, monkeypatch):
    """Two checkouts of a git repository: before and after a commit."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path / "base")]
    for kernel in (3, 5):
        write(tmp_path / "base", absolute, kernel)
        if kernel == 3:
            subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", str(kernel)], check=True)
    before = [*git, "worktree", "add", "-q", str(tmp_path / "before"), "HEAD~1"]
    subprocess.run(before, check=True)
    return tmp_path / "before", tmp_path / "base"


@pytest.mark.parametrize("where", ["working folder", "python path"])
def test_a_module_by_name_is_of_the_checkout_that_is_asked(checkouts, where, monkeypatch, capsys):
    for folder, kernel in zip((*checkouts, *checkouts), (3, 5, 3, 5), strict=True):
        with monkeypatch.context() as m:
            if where == "working folder":
                m.chdir(folder)
            else:
                m.syspath_prepend(str(folder))
            assert table_macs(capsys, "mynet.net:build") == MACS[kernel]


def test_the_other_checkout_is_not_found_on_the_python_path(checkouts, monkeypatch, capsys):
    """As with an editable install of one of them."""
    monkeypatch.syspath_prepend(str(checkouts[0]))
    importlib.import_module("mynet.net")
    for folder, kernel in zip(checkouts, (3, 5), strict=True):
        assert table_macs(capsys, f"{folder}/mynet/net.py:build") == MACS[kernel]
    assert sys.modules["mynet.net"].__file__ == str(checkouts[0] / "mynet" / "net.py")
    for name in [n for n in sys.modules if n.partition(".")[0] == "mynet"]:
        del sys.modules[name]


def test_loaded_models_live_on_beside_each_other(versions):
    """Both loaded before either runs, from Python."""
    loaded = [load(spec, ["1x3x8x8"]) for spec in versions]
    for one, kernel in zip(loaded, (3, 5), strict=True):
        with one.scope():
            trace = costlab.trace(one.model, one.inputs, device="meta")
        assert costlab.total(trace).macs == MACS[kernel]


def test_objects_of_a_users_classes_can_be_pickled_in_their_scope(tmp_path):
    loaded = load(write(tmp_path, beside, 3), ["1x3x8x8"], device="cpu")
    with loaded.scope():
        again = pickle.loads(pickle.dumps(loaded.model))
    assert torch.equal(again.block.weight, loaded.model.block.weight)


def test_a_users_file_may_be_called_like_a_library(tmp_path, capsys):
    """timm.py and json.py beside net.py: the first hides the library, the second is Python's."""
    files = {
        "net.py": NET.format("import json\nfrom timm import Block\njson.dumps(1)", "", ""),
        "timm.py": BLOCK.format(kernel=5),
        "json.py": "raise RuntimeError",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = sys.modules.get("timm")
    assert table_macs(capsys, f"{tmp_path}/net.py:build") == MACS[5]
    assert sys.modules.get("timm") is before


@pytest.mark.parametrize(
    "spec, line",
    [
        (
            "tochvision:resnet50",
            "'tochvision' is not a source of models, and there is no Python module tochvision",
        ),
        ("tochvision:resnet50", "did you mean torchvision?"),
        ("nowhere.mod:build", "prefixes of sources are torchvision, timm, transformers"),
        ("{missing}:build", "needs not_there, which is not installed here (imported by"),
        ("{missing}:build", "middle.py, line 2)"),
        ("{misspelt}:build", "did you mean middle?"),
        ("{submodule}:build", "needs torch.nope, which torch 2"),
        ("{wrapped}:build", "needs not_there, which is not installed here"),
        ("{weights}", "contains weights, not a model"),
        ("{program}", "not a torch.export program"),
    ],
)
def test_what_cannot_be_found_is_one_line_and_no_install_command(spec, line, tmp_path, capsys):
    """An import error is followed to the module that is missing and to the file that imports it."""
    files = {
        "missing": "import middle",
        "middle": "\nimport not_there",
        "misspelt": "import midle",
        "submodule": "import torch.nope",
        "wrapped": "try:\n    import not_there\n"
        "except ImportError as e:\n    raise RuntimeError('lazy import failed') from e",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    names = {name: str(tmp_path / f"{name}.py") for name in files}
    names |= {"weights": str(tmp_path / "w.pt"), "program": str(tmp_path / "p.pt2")}
    torch.save({"w": torch.zeros(2)}, names["weights"])
    (tmp_path / "p.pt2").write_bytes(b"no program")
    assert main(["table", spec.format(**names)]) == 2
    said = capsys.readouterr().err
    assert line in said and "pip install" not in said and said.count("\n") == 1


ON_CPU = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.side = int(self.conv(torch.ones(1, 3, 8, 8)).{0})
    def forward(self, x):
        return self.conv(x)
count = 0
def build():
    global count
    count += 1
    return Net()
def quantized():
    torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
    return torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Flatten(), nn.Linear(192, 10)))
def scripted():
    return torch.jit.script(nn.Conv2d(3, 4, 3, padding=1))
def traced():
    return torch.jit.trace(nn.Conv2d(3, 4, 3, padding=1), torch.zeros(1, 3, 8, 8))
def parallel():
    return nn.DataParallel(nn.Conv2d(3, 4, 3, padding=1))
def compiled():
    return torch.compile(nn.Conv2d(3, 4, 3, padding=1))
def static():
    torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
    stubs = torch.ao.quantization.QuantStub(), torch.ao.quantization.DeQuantStub()
    net = nn.Sequential(stubs[0], nn.Conv2d(3, 4, 3, padding=1), stubs[1]).eval()
    net.qconfig = torch.ao.quantization.get_default_qconfig(torch.backends.quantized.engine)
    torch.ao.quantization.prepare(net, inplace=True)
    net(torch.zeros(1, 3, 8, 8))
    return torch.ao.quantization.convert(net)
"""


@pytest.mark.parametrize(
    "factory, macs",
    slow_but(
        ("build", "scripted", "traced", "parallel"),
        [(name, MACS[3]) for name in ("build", "scripted", "traced", "parallel", "compiled")],
    ),
)
def test_what_does_not_build_on_meta_is_built_on_the_cpu(factory, macs, tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(ON_CPU.format("isfinite().all()"))
    assert table_macs(capsys, f"{file}:{factory}") == macs


@pytest.mark.parametrize(
    "factory, macs, params",
    [("quantized", 192 * 10, 192 * 10 + 10), ("static", MACS[3], 3 * 4 * 9 + 4)],
)
def test_eager_quantized_models_load_with_their_integer_products(factory, macs, params, tmp_path):
    file = tmp_path / "net.py"
    file.write_text(ON_CPU.format("isfinite().all()"))
    loaded = load(f"{file}:{factory}", ["1x3x8x8"])
    with loaded.scope():
        total = costlab.total(costlab.trace(loaded.model, loaded.inputs, device="cpu"))
    assert (total.macs, total.integer_macs, total.params) == (0, macs, params)


def test_a_note_says_why_a_model_was_built_on_the_cpu(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(ON_CPU.format("isfinite().all()"))
    loaded = load(f"{file}:build", ["1x3x8x8"])
    assert loaded.provenance["device"] == "cpu" and not loaded.inputs[0].is_meta
    assert loaded.notes[0].startswith("built on the CPU, because on meta: ")
    plain = load("nin_cifar10")
    assert plain.provenance["device"] == "meta" and plain.notes == ()


def test_building_on_meta_initializes_nothing():
    """No operation on a weight is dispatched: neither by torch.nn.init nor by a model's own."""
    from torch.utils._python_dispatch import TorchDispatchMode

    from costlab.trace.build import build_on_meta

    class Dispatched(TorchDispatchMode):
        names = []

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.names.append(func._schema.name)
            return func(*args, **(kwargs or {}))

    def make():
        layer = torch.nn.Linear(4, 4)
        torch.nn.init.trunc_normal_(layer.weight)
        layer.bias.data.fill_(3)
        return layer

    with Dispatched():
        model = build_on_meta(make)
    assert model.weight.is_meta
    assert not {n for n in Dispatched.names if n.endswith("_")}


@pytest.mark.parametrize(
    "text, value",
    [
        ("2x3", ((2, 3), torch.float32)),
        ("4:int64<7", ((4,), torch.int64)),
        (":int64=3", ((), torch.int64)),
        ("=3", 3),
        ("True", True),
        ("0.5", 0.5),
        ("'cls'", "cls"),
        ("[1x2, 3]", [((1, 2), torch.float32), ((3,), torch.float32)]),
        ("(1x2, =3)", (((1, 2), torch.float32), 3)),
        ("{a: 1x2, 'b': [=1]}", {"a": ((1, 2), torch.float32), "b": [1]}),
    ],
)
def test_inputs_of_every_form_are_read(text, value):
    from torch.utils import _pytree as pytree

    from costlab.sources._inputs import parse

    found = parse([f"x={text}"]).kwargs["x"]
    shapes = pytree.tree_map_only(torch.Tensor, lambda t: (tuple(t.shape), t.dtype), found)
    assert shapes == value


def test_integers_are_drawn_below_the_bound_or_are_one_value():
    from costlab.sources._inputs import parse

    drawn, same = parse(["100:int64<7", "5:int32=3"]).args
    assert set(drawn.tolist()) == set(range(7)) and same.tolist() == [3] * 5


@pytest.mark.parametrize(
    "text", ["1x3xhello", "[1x2", "1x2:nope", "1x2:float32<3", "{1x2}", "3:int64<0"]
)
def test_an_input_that_cannot_be_read_is_one_line(text):
    with pytest.raises(SourceError, match="cannot read input"):
        load("googlenet", [text])


@pytest.mark.parametrize(
    "spec, arguments, shape",
    [
        ("timm:vit_base_patch16_224", {"img_size": 384}, (1, 3, 384, 384)),
        ("timm:resnet50", {"in_chans": 1}, (1, 1, 224, 224)),
        ("timm:tresnet_m", {}, (1, 3, 224, 224)),  # whose first convolution takes 4x4 pixels of 3
        ("timm:vitamin_xlarge_336", {}, (1, 3, 336, 336)),
        ("torchvision:fcn_resnet50", {}, (1, 3, 520, 520)),
        ("torchvision:efficientnet_b4", {}, (1, 3, 380, 380)),
        ("torchvision:ssd300_vgg16", {}, (1, 3, 300, 300)),
        ("torchvision:ssdlite320_mobilenet_v3_large", {}, (1, 3, 320, 320)),
        ("torchvision:vit_h_14", {}, (1, 3, 224, 224)),
        ("torchvision:vit_h_14", {"image_size": 518}, (1, 3, 518, 518)),
    ],
)
def test_default_inputs_are_what_the_built_model_takes(spec, arguments, shape):
    pytest.importorskip(spec.partition(":")[0])
    loaded = load(spec, arguments=arguments)
    assert tuple(loaded.inputs[0].shape) == shape


@pytest.mark.parametrize("suffix", [".pt2", ".pt"])
def test_programs_in_files(suffix, tmp_path, capsys):
    """torch.export's program on its own inputs; a TorchScript archive on given ones."""
    model, x = torch.nn.Conv2d(3, 4, 3, padding=1).eval(), torch.zeros(1, 3, 8, 8)
    file = str(tmp_path / f"model{suffix}")
    if suffix == ".pt2":
        torch.export.save(torch.export.export(model, (x,)), file)
    else:
        torch.jit.save(torch.jit.script(model), file)
    assert table_macs(capsys, file) == MACS[3]


@pytest.mark.parametrize(
    "name, params, weights, gmacs",
    slow_but(
        ("yolo11n",),
        [("yolo11n", 2_624_080, 2_607_984, 3.27), ("yolov8n.yaml", 3_157_200, 3_146_176, 4.37)],
    ),
)
def test_ultralytics_detectors_at_640(name, params, weights, gmacs):
    """ultralytics' own table says 2.6 M params for YOLO11n, and 3.2 M for YOLOv8n."""
    pytest.importorskip("ultralytics")
    loaded = load(f"ultralytics:{name}")
    with loaded.scope():
        trace = costlab.trace(loaded.model, loaded.inputs, device=loaded.provenance["device"])
    assert sum(p.numel() for p in loaded.model.parameters()) == params
    found = costlab.total(trace)
    assert (found.params, found.weights) == (params, weights)
    assert round(found.macs / 1e9, 2) == gmacs


@pytest.mark.slow
def test_open_clip_runs_on_an_image_and_a_text():
    """ViT-B/32 of CLIP (Radford et al. 2021): 151,277,313 params.

    Image: 49 patches of 3 x 32 x 32 by 768; 12 blocks on 50 tokens of 12 x 768^2 MACs each and
    2 x 50^2 x 768 of attention; 768 x 512. Text: the same of 77 tokens, width 512."""
    pytest.importorskip("open_clip")
    loaded = load(
        "open_clip:create_model",
        ["1x3x224x224", "1x77:int64"],
        arguments={"model_name": "ViT-B-32"},
    )
    image = 49 * 3072 * 768 + 12 * (50 * 12 * 768**2 + 2 * 50**2 * 768) + 768 * 512
    text = 12 * (77 * 12 * 512**2 + 2 * 77**2 * 512) + 512 * 512
    found = costlab.total(trace_loaded(loaded))
    assert (found.params, found.macs) == (151_277_313, image + text)


def test_diffusers_networks_have_inputs_of_their_own():
    """Stable Diffusion 1.x's UNet: 859,520,964 params, on a 64 x 64 latent and 77 tokens."""
    pytest.importorskip("diffusers")
    loaded = load("diffusers:UNet2DConditionModel", arguments={"cross_attention_dim": 768})
    assert sum(p.numel() for p in loaded.model.parameters()) == 859_520_964
    shapes = {name: tuple(t.shape) for name, t in loaded.kwargs.items()}
    assert shapes["sample"] == (1, 4, 64, 64)
    assert shapes["encoder_hidden_states"] == (1, 77, 768)
    assert costlab.total(costlab.trace(loaded.model, (), loaded.kwargs)).macs > 0


SMALL_TEXT = dict(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=1,
    num_attention_heads=4,
    num_key_value_heads=2,
    vocab_size=50,
)
SMALL_LLAMA = dict(SMALL_TEXT, model_type="llama")
SMALL_SIGHT = dict(
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    image_size=28,
    patch_size=7,
)
SMALL_SOUND = dict(
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=1,
    num_attention_heads=2,
    conv_dim=(8, 8),
    conv_kernel=(10, 3),
    conv_stride=(5, 2),
    num_feat_extract_layers=2,
)


@pytest.mark.parametrize(
    "config, arguments, shapes",
    [
        ("Wav2Vec2Config", SMALL_SOUND, {"input_values": (1, 16000)}),
        pytest.param(
            "HubertConfig",
            SMALL_SOUND,
            {"input_values": (1, 16000)},
            marks=pytest.mark.slow,
        ),
        ("ASTConfig", dict(num_hidden_layers=1), {"input_values": (1, 1024, 128)}),
        pytest.param(
            # 256 x 256 values of 64 bins each
            "ClapConfig",
            {},
            {
                "input_features": (1, 1, 1024, 64),
                "input_ids": (1, 128),
                "attention_mask": (1, 128),
            },
            marks=pytest.mark.slow,
        ),
        (
            "VideoMAEConfig",
            dict(num_hidden_layers=1, num_frames=4),
            {"pixel_values": (1, 4, 3, 224, 224)},
        ),
        (
            # 4 x 4 patches before 128 tokens of text; the class token is left out
            "LlavaConfig",
            dict(
                text_config=SMALL_LLAMA,
                vision_config=dict(SMALL_SIGHT, model_type="clip_vision_model"),
                image_token_index=49,
            ),
            {"pixel_values": (1, 3, 28, 28), "input_ids": (1, 144)},
        ),
        (
            "LlavaConfig",
            dict(
                text_config=SMALL_LLAMA,
                vision_config=dict(SMALL_SIGHT, model_type="clip_vision_model"),
                vision_feature_select_strategy="full",
                image_token_index=49,
            ),
            {"pixel_values": (1, 3, 28, 28), "input_ids": (1, 145)},
        ),
        pytest.param(
            "PaliGemmaConfig",
            {},
            {
                "pixel_values": (1, 3, 224, 224),
                "input_ids": (1, 384),
                "token_type_ids": (1, 384),
            },
            marks=pytest.mark.slow,
        ),
        (
            # 4 x 4 patches, which the projector pools to 2 x 2
            "Gemma3Config",
            dict(
                text_config=SMALL_TEXT,
                vision_config=SMALL_SIGHT,
                mm_tokens_per_image=4,
                image_token_index=49,
            ),
            {
                "pixel_values": (1, 3, 28, 28),
                "input_ids": (1, 132),
                "token_type_ids": (1, 132),
            },
        ),
        pytest.param(
            "Gemma3Config",
            {},
            {
                "pixel_values": (1, 3, 896, 896),
                "input_ids": (1, 384),
                "token_type_ids": (1, 384),
            },
            marks=pytest.mark.slow,
        ),
    ],
)
def test_transformers_run_on_inputs_from_their_configuration(config, arguments, shapes):
    pytest.importorskip("transformers")
    loaded = load(f"transformers:{config}", arguments=arguments)
    assert {name: tuple(t.shape) for name, t in loaded.kwargs.items()} == shapes
    assert costlab.total(costlab.trace(loaded.model, (), loaded.kwargs, device="meta")).macs > 0


@pytest.mark.parametrize(
    "config", slow_but(("Qwen2VLConfig",), ["Qwen2VLConfig", "Qwen2_5_VLConfig"])
)
def test_models_of_images_of_any_size_get_their_grid(config):
    """16 x 16 patches of 3 x 2 x 14 x 14 values, of which 2 x 2 are merged into a token."""
    pytest.importorskip("transformers")
    layers = {"text_config": {"num_hidden_layers": 1}}
    loaded = load(f"transformers:{config}", arguments=layers)
    assert loaded.kwargs["image_grid_thw"].tolist() == [[1, 16, 16]]
    assert tuple(loaded.kwargs["pixel_values"].shape) == (256, 1176)
    assert int(loaded.kwargs["mm_token_type_ids"].sum()) == 64
    assert costlab.total(costlab.trace(loaded.model, (), loaded.kwargs, device="meta")).macs > 0


@pytest.mark.parametrize(
    "line, fields",
    slow_but(
        ("its backbone from the hub ('facebook/dinov2-base')", "code from the hub (auto_map)"),
        [
            (
                "the weights of a pretrained backbone ('resnet50')",
                {"use_pretrained_backbone": True, "backbone": "resnet50"},
            ),
            (
                "its backbone from the hub ('facebook/dinov2-base')",
                {"backbone": "facebook/dinov2-base"},
            ),
            ("a pretrained backbone", {"vision_config": {"use_pretrained_backbone": True}}),
            ("code from the hub (auto_map)", {"auto_map": {"AutoModel": "modeling.Net"}}),
        ],
    ),
)
def test_a_configuration_that_needs_the_hub_is_refused_before_anything_is_imported(
    line, fields, tmp_path
):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"model_type": "detr", **fields}))
    code = (
        "import sys\nfrom costlab.cli import main\n"
        f"code = main(['table', 'transformers:{file}'])\n"
        "assert not {'transformers', 'torchvision', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 2 and line in run.stderr and run.stderr.count("\n") == 1


def test_a_program_in_memory_is_traced_on_its_own_inputs():
    """torch.export's program, in evaluation mode: 2 x 4 x 3 products."""
    program = torch.export.export(torch.nn.Linear(4, 3).eval(), (torch.zeros(2, 4),))
    for trace in (costlab.trace(program), costlab.trace(program, torch.zeros(2, 4), device="meta")):
        assert costlab.total(trace).macs == 2 * 4 * 3
    assert costlab.trace(program).provenance["model"] == "a program of torch.export"


@pytest.mark.parametrize(
    "message, line",
    [
        ("first\nsecond", "ValueError: first"),
        (
            "validator 'x':\n    ValueError: 24 is not 2",
            "ValueError: validator 'x': ValueError: 24 is not 2",
        ),
        ("ends here:", "ValueError: ends here:"),
        ("", "ValueError"),
    ],
)
def test_an_error_of_other_code_is_one_line_that_says_something(message, line):
    assert first_line(ValueError(message)) == line


@pytest.mark.parametrize(
    "name, line",
    [
        ("net.py:wide", "missing 1 required positional argument: 'width'; give --arg width=VALUE"),
        ("net", "unknown model 'net'; for net.py, name its factory, as in net.py:build"),
        ("bert.json", "bert.json is a configuration of transformers; write transformers:bert.json"),
        ("unet.json", "unet.json is a configuration of diffusers; write diffusers:unet.json"),
        ("list.json", "list.json is not a costlab trace"),
        ("net.trace", "net.trace is a saved trace; inputs apply only when a model is traced"),
    ],
)
def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(
    name, line, tmp_path, monkeypatch
):
    (tmp_path / "net.py").write_text("def wide(width):\n    pass\n")
    (tmp_path / "bert.json").write_text('{"model_type": "bert"}')
    (tmp_path / "unet.json").write_text('{"_class_name": "UNet2DModel"}')
    (tmp_path / "list.json").write_text("[]")
    costlab.trace(torch.nn.Linear(3, 3), torch.rand(1, 3)).save(tmp_path / "net.trace")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as e:
        costlab.load(name, "1x3")
    assert line in str(e.value)
