"""The public functions: what they give, what results can do, what wrong arguments are told."""

import ast
import inspect
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from selection import MEASURED, measured
from torch import nn

import costlab
from costlab import api, zoo
from costlab._result import Charted, Drawn, Result


def tiny():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 5, padding=2))


@pytest.fixture(scope="module")
def trace():
    return costlab.trace(tiny(), torch.empty(1, 3, 8, 8))


BUDGETS = Path(__file__).parent / "data/budgets.toml"
FIVE = MEASURED / "5x5.h100.fp32.nchw.32x64x28x28.trace"
LLAMA = {
    "vocab_size": 8,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}

# public function -> one of its results; "function.method" for a result of a result
RESULTS = {
    "audit": lambda t: costlab.audit("alexnet"),
    "audit_all": lambda t: costlab.audit_all(),
    "aux": lambda t: costlab.aux("cnds8"),
    "bottleneck": lambda t: costlab.bottleneck([64, 96, 128, 16, 32, 32]),
    "check": lambda t: costlab.check(BUDGETS),
    "claims": lambda t: costlab.claims(["C13"]),
    "compare": lambda t: costlab.compare(t, t),
    "diff": lambda t: costlab.diff(t, costlab.trace(tiny()[:1], torch.empty(1, 3, 8, 8))),
    "doctor": lambda t: costlab.doctor(),
    "factorize": lambda t: costlab.factorize(t),
    "factorize.apply": lambda t: costlab.factorize(tiny(), torch.empty(1, 3, 8, 8)).apply("best"),
    "fields": lambda t: costlab.fields("3x3+3x3"),
    "grid": lambda t: costlab.grid(d=9, c_in=4, c_out=8),
    "head": lambda t: costlab.head(c_in=8, classes=10, hidden=16),
    "memory": lambda t: costlab.memory(t),
    "mixing": lambda t: costlab.mixing(),
    "mlpconv": lambda t: costlab.mlpconv([8, 8], side=16, kernel=3, stride=1),
    "models": lambda t: costlab.models(),
    "pareto": lambda t: costlab.pareto(),
    "phases": lambda t: costlab.phases("transformers:LlamaConfig", context=8, arguments=LLAMA),
    "probe": lambda t: costlab.probe(iterations=1, batch=1, seeds=(0,), device="cpu"),
    "predict": lambda t: costlab.predict(t, "h100"),
    "profile": lambda t: costlab.profile(t),
    "profiles": lambda t: costlab.profiles(),
    "reductions": lambda t: costlab.reductions("nin"),
    "report": lambda t: costlab.report(t, title="Small", sections=["summary", "table"]),
    "results": lambda t: costlab.results(network="googlenet"),
    "roofline": lambda t: costlab.roofline(FIVE),
    "rules": lambda t: costlab.rules(kernels=[5]),
    "saturation": lambda t: costlab.saturation(),
    "savings": lambda t: costlab.savings(measured("*.h100.fp32.nchw.*").name, on="h100 fp32"),
    "study": lambda t: costlab.study(),
    "summary": lambda t: costlab.summary(tiny(), (3, 8, 8)),
    "sweep": lambda t: costlab.sweep("nin_cifar10", over={"batch": [1, 2]}, jobs=1),
    "table": lambda t: costlab.table(t, style="layers"),
    "times": lambda t: costlab.times([FIVE]),
    "towers": lambda t: costlab.towers(t),
    "variants": lambda t: costlab.variants(t, t),
    "verify": lambda t: costlab.verify(tiny(), torch.empty(1, 3, 8, 8)),
    "what_if": lambda t: costlab.what_if(costlab.load(tiny(), torch.empty(1, 3, 8, 8)), "batch=2"),
}
NO_RESULT = {
    *("load", "trace", "measure", "assert_cost"),  # a model or its record
    *("load_profile", "calibrate"),  # what is known of a device
    "export",  # a file for another tool
    *("cost_of", "total", "training"),  # plain numbers of a trace
    *("diagram", "formula"),  # a picture; a decorator
}
NEEDS = {"audit_all": ("torchvision", "timm"), "phases": ("transformers",), "probe": ("sklearn",)}
SLOW = ("audit_all", "probe", "sweep")  # the first takes a minute, the others seconds
EACH = [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in RESULTS]


@pytest.fixture(scope="module")
def results(trace):
    @cache
    def result(name):
        for package in NEEDS.get(name, ()):
            pytest.importorskip(package)
        return RESULTS[name](trace)

    return result


def test_every_public_function_gives_a_result_that_is_tested_here():
    functions = {n for n in api.__all__ if inspect.isfunction(getattr(api, n))}
    assert functions == {name.partition(".")[0] for name in RESULTS} | NO_RESULT


@pytest.mark.parametrize("name", EACH)
def test_every_result_prints_shows_and_saves_itself(name, results, tmp_path):
    result = results(name)
    assert isinstance(result, Result)
    lines = str(result).splitlines()
    assert lines[0] == result.sheet.title
    assert [line for line in result.sheet.notes if line not in lines] == []
    assert repr(result).startswith(f"<{type(result).__name__} ") and "\n" not in repr(result)
    shown = result._repr_html_()
    headings = sum(map(bool, result.sheet.headings()))
    assert shown.startswith("<div") and shown.count("<tr") - headings == len(result.sheet.rows) + (
        1 if result.sheet.total is None else 2
    )
    assert len(result.to_frame()) == len(result.sheet.rows)
    if name == "report":
        return  # it is saved as a document, which has tests of its own
    result.save(tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text().count("\n") >= len(result.sheet.rows) + 1


@pytest.mark.parametrize("name", EACH)
def test_a_result_is_saved_in_the_format_of_the_suffix(name, results, tmp_path):
    result = results(name)
    file = tmp_path / "r.html"
    result.save(file)
    assert file.read_text().lstrip().lower().startswith("<!doctype html")
    with pytest.raises(ValueError, match="r.gif"):
        result.save(tmp_path / "r.gif")
    assert [f.name for f in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize("name", EACH)
def test_what_has_a_picture_draws_it(name, results, tmp_path):
    result = results(name)
    assert hasattr(result, "chart") == isinstance(result, Charted)
    if isinstance(result, Charted):
        assert "<svg" in result.chart()._repr_svg_()
    if hasattr(result, "diagram"):
        result.diagram().save(tmp_path / "d.dot")
        assert (tmp_path / "d.dot").read_text().startswith("digraph costlab")
    elif isinstance(result, Drawn):
        pytest.fail("a Drawn result has a diagram")


def test_the_diagram_of_a_model_shows_and_saves_itself(trace, tmp_path):
    picture = costlab.diagram(trace)
    assert "<svg" in picture._repr_svg_() and "\n" not in repr(picture)
    picture.save(tmp_path / "d.dot")
    assert (tmp_path / "d.dot").read_text().startswith("digraph costlab")


# 8x8 places, 3x3x3 to 8, then 5x5x8 to 4: 64 * 27 * 8 + 64 * 200 * 4; params with biases
MACS, PARAMS = 64 * 27 * 8 + 64 * 200 * 4, 27 * 8 + 8 + 200 * 4 + 4


@pytest.mark.parametrize(
    "inputs",
    [(3, 8, 8), (1, 3, 8, 8), [(1, 3, 8, 8)], torch.empty(1, 3, 8, 8)],
    ids=["without batch", "with batch", "a list", "a tensor"],
)
def test_a_summary_takes_shapes_and_tensors(inputs):
    model = tiny()
    model[0].weight.requires_grad_(False)
    result = costlab.summary(model, inputs)
    assert (result.total.macs, result.total.params) == (MACS, PARAMS)
    assert result.trainable == PARAMS - 27 * 8
    assert f"of them trainable {PARAMS - 216:,}, not trainable 216" in str(result)
    assert str(result).count("trainable") == 2  # once each, and not again in the table's notes
    assert "8x8x8" in str(result)


IMPORTS = """
import sys
for name in ("trace", "measure", "report", "check"):
    __import__(f"costlab.{name}")
    import costlab
    print(name, callable(getattr(costlab, name)))
    for module in [m for m in sys.modules if m.partition(".")[0] == "costlab"]:
        del sys.modules[module]
"""


@pytest.mark.slow
def test_a_package_is_called_like_its_function_whatever_was_imported_before():
    """Each is imported first in a process in which nothing of costlab is imported."""
    argv = [sys.executable, "-c", IMPORTS]
    out = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert out.stdout == "trace True\nmeasure True\nreport True\ncheck True\n"


def test_importing_costlab_imports_no_torch():
    code = "import sys, costlab; dir(costlab); print('torch' in sys.modules, 'rich' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False False\n"


FUNCTIONS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]
# of `costlab.api`: each refuses what is not a model, and a name that is not known
TAKES_A_MODEL = {"as_trace", "load", "load_named", "real_model", "trace_named"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_names_every_param(name):
    """In its `Args`, or in the sentence that says what the function does, in backticks."""
    function = getattr(api, name)
    text = inspect.getdoc(function)
    named = {
        n for names in re.findall(r"^ {4}((?:\w+, )*\w+): ", text, re.M) for n in names.split(", ")
    }
    named |= set(re.findall(r"`(\w+)`", text))
    assert set(inspect.signature(function).parameters) <= named


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_says_what_is_raised(name):
    function = getattr(api, name)
    tree = ast.parse(inspect.getsource(function))
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    if called & TAKES_A_MODEL or any(isinstance(n, ast.Raise) for n in ast.walk(tree)):
        assert re.search(r"\bRaises:? ?\n? *\w+", inspect.getdoc(function))


@pytest.mark.parametrize("name", costlab.__all__)
def test_dir_names_what_there_is(name):
    assert name in dir(costlab) and getattr(costlab, name) is not None
    assert name.startswith("__") or getattr(costlab, name).__doc__


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda t: costlab.trace(tiny(), (3, 8, 8)), costlab.TraceError, "costlab.summary"),
        (lambda t: costlab.table(tiny()), TypeError, "costlab.table(costlab.trace(model, inputs))"),
        (lambda t: costlab.memory(3), TypeError, "not int"),
        (lambda t: costlab.verify(3), TypeError, "a module with its inputs"),
        (lambda t: costlab.compare(t), ValueError, "two models or more"),
        (lambda t: costlab.table("googlenett"), ValueError, "did you mean googlenet"),
        (lambda t: costlab.table(t, style="best"), ValueError, "unknown style 'best'"),
        (lambda t: costlab.table(t).save("x.docx"), ValueError, "'x.docx'"),
        (lambda t: costlab.profile(t).chart("pie"), ValueError, "stages or cumulative"),
        (lambda t: costlab.profile(t).chart().save("x.gif"), ValueError, ".svg, .pdf or .png"),
        (lambda t: costlab.factorize(t).apply("best"), ValueError, "name the model"),
        (lambda t: costlab.report(), ValueError, "name a model to report"),
        (lambda t: costlab.report(t, base=t), ValueError, "both `base` and `head`"),
        (lambda t: costlab.claims("C999"), ValueError, "no claim 'C999'"),
        (lambda t: costlab.audit(t), ValueError, "no published figures"),
        (lambda t: costlab.nothing, AttributeError, "'nothing'"),
    ],
)
def test_a_wrong_argument_is_told_what_is_right(call, error, text, trace):
    with pytest.raises(error) as raised:
        call(trace)
    assert text in str(raised.value) and "\n" not in str(raised.value)


def test_options_are_keywords(trace):
    with pytest.raises(TypeError):
        costlab.table(trace, "paper")


def test_a_model_by_name_is_the_traced_model():
    by_name = costlab.table("nin")
    model = zoo.build("nin")
    traced = costlab.trace(model, torch.empty(zoo.input_shape("nin")))
    assert (by_name.params, by_name.macs) == (
        costlab.total(traced).params,
        costlab.total(traced).macs,
    )


def test_a_trace_is_one_line_in_a_notebook(trace):
    assert repr(trace) == "<Trace of 'Sequential' on cpu, 3 operations>"


def test_a_report_names_its_sections_and_writes_one_page(trace, tmp_path):
    report = costlab.report(trace, title="Small", sections=["summary", "table"])
    assert str(report).splitlines()[0] == "Small" and len(report.document.sections) == 2
    report.save(tmp_path / "r.html")
    assert "<title>Small</title>" in (tmp_path / "r.html").read_text()
