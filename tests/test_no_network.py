"""Files are data: opening one makes no connection, reads no file that it does not name, and runs
nothing. Each command runs in a process of its own, whose audit events are looked through."""

import json
import os
import subprocess
import sys
from pathlib import Path

import mutations
import pytest
from test_documents import FORMATS, PROJECT

ROOT = Path(__file__).parents[1]
MARK = "costlab_marks_this"  # stands in every text of a file; in no code that is compiled
# what the process may read beside what is named: Python, its packages, fonts, the system's own
SYSTEM = (sys.prefix, sys.base_prefix, str(ROOT / "costlab"), "/usr", "/lib", "/proc", "/sys")
SYSTEM += ("/dev", "/etc/ld.so", "/etc/localtime", "/etc/mime.types", "/etc/fonts", "/etc/nsswitch")
# the defaults of a project; what an editable install puts on the path in place of a folder
CONFIGURATION = ("pyproject.toml", "__editable__.costlab-0.1.0.finder.__path_hook__")
OUTSIDE = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
PROCESSES = ("os.system", "os.exec", "os.posix_spawn", "os.startfile", "pty.spawn")
AUDITED = f"""
import json, sys
events = []
def audit(event, args):
    if event in {(*OUTSIDE, *PROCESSES)!r}:
        events.append([event, repr(args)[:200]])
    elif event == "subprocess.Popen":
        events.append([event, repr(args[:2])[:200]])
    elif event == "open" and isinstance(args[0], (str, bytes)):
        events.append([event, args[0] if isinstance(args[0], str) else args[0].decode()])
    elif event == "exec":
        events.append([event, args[0].co_filename])
    elif event == "compile" and args[0] is not None:
        source = args[0] if isinstance(args[0], (str, bytes)) else ""
        marked = {MARK!r} in (source if isinstance(source, str) else source.decode("latin-1"))
        events.append([event, {MARK!r} if marked else ""])
    elif event == "pickle.find_class":
        events.append([event, repr(args)])
sys.addaudithook(audit)
from costlab.cli import main
code = main(json.loads(sys.argv[1]))
with open(sys.argv[2], "w") as file:
    json.dump([code, events], file)
"""


def audited(argv, folder):
    """The exit code of a command, its audit events, and what it says on standard error."""
    home = folder / "home"
    for token in (".cache/huggingface/token", ".huggingface/token", ".netrc"):
        (home / token).parent.mkdir(parents=True, exist_ok=True)
        (home / token).write_text("secret")
    found = folder / "events.json"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS"))}
    environment |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment |= {"MPLCONFIGDIR": str(folder / "fonts"), "TMPDIR": str(folder / "temporary")}
    (folder / "temporary").mkdir()
    run = subprocess.run(
        [sys.executable, "-c", AUDITED, json.dumps(argv), str(found)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    code, events = json.loads(found.read_text())
    return code, events, run.stderr


def require_quiet(events, folder, named):
    """Nothing but `named`, what Python itself is of, and outputs was touched; nothing ran."""
    own = [str(folder / name) for name in ("fonts", "temporary", "events.json", *named)]
    for event, what in events:
        if event == "open":
            path = os.path.realpath(folder / what)
            if os.path.basename(path) not in CONFIGURATION:
                assert path.startswith((*SYSTEM, *own)), f"it opened {path}"
        elif event == "exec":
            assert not what.startswith(str(folder)), f"it ran {what}"
        elif event == "compile":
            assert what != MARK, "it compiled a text of the file"
        else:
            pytest.fail(f"{event}: {what}")


def onnx_file(path):
    """A network whose weights are said to be in a file outside the folder."""
    from onnx import TensorProto, helper

    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3, 3, 3])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../secret.bin")
    node = helper.make_node("Conv", ["x", "w"], ["y"], MARK, kernel_shape=[3, 3])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])
    graph = helper.make_graph([node], MARK, [x], [y], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def trace_file(path):
    """A trace that says which lines of which file, not its own, ran its operations."""
    doc = mutations.document("trained", path.parent)
    (path.parent / "trained.trace").unlink()
    secret = str(path.parent / "secret.py")
    Path(secret).write_text(f"{MARK} = 1\n")
    doc["provenance"] |= {"model": MARK, "source": secret}
    doc["sources"] = {"files": [secret], "lines": [[0, 1, -1]], "ops": [0] * doc["count"]}
    for op in doc["ops"]:
        op[2] = MARK
    mutations.write(doc, path)


def text_file(name):
    """A file of `test_documents.FORMATS`, with a mark in a text where it has room for one."""

    def write(path):
        text = FORMATS[name][1].replace("two and two are four", MARK).replace("A report", MARK)
        path.write_text(text)
        if name == "lock":
            path.with_name("pyproject.toml").write_text(PROJECT)

    return write


# of each kind of file: its name, what writes it, the command, and what else may be read or written
FILES = {
    "trace": ("a.trace", trace_file, lambda p: ["table", p, "--format", "html"], ()),
    "onnx": ("a.onnx", onnx_file, lambda p: ["table", p], ()),
    **{
        name: (
            FORMATS[name][0],
            text_file(name),
            lambda p, n=name: [str(a) for a in FORMATS[n][2](Path(p))],
            also,
        )
        for name, also in {
            "ledger": (),
            "yaml ledger": (),
            "printed": (),
            "journal": (),
            "project": ("costlab.lock",),
            "report": ("r.toml.html", ".costlab-"),
            "transformers": ("preprocessor_config.json", "processor_config.json"),
            "diffusers": (),
        }.items()
    },
}
PACKAGES = {"onnx": "onnx", "transformers": "transformers", "diffusers": "diffusers"}


# in `make test` one of each kind: what a process takes to start is most of the time
QUICK = ("trace", "ledger", "a pretrained backbone")


def cases(names):
    """The names, the rest marked slow."""
    return [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.mark.parametrize("kind", cases(FILES))
def test_opening_a_file_touches_nothing_else(kind, tmp_path):
    pytest.importorskip(PACKAGES.get(kind, "torch"))
    pytest.importorskip("yaml")
    name, write, command, also = FILES[kind]
    write(tmp_path / name)
    code, events, said = audited(command(name), tmp_path)
    assert code == 0, said
    require_quiet(events, tmp_path, (name, *also))


VIT = {"model_type": "vit", "num_hidden_layers": 1}
# a configuration that would have something downloaded, and what the line says
FROM_THE_HUB = {
    "code": (VIT | {"auto_map": {"AutoModel": "a/b--c.D"}}, "code from the hub (auto_map)"),
    "code of a part": (VIT | {"parts": [{"auto_map": {"A": "b"}}]}, "code from the hub (auto_map)"),
    "a pretrained backbone": (
        {"model_type": "dpt", "backbone": "facebook/dinov2-small", "use_pretrained_backbone": True},
        "the weights of a pretrained backbone ('facebook/dinov2-small')",
    ),
    "a backbone": (
        {"model_type": "dpt", "backbone": "facebook/dinov2-small"},
        "the configuration of its backbone from the hub ('facebook/dinov2-small')",
    ),
    "a kernel": (VIT | {"_attn_implementation": "a/kernel"}, "a kernel from the hub ('a/kernel')"),
}


@pytest.mark.parametrize("case", cases(FROM_THE_HUB))
def test_a_configuration_that_needs_the_hub_is_refused(case, tmp_path):
    pytest.importorskip("transformers")
    values, says = FROM_THE_HUB[case]
    (tmp_path / "config.json").write_text(json.dumps(values))
    code, events, said = audited(["table", "transformers:config.json"], tmp_path)
    assert code == 2
    assert said == f"costlab: config.json needs {says}, and costlab downloads nothing\n"
    require_quiet(events, tmp_path, ("config.json",))


@pytest.mark.slow
def test_a_configuration_names_no_callable_but_a_model(tmp_path):
    """`architectures` may name any function of transformers; this one starts a pipeline."""
    pytest.importorskip("transformers")
    values = VIT | {"architectures": ["pipeline", 5, "Trainer"]}
    (tmp_path / "config.json").write_text(json.dumps(values))
    code, events, said = audited(["table", "transformers:config.json"], tmp_path)
    assert code == 0, said
    beside = ("config.json", "preprocessor_config.json", "processor_config.json")
    require_quiet(events, tmp_path, beside)
