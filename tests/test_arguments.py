"""Wrong arguments of the public functions: each is one line that names the function, the argument
and what it takes."""

import inspect

import pytest
import torch
from torch import nn

import costlab
from costlab import api
from costlab.api import _arguments

FUNCTIONS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]


def tiny():
    return nn.Sequential(nn.Conv2d(3, 8, 3))


@pytest.fixture(scope="module")
def trace():
    return costlab.trace(tiny(), torch.empty(1, 3, 8, 8))


def message(call, error=TypeError):
    with pytest.raises(error) as raised:
        call()
    said = str(raised.value)
    assert "\n" not in said
    return said


# what a function cannot be called without, as values of the right type that nothing looks at
NEEDED = {
    "over": {},
    "changes": "",
    "path": "",
    "folder": "",
    "runs": "",
    "topic": 1,
    "profile": "",
}


def required(name, trace=None):
    parameters = inspect.signature(getattr(api, name)).parameters.values()
    needed = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    return {n: trace.ops[0] if n == "op" and trace else NEEDED.get(n, trace) for n in needed}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_name_that_a_function_does_not_have(name):
    if name == "assert_cost":  # its other names are quantities
        said = message(lambda: costlab.assert_cost(None, nonsense=1))
        assert said == "costlab.assert_cost: nonsense takes a string, not 1"
        return
    said = message(lambda: getattr(costlab, name)(**required(name), nonsense=1))
    assert said.startswith(f"costlab.{name} has no argument 'nonsense'")


PARAMETERS = [
    (name, p.name)
    for name in FUNCTIONS
    for p in inspect.signature(getattr(api, name)).parameters.values()
    if _arguments._types(str(p.annotation)) and p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
]


def test_most_parameters_have_a_type_that_is_checked():
    """The others take a model, tensors, or whatever the model takes."""
    of = {name for name, _ in PARAMETERS}
    without = {
        "compare",
        "doctor",
        "memory",
        "models",
        "profiles",
        "reductions",
        "towers",
        "variants",
    }
    varying = {"assert_cost", "formula", "trace", "measure"}
    assert set(FUNCTIONS) - of <= without | varying
    assert len(PARAMETERS) > 150


@pytest.mark.parametrize("name, parameter", PARAMETERS)
def test_a_value_of_the_wrong_type(name, parameter, trace):
    given = {**required(name, trace), parameter: object()}
    said = message(lambda: getattr(costlab, name)(**given))
    assert said.startswith(f"costlab.{name}: {parameter} takes ") and said.endswith(", not object")


@pytest.mark.parametrize(
    "call, said",
    [
        # names
        (
            lambda t: costlab.table(t, colums=["FLOPs"]),
            "costlab.table has no argument 'colums'; did you mean columns?",
        ),
        (
            lambda t: costlab.training(t, mode="train"),
            "costlab.training has no argument 'mode'; it takes trace",
        ),
        (
            lambda t: costlab.table(t, "paper"),
            "costlab.table takes only model by position; give the others by name, such as "
            "style=...",
        ),
        (
            lambda t: costlab.pareto("1"),
            "costlab.pareto takes nothing by position; give the others by name, such as crops=...",
        ),
        (lambda t: costlab.what_if("nin"), "costlab.what_if needs changes"),
        (lambda t: costlab.export(), "costlab.export needs model and path"),
        (lambda t: costlab.sweep("nin"), "costlab.sweep needs over"),
        (
            lambda t: costlab.summary(tiny(), (3, 8, 8), inputs=(3, 8, 8)),
            "costlab.summary was given inputs twice, by position and by name",
        ),
        # types
        (
            lambda t: costlab.table(t, depth="two"),
            "costlab.table: depth takes an integer or None, not 'two'",
        ),
        (
            lambda t: costlab.table(t, depth=True),
            "costlab.table: depth takes an integer or None, not True",
        ),
        (
            lambda t: costlab.table(t, columns=[1]),
            "costlab.table: columns takes a string or a list of strings, not list",
        ),
        (
            lambda t: costlab.table(t, strict="yes"),
            "costlab.table: strict takes True or False, not 'yes'",
        ),
        (
            lambda t: costlab.measure(tiny(), torch.empty(1, 3, 8, 8), dtype=torch.float16),
            "costlab.measure: dtype takes a string, not dtype",
        ),
        (
            lambda t: costlab.factorize(t, kernels=5),
            "costlab.factorize: kernels takes a list of integers, not 5",
        ),
        (
            lambda t: costlab.report(t, sections="summary"),
            "costlab.report: sections takes a list of strings, not 'summary'",
        ),
        (
            lambda t: costlab.sweep("nin", over=["batch"]),
            "costlab.sweep: over takes a dict, not list",
        ),
        (
            lambda t: costlab.sweep(t, over={"batch": [1]}),
            "costlab.sweep: models takes a string, not Trace",
        ),
        (
            lambda t: costlab.check(3),
            "costlab.check: path takes a string or a path, not 3",
        ),
        (
            lambda t: costlab.probe(tiny()),
            "costlab.probe: model takes a string, not Sequential",
        ),
        (
            lambda t: costlab.probe(progress="yes"),
            "costlab.probe: progress takes a function or None, not 'yes'",
        ),
        (
            lambda t: costlab.formula(lambda trace, op: (0, 0)),
            "costlab.formula: names takes a string, not function",
        ),
        (
            lambda t: costlab.claims(13),
            "costlab.claims: ids takes a string or a list of strings, not 13",
        ),
        # a trace where one is needed
        (
            lambda t: costlab.total("googlenet"),
            "costlab.total: trace takes a trace, which costlab.trace gives, not 'googlenet'",
        ),
        (
            lambda t: costlab.training(tiny()),
            "costlab.training: trace takes a trace, which costlab.trace gives, not Sequential",
        ),
        (
            lambda t: costlab.cost_of(t, 0),
            "costlab.cost_of: op takes an operation of the trace, not 0",
        ),
        # a model where one is needed
        (
            lambda t: costlab.table(tiny()),
            "costlab.table takes a trace or the name of a model, not a module: "
            "costlab.table(costlab.trace(model, inputs)), or costlab.summary(model, inputs)",
        ),
        (
            lambda t: costlab.roofline(tiny()),
            "costlab.roofline takes a measured trace or its file, not a module: "
            "costlab.roofline(costlab.measure(model, inputs))",
        ),
        (
            lambda t: costlab.compare([t, t], t),
            "costlab.compare takes a trace or the name of a model, not a list; give the models "
            "one by one: costlab.compare(*models)",
        ),
        (
            lambda t: costlab.memory(3),
            "costlab.memory takes a trace or the name of a model, not int",
        ),
        (
            lambda t: costlab.summary("googlenet", (3, 224, 224)),
            "costlab.summary takes a module, not a name; try costlab.table('googlenet')",
        ),
    ],
)
def test_the_line_names_the_function_and_the_argument(call, said, trace):
    assert message(lambda: call(trace)) == said


@pytest.mark.parametrize(
    "call, said",
    [
        (
            lambda: costlab.trace(tiny(), (1, 3, 224, 224)),
            "inputs takes tensors; for a shape use costlab.summary(model, shape)",
        ),
        (
            lambda: costlab.trace(tiny()),
            "costlab.trace needs inputs for Sequential: "
            "costlab.trace(model, torch.empty(1, 3, 224, 224))",
        ),
        (
            lambda: costlab.verify(tiny()),
            "costlab.verify needs inputs for Sequential: "
            "costlab.verify(model, torch.empty(1, 3, 224, 224))",
        ),
        (
            lambda: costlab.measure([tiny()], torch.empty(1)),
            "costlab.measure takes a torch.nn.Module, a costlab.load result or the name of a "
            "model, not list",
        ),
        (
            lambda: costlab.trace(None, torch.empty(1)),
            "costlab.trace takes a torch.nn.Module, a costlab.load result or the name of a "
            "model, not NoneType",
        ),
    ],
)
def test_a_model_without_its_inputs_and_inputs_without_a_model(call, said):
    assert message(call, costlab.TraceError) == said


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda t: costlab.table(t, style="layers", depth=-1), "depth -1 shows no module"),
        (lambda t: costlab.diagram(t, depth=-1), "depth -1: choose 0 (blocks)"),
        (lambda t: costlab.table(t, top=0), "top is 0; choose 1 or more"),
        (lambda t: costlab.grid(d=0), "a 0x0 grid is too small"),
        (lambda t: costlab.head(side=-1), "must be integers of at least 1"),
        (lambda t: costlab.mixing(c_in=0), "choose each from 1 to 12"),
        (lambda t: costlab.saturation(0), "0 activations; choose 1 or more"),
        (lambda t: costlab.sweep("nin", over={"batch": [0]}), "from 1"),
        (lambda t: costlab.sweep("nin", over={}), "a sweep needs what varies"),
        (lambda t: costlab.study(0), "the study note has no topic '0'"),
        (lambda t: costlab.trace(tiny(), torch.empty(1), device="gpu"), "unknown device 'gpu'"),
    ],
)
def test_a_value_that_makes_no_sense(call, said, trace):
    assert said in message(lambda: call(trace), (ValueError, costlab.TraceError))


def test_what_fits_goes_through(trace):
    """Integers of numpy, generators, and paths are taken as they were."""
    numpy = pytest.importorskip("numpy")
    assert costlab.table(trace, style="layers", top=numpy.int64(1)).macs == 6 * 6 * 8 * 27
    assert len(costlab.claims(name for name in ["C13"]).claims) == 1
