"""Files that no costlab wrote: each is read whole and rendered right, or refused in one line."""

import gzip
import json
import re
import signal
import tracemalloc

import mutations
import pytest

import costlab
from costlab.cli import main
from costlab.trace import files

LONGEST = 20  # seconds of the processor that a mutant may take, with all its outputs
QUICK = [("googlenet", 6)] + [(name, 40) for name in mutations.SEEDS if name != "googlenet"]


class TooLateError(BaseException):
    """No `except Exception` takes it for an answer."""


@pytest.fixture
def in_time():
    """Ends what takes too long."""

    def late(*_):
        raise TooLateError

    before = signal.signal(signal.SIGPROF, late)
    yield lambda: signal.setitimer(signal.ITIMER_PROF, LONGEST)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Of each seed what its file holds, read once."""
    pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("seeds")
    return {name: mutations.document(name, folder) for name in mutations.SEEDS}


def rendered(doc, path):
    """Whether a document loads; then every output of it is made."""
    try:
        trace = costlab.Trace.load(mutations.write(doc, path))
    except costlab.TraceFileError as e:
        assert str(e).isprintable() and len(str(e)) < 500, "no short line"
        return False
    for name, output in mutations.outputs(trace):
        try:
            text = output()
        except costlab.TraceError:
            continue  # one line, as for a model that has no such output
        if isinstance(text, str):
            assert text.encode(), name
    return True


def run(documents, tmp_path, in_time, seed, mutants):
    loaded = 0
    for n in range(mutants):
        in_time()
        doc = mutations.mutant(documents[seed], n)
        try:
            loaded += rendered(doc, tmp_path / "mutant.trace")
        except TooLateError:
            pytest.fail(f"mutant {n} of {seed} takes over {LONGEST} s")
        except Exception as e:
            raise AssertionError(f"mutant {n} of {seed}") from e
    assert 0 < loaded < mutants


@pytest.mark.parametrize("seed, mutants", QUICK, ids=[name for name, _ in QUICK])
def test_mutants(seed, mutants, documents, tmp_path, in_time):
    run(documents, tmp_path, in_time, seed, mutants)


@pytest.mark.slow
@pytest.mark.parametrize("seed", mutations.SEEDS)
def test_thousands_of_mutants(seed, documents, tmp_path, in_time):
    """1,000 of googlenet and 2,600 of each other: 14,000."""
    run(documents, tmp_path, in_time, seed, 1000 if seed == "googlenet" else 2600)


@pytest.mark.parametrize("seed", mutations.SEEDS)
def test_a_seed_loads_as_it_was_saved(seed, documents, tmp_path):
    path = mutations.write(documents[seed], tmp_path / "a.trace")
    trace = costlab.Trace.load(path)
    trace.save(tmp_path / "b.trace")
    again = json.loads(gzip.decompress((tmp_path / "b.trace").read_bytes()))
    assert again == documents[seed]
    assert len(trace.ops) == documents[seed]["count"]


# One thing that is wrong with a file, at a place in it, and what the line says of it. The file is
# that of the network `trained`: ops[0] is a convolution of a (2, 3, 8, 8) image by (8, 3, 3, 3).
WRONG = {
    "a text among dimensions": (("tensors", 0, 0, 1), "3", "tensors[0]: a dimension of '3'"),
    "a huge dimension": (("tensors", 0, 0, 1), 10**300, "tensors[0]: a dimension of 1000"),
    "huge dimensions": (("tensors", 0, 0), [2**40, 2**40], "tensors[0]: more elements than"),
    "65 dimensions": (("tensors", 0, 0), [1] * 65, "tensors[0]: more than 64 dimensions"),
    "a truth value as an index": (
        ("ops", 0, 4),
        [True, 1, 2],
        "ops[0]: inputs: True is not an index",
    ),
    "an index of no tensor": (("ops", 0, 4, 0), 999, "ops[0]: inputs: 999 is not an index below"),
    "a param of another shape": (("params", 0, 1), [8, 3, 3, 2], "params[0]: its shape is not"),
    "one input of a convolution": (("ops", 0, 4), [0], "ops[0]: its inputs, outputs and attri"),
    "a stride of text": (("ops", 0, 7, "stride"), "x", "ops[0]: its inputs, outputs and attri"),
    "a stride of a half": (("ops", 0, 7, "stride"), [0.5, 0.5], "ops[0]: its inputs, outputs and"),
    "a deep attribute": (("ops", 0, 7, "stride"), "deep", "ops[0]: attribute stride is nested"),
    "a long name": (("ops", 0, 0), "n" * 100_001, "ops[0]: name is longer than 100,000"),
    "half a character": (("ops", 0, 0), "a\ud800", r"ops[0]: name 'a\ud800' has half a char"),
    "a deep module": (("ops", 0, 1), "a." * 3000, "ops[0]: module has more than 1500 parts"),
    "a cycle": (("ops", 0, 4, 0), "last", "ops[0]: it takes a tensor that a later operation"),
    "another count": (("count",), 3, "operations are missing"),
    "no count": (("count",), None, "operations are missing"),
    "no inputs": (("provenance", "inputs"), "none", "provenance has no inputs"),
    "a date of None": (("provenance", "date"), None, "provenance.date None is not a string"),
    "an escape in a message": (("ops", 0, 4, 0), "\x1b[31m", r"inputs: '\x1b[31m' is not an index"),
}


def deep(levels):
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_its_place(case, documents, tmp_path, capsys):
    place, value, says = WRONG[case]
    doc = json.loads(json.dumps(documents["trained"]))
    if value == "deep":
        value = deep(900)
    elif value == "last":
        value = doc["ops"][-1][5][0]
    node = doc
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    if value == "none":
        del node[place[-1]]
    path = mutations.write(doc, tmp_path / "a.trace")
    assert main(["table", str(path)]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"costlab: {path} is damaged: ") and says in err
    assert err.endswith("; trace the model again\n") and err.count("\n") == 1


MEASURED = {
    "a time that is not a number": (
        ("total", "median"),
        "1",
        "measured.total.median '1' is not a num",
    ),
    "no time": (("total", "median"), 0, "measured: a time that is not above 0"),
    "infinity": (("other",), float("inf"), "measured.other inf is not finite"),
    "no bandwidth": (("ceilings",), {"float32": 1.0}, "measured: no ceiling bandwidth"),
    "an unknown operation": (("ops", 0, "of"), 10**6, "operation 1000000 is not an integer"),
    "an unknown field": (("ops", 0, "x"), 1, "measured.ops[0] has an unknown field 'x'"),
    "no device": (("conditions",), {"dtype": "fp32"}, "measured.conditions has no device"),
}


@pytest.mark.parametrize("case", MEASURED)
def test_what_is_wrong_with_a_measurement(case, documents, tmp_path):
    place, value, says = MEASURED[case]
    doc = json.loads(json.dumps(documents["lstm"]))
    node = doc["measured"]
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    path = mutations.write(doc, tmp_path / "a.trace")
    with pytest.raises(costlab.TraceFileError, match=re.escape(says)):
        costlab.Trace.load(path)


MANY_VALUES = json.dumps([[["aten.transpose"] * 9] * 9] * 9).encode()


@pytest.mark.parametrize(
    "data, says",
    [
        # 300 MiB of blanks are 300 kB packed
        (b" " * (300 * 2**20), "holds more than 256 MiB, the most that a trace may"),
        (b"[" + b"1," * 20_000_001 + b"1]", "holds more than 20,000,000 values"),
        (b"[" * 10**6, "is damaged or cut short"),
        (b"9" * 10**6, "is damaged or cut short"),
        (b'{"format": "costlab-trace", "version": 1e999}', "has trace format inf"),
        (b'{"format": "costlab-trace", "version": true}', "has trace format True"),
        (b'{"format": "costlab-trace", "version": ' + MANY_VALUES + b"}", "has trace format [["),
        (b"\xff\xfe", "is damaged or cut short"),
    ],
    ids=[
        "bomb",
        "values",
        "nesting",
        "digits",
        "infinite version",
        "true version",
        "a version of lists",
        "no utf-8",
    ],
)
def test_limits_of_a_file(data, says, tmp_path):
    path = tmp_path / "a.trace"
    path.write_bytes(gzip.compress(data, 1))
    with pytest.raises(costlab.TraceFileError, match=re.escape(says)) as refused:
        costlab.Trace.load(path)
    assert len(str(refused.value)) <= len(str(path)) + 150


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """A file of 64 kB unpacks to 64 MiB; 1 MiB and a few pieces of it are held."""
    monkeypatch.setattr(files, "MOST_BYTES", 2**20)
    path = tmp_path / "a.trace"
    path.write_bytes(gzip.compress(b" " * 2**26, 9))
    tracemalloc.start()
    with pytest.raises(costlab.TraceFileError, match="holds more than 1 MiB"):
        costlab.Trace.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24
