"""The command line as a whole: its help, its messages, and what it refuses before any work."""

import io
import json
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib

import pytest
import torch

import costlab
from costlab import cli
from costlab import api
from costlab.cli import _files, _progress
from costlab._extras import EXTRAS
from costlab.cli._parser import COMMANDS, GROUPS, parsers
from costlab.render.diagram import measure
from pages import DOCS, read

PARSER, PARSERS = parsers()


def test_help_has_every_command_under_one_question_with_an_example():
    text = PARSER.format_help()
    assert [group.word for group in GROUPS] == ["count", "explain", "change", "measure", "publish"]
    for group, part in zip(GROUPS, re.split(r"\n\n(?=\w+: )", text)[-len(GROUPS) :], strict=True):
        first, *lines = part.splitlines()
        assert first == f"{group.word}: {group.question}"
        commands = [line.split()[0] for line in lines[: len(group.commands)]]
        assert commands == [*group.commands]
        assert lines[len(group.commands)] == f"  example: {PARSERS[group.commands[0]].example}"
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_says_what_it_does_and_ends_with_its_example(command):
    parser = PARSERS[command]
    text = parser.format_help()
    assert f"{parser.summary[1:]}." in text
    assert text.endswith(f"\nexample:\n  {parser.example}\n")
    parsers()[0].parse_args(shlex.split(parser.example)[1:])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_a_command_runs_the_example_of_its_help(command):
    """Of a trace in the repository, where the help names one in the working folder."""
    page = read(DOCS / "commands" / f"{command}.md")
    text = "\n".join(block.text for block in page.blocks if block.language == "console")
    commands = re.findall(r"^\$ (.*)", re.sub(r"\\\n\s*", "", text), re.M)
    plain = [re.sub(r"\S*/(\w+)\S*(\.trace)", r"\1\2", c.partition(" | ")[0]) for c in commands]
    assert PARSERS[command].example in plain


BROKEN = """\
from torch import nn


def build():
    sizes = {"depth": 3}
    return nn.Linear(sizes["width"], 3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = self.fc(x)
        return x.view(3, 3)
"""


def run(*argv, code=2):
    """The exit code is `code`."""
    assert cli.main([str(word) for word in argv]) == code


@pytest.fixture
def broken(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "factory, error, line, statement",
    [
        ("build", "building net.py:build failed: KeyError: 'width'", 6, "nn.Linear(sizes"),
        ("Net", "the model failed in Net: RuntimeError: ", 16, "return x.view(3, 3)"),
    ],
)
def test_an_error_in_the_users_code_names_its_line(factory, error, line, statement, broken, capsys):
    argv = ("table", f"net.py:{factory}", "--input", "1x8")
    run(*argv)
    said = capsys.readouterr().err
    assert said.startswith(f"costlab: {error}") and said.count("\n") == 1
    assert f"(net.py:{line}" in said
    run(*argv, "--traceback")
    *calls, last = capsys.readouterr().err.splitlines(keepends=True)
    assert last == said
    assert calls[0] == "Traceback (most recent call last):\n"
    assert any(f'net.py", line {line}, in ' in c for c in calls)
    assert any(statement in c for c in calls)


def test_quiet_leaves_results_and_errors(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    made = tmp_path / "a.trace"
    operations = len(costlab.trace("alexnet").ops)
    for words in ([], ["-q"], ["--quiet"]):
        run("trace", "alexnet", "-o", made, *words, code=0)
        said = capsys.readouterr().out
        assert said == ("" if words else f"{made}: {operations} operations of alexnet\n")
    run("table", "alexnett", "-q")
    assert capsys.readouterr().err.startswith("costlab: unknown model 'alexnett'")


@pytest.mark.slow
def test_quiet_leaves_a_sweep_without_its_progress(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run("sweep", "alexnet", "--over", "batch=1,2", "--jobs", 1, code=0)
    loud = capsys.readouterr()
    assert "2 of 2 configurations" in loud.err
    run("sweep", "alexnet", "--over", "batch=1,2", "--jobs", 1, "-q", code=0)
    assert capsys.readouterr() == (loud.out, "")


class Terminal(io.StringIO):
    """A terminal that keeps what it showed."""

    def isatty(self):
        return True

    def wait_for(self, text):
        """Until it shows a text: the thread that writes it may be late."""
        end = time.monotonic() + 60
        while not self.getvalue().endswith(text):
            assert time.monotonic() < end, self.getvalue()
            time.sleep(0.01)


def test_what_takes_long_is_shown_while_it_runs(monkeypatch):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setattr(_progress, "_LATER", 0.01)
    with _progress.working("tracing net"):
        terminal.wait_for("tracing net ...")
    shown = "\r\033[Ktracing net ...\r\033[K"
    assert terminal.getvalue() == shown
    with _progress.silence(True), _progress.working("tracing net"):
        time.sleep(0.1)
    assert terminal.getvalue() == shown


def test_of_steps_inside_each_other_the_innermost_is_shown(monkeypatch):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setattr(_progress, "_LATER", 0.05)
    with _progress.working("outer"):
        terminal.wait_for("outer ...")
        with _progress.working("inner"):
            terminal.wait_for("inner ...")
    shown = terminal.getvalue().split("\r\033[K")
    assert shown == ["", "outer ...", "inner ...", "", "outer ...", ""]


@pytest.mark.parametrize(
    "words, step",
    [
        ("table nin", "tracing nin"),
        ("table nin --what-if batch=2", "tracing nin with the change"),
        ("memory nin", "tracing nin"),
        ("compare nin alexnet", "tracing alexnet"),
        ("diff nin alexnet", "comparing nin and alexnet"),
        ("audit alexnet", "auditing alexnet"),
        ("claims C13", "checking claims"),
        ("study 2", "computing the topic"),
        ("factorize nin", "looking for rewrites"),
        pytest.param("bottleneck", "counting modules", marks=pytest.mark.slow),
        ("grid", "counting grid reductions"),
        ("head", "counting heads"),
        ("aux cnds8", "counting auxiliary classifiers"),
        ("diagram nin -o {}/nin.dot", "drawing {}/nin.dot"),
        pytest.param(
            "chart stages nin -o {}/nin.svg", "drawing {}/nin.svg", marks=pytest.mark.slow
        ),
        ("report nin --sections summary -o {}/nin.html", "1 of 1: Summary"),
    ],
)
def test_a_long_command_says_what_it_does(words, step, tmp_path, capsys, monkeypatch):
    """On a terminal alone, on stderr, and not with --quiet."""
    argv, step = words.format(tmp_path).split(), step.format(tmp_path)
    monkeypatch.setattr(_progress, "_LATER", 0)
    assert cli.main(argv) == 0
    assert step not in capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert cli.main([*argv, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.main(argv) == 0
    said = capsys.readouterr()
    assert f"\r\033[K{step}" in said.err and said.err.endswith("\r\033[K")
    assert step not in said.out or ".dot" in step or ".svg" in step


# a command line of each command without its outputs
WORDS = {name: shlex.split(p.example.partition(" -o ")[0])[1:] for name, p in PARSERS.items()}
WORDS["factorize"] = ["factorize", "googlenet", "--apply", "best", "--measure"]
WORDS["aux"] = ["aux", "cnds8", "--probe"]


def options_of(command):
    """The options by which a command writes files, but not those of a journal or a report for CI,
    which may have any name."""
    files = {"output", *_files.OPTIONS}
    return [a for a in PARSERS[command]._actions if a.dest in files and a.option_strings]


# each command with each option that writes a file, without the output that it must have anyway
WRITING = [
    pytest.param(command, action, id=f"{command} {action.option_strings[-1]}")
    for command in COMMANDS
    for action in options_of(command)
]


@pytest.fixture
def no_work(monkeypatch, tmp_path):
    """No public function is called."""

    def refuse(*args, **kwargs):
        raise AssertionError("work was done")

    for name in api.__all__:
        if callable(getattr(api, name)) and not isinstance(getattr(api, name), type):
            monkeypatch.setattr(api, name, refuse)
    monkeypatch.chdir(tmp_path)


def line_of(capsys):
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("costlab: ") and said.err.count("\n") == 1
    return said.err.removeprefix("costlab: ").removesuffix("\n")


@pytest.mark.parametrize("name", ["out.xlsx", "c.jpg", "x.gif"])
@pytest.mark.parametrize("command, action", WRITING)
def test_a_suffix_is_refused_before_the_work(command, action, name, no_work, capsys, tmp_path):
    run(*WORDS[command], action.option_strings[-1], name)
    line = line_of(capsys)
    assert name in line and "name it " in line
    assert not any(tmp_path.iterdir())


# a format of a command's option, the modules that it needs, and the extra that brings them
NEEDS = [
    *((c, "--chart", "c.svg", "matplotlib", "charts") for c in ("sweep", "aux", "diff")),
    ("factorize", "--roofline", "c.png", "matplotlib", "charts"),
    ("chart", "-o", "c.pdf", "matplotlib", "charts"),
    *(
        (c, "--diagram", "d.svg", "matplotlib", "diagrams")
        for c in ("compare", "factorize", "grid", "bottleneck", "head", "aux", "diff")
    ),
    ("diagram", "-o", "d.pdf", "typst", "diagrams"),
    ("diagram", "-o", "d.png", "typst", "diagrams"),
    ("diagram", "-o", "d.dot", "graphviz", "diagrams"),
    ("report", "-o", "r.pdf", "typst", "report"),
    ("report", "-o", "r.html", "matplotlib", "report"),
    ("diff", "-o", "r.pdf", "typst", "report"),
    ("diff", "-o", "r.html", "matplotlib", "report"),
    *(
        (c, "-o", "t.parquet", "pyarrow", "parquet")
        for c in COMMANDS
        if "more_formats" in PARSERS[c]._defaults
    ),
    ("study", "-o", "t.svg", "matplotlib", "diagrams"),
    ("study", "-o", "t.png", "typst", "diagrams"),
    ("verify", "-o", "t.csv", "fvcore", "verify"),
    ("aux", "-o", "t.csv", "sklearn", "probe"),
    ("sweep", "--engine", "dask", "distributed", "dask"),
    ("claims", "--ledger", "claims.yaml", "yaml", "yaml"),
]


@pytest.mark.parametrize("need", NEEDS, ids=" ".join)
def test_a_missing_extra_is_named_before_the_work(need, no_work, capsys, monkeypatch, tmp_path):
    command, option, value, module, extra = need
    monkeypatch.setitem(sys.modules, module, None)  # an import of it fails
    run(*WORDS[command], option, value)
    line = line_of(capsys)
    assert f" needs {module}; pip install 'costlab[{extra}]'" in line
    assert not any(tmp_path.iterdir())


def test_extras_are_those_of_the_metadata():
    """All but those for work on costlab itself, each with the modules of its packages."""
    metadata = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())
    extras = metadata["project"]["optional-dependencies"]
    assert {*EXTRAS} == {*extras} - {"test", "bench", "docs"}
    modules = {"pyyaml": "yaml", "scikit-learn": "sklearn", "nvidia-ml-py": "pynvml"}
    for name, extra in EXTRAS.items():
        packages = [re.split("[>=]", p)[0] for p in extras[name]]
        found = [modules.get(p, p.replace("-", "_")) for p in packages]
        assert sorted(extra.modules) == sorted(found)


USERS = """\
import torch
from torch import nn


def build(width=8):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.Flatten(), nn.Linear(width, 5))


def imports_cv2():
    import cv2_of_nobody

    return build()


def imports_private():
    import mycompany_blocks

    return build()


made = build()
"""
KW = """
from torch import nn


class Both(nn.Module):
    def forward(self, a, b, c):
        return a + b + c


class Words(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Embedding(9, 2))
"""
TABLE = "table net.py:build --input 1x3x3x3 "


@pytest.mark.parametrize(
    "words, line",
    [
        # options: the help of the command, and the nearest one
        (
            "table googlenet --colums x",
            "unknown option --colums; did you mean --columns? see costlab table --help",
        ),
        ("list --ful=1", "unknown option --ful; see costlab list --help"),
        (
            "list googlenet",
            "argument WHAT: invalid choice: 'googlenet' (choose from 'zoo', 'profiles'); "
            "see costlab list --help",
        ),
        # modules: no name is made into an install command
        (
            "table net.py:imports_cv2 --input 1x3x3x3",
            "net.py:imports_cv2 needs cv2_of_nobody, which is not installed here (imported by "
            "net.py, line 10)",
        ),
        (
            "table net.py:imports_private --input 1x3x3x3",
            "net.py:imports_private needs mycompany_blocks, which is not installed here (imported "
            "by net.py, line 16)",
        ),
        # factories and their arguments
        (
            "table net.py:made --input 1x3x3x3",
            "net.py:made is a model, not a factory (Sequential); name its class, or a "
            "function that returns it",
        ),
        (
            f"{TABLE} --arg num_classes=10",
            "building net.py:build failed: TypeError: build() got an unexpected keyword argument "
            "'num_classes'; it takes width",
        ),
        (
            f"{TABLE} --arg widht=10",
            "building net.py:build failed: TypeError: build() got an unexpected keyword argument "
            "'widht'; did you mean width?",
        ),
        (
            "table alexnet --arg num_classes=10",
            "building alexnet failed: TypeError: AlexNet.__init__() got an unexpected keyword "
            "argument 'num_classes'; did you mean classes?",
        ),
        (
            "table net.py:bulid --input 1x3x3x3",
            "net.py has no callable 'bulid'; did you mean build?",
        ),
        (
            "table net.py:zzz --input 1x3x3x3",
            "net.py has no callable 'zzz'; it has build, imports_cv2, imports_private",
        ),
        # names
        ("chart stges alexnet -o a.svg", "unknown chart 'stges'; did you mean stages or times?"),
        ("table alexnet --style papre", "unknown style 'papre'; did you mean paper?"),
        ("table alexnet --style nice", "unknown style 'nice'; choose auto, paper, resnet, layers"),
        ("factorize --rewrite bottlenek", "unknown rewrite 'bottlenek'; did you mean bottleneck?"),
        (
            "table alexnet --batch 8",
            "alexnet (AlexNet) is not a causal language model, such as transformers:LlamaConfig, "
            "and takes no --phase, --context or --batch; its inputs, with their batch, are given "
            "with --input",
        ),
        # before the model is built
        ("audit no.py:model --against no.csv", "cannot read no.csv: No such file or directory"),
        ("claims C999", "no claim 'C999'; there are C01 to C84"),
        (
            "diagram net.py:build --input 1x3x3x3 --module layer9 -o a.svg",
            "no layer under module 'layer9'; there are 0, 1, 2",
        ),
        (
            "compare alexnet",
            "compare needs two models or more: costlab compare alexnet resnet50",
        ),
        # inputs
        (
            "table net.py:build --input 1x1x3x3",
            "the model failed in 0: RuntimeError: Invalid channel dimensions (aten.convolution on "
            "1x1x3x3, 8x3x3x3, 8); the input has 1 channel, and the weights take 3",
        ),
        (
            "table kw.py:Both --input 1x3",
            "the model failed in Both: TypeError: Both.forward() missing 2 required positional "
            "arguments: 'b' and 'c'; give --input b=SHAPE --input c=SHAPE",
        ),
        (
            "table kw.py:Words --input 1x3",
            "the model failed in 0: RuntimeError: Expected tensor for argument 'indices' to have "
            "one of the following scalar types: Long, Int; but got torch.float32 instead "
            "(aten.embedding on 9x2, 1x3); indices are integers, given as --input 1x16:int64",
        ),
        (
            "table net.py:build --input 3x3x3",
            "the model failed in 2: RuntimeError: a and b must have same reduction dim, but got "
            "[8, 1] X [8, 5]. (aten.addmm on 5, 8x1, 8x5); is the batch missing? it runs on "
            "1x3x3x3",
        ),
        (
            "table net.py:build --input 0x3x3x3",
            "cannot create input '0x3x3x3': a batch of 0 costs nothing; give at least 1",
        ),
        # measured traces
        (
            "roofline googlenet",
            "roofline needs a measured trace, and there is no file googlenet; measure a model "
            "with: costlab trace googlenet --measure -o googlenet.trace",
        ),
        # axes that change nothing
        (
            "sweep googlenet --over tokens=1,2",
            "googlenet has no tokens: its inputs are 1x3x224x224",
        ),
        (
            "sweep net.py:build --input 1x3x3x3 --over bacth=1,2",
            "building net.py:build failed: TypeError: build() got an unexpected keyword argument "
            "'bacth'; it takes width; did you mean batch?",
        ),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_right(words, line, tmp_path, monkeypatch, capsys):
    (tmp_path / "net.py").write_text(USERS)
    (tmp_path / "kw.py").write_text(KW)
    monkeypatch.chdir(tmp_path)
    try:
        run(*words.split())
    except SystemExit as stopped:
        assert stopped.code == 2
    assert line_of(capsys) == line


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_commands_and_options(shell, capsys):
    pytest.importorskip("shtab")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--print-completion", shell])
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    for word in (*COMMANDS, "--what-if", "--traceback"):
        assert word.removeprefix("--") in said


def test_completion_in_bash(tmp_path):
    """What bash offers after `costlab ro`."""
    pytest.importorskip("shtab")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    code = "from costlab import cli; cli.main(['--print-completion', 'bash'])"
    script = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    asked = script.stdout + (
        "\nCOMP_WORDS=(costlab ro); COMP_CWORD=1; _shtab_costlab; echo ${COMPREPLY[@]}"
    )
    found = subprocess.run([bash, "-c", asked], capture_output=True, text=True)
    assert found.stdout.split() == ["roofline"]


def test_completion_names_its_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--print-completion", "bash"])
    assert stopped.value.code == 2
    assert line_of(capsys) == "--print-completion needs shtab; pip install 'costlab[completion]'"


def test_doctor_says_what_is_missing_and_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.setenv("COLUMNS", "93")
    run("doctor", "--format", "json", code=0)
    doc = json.loads(capsys.readouterr().out)
    rows = {(row["part"], row["name"]): row for row in doc["rows"]}
    assert rows["versions", "torch"]["found"] == torch.__version__
    assert rows["versions", "Python"]["found"] == platform.python_version()
    assert {name for part, name in rows if part == "extras"} == {*EXTRAS}
    assert rows["extras", "report"]["found"] == "missing typst"
    assert rows["extras", "report"]["note"].endswith(": pip install 'costlab[report]'")
    assert rows["extras", "charts"]["found"] == "installed"
    assert rows["terminal", "width"]["found"] == "93 columns"
    assert ("devices", "cpu") in rows


@pytest.mark.parametrize("source", ["torchvision", "timm"])
def test_a_source_that_is_not_installed_names_its_extra(source, monkeypatch, capsys):
    for missing in ("torchvision", "timm"):
        for module in [m for m in sys.modules if m.partition(".")[0] == missing]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, missing, None)
    run("table", f"{source}:resnet18")
    assert line_of(capsys).endswith(f"; pip install 'costlab[{source}]'")


@pytest.mark.parametrize(
    "module, call, line",
    [
        ("pandas", lambda r: r.to_frame(), "to_frame needs pandas; pip install 'costlab[pandas]'"),
        (
            "matplotlib",
            lambda r: r.chart().save("c.svg"),
            "a chart needs matplotlib; pip install 'costlab[charts]'",
        ),
        (
            "matplotlib",
            lambda r: r.diagram().save("d.svg"),
            "a diagram needs matplotlib; pip install 'costlab[diagrams]'",
        ),
        (
            "pyarrow",
            lambda r: r.save("t.parquet"),
            "Parquet needs pyarrow; pip install 'costlab[parquet]'",
        ),
    ],
)
def test_python_names_the_extra_that_is_missing(module, call, line, monkeypatch, tmp_path):
    result = costlab.head()
    monkeypatch.chdir(tmp_path)
    measure.width.cache_clear()  # what an earlier test measured needs no font
    measure._font.cache_clear()
    for name in [m for m in sys.modules if m.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError) as error:
        call(result)
    assert str(error.value) == line
    assert not any(tmp_path.iterdir())
