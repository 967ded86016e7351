"""docs/tutorial.ipynb runs from top to bottom in a kernel, and shows tables and pictures inline."""

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOK = nbformat.read(ROOT / "docs" / "tutorial.ipynb", as_version=4)
SHOWN = [
    pytest.param(i, tag, id=f"{tag}-{i}")
    for i, cell in enumerate(NOTEBOOK.cells)
    for tag in cell.metadata.get("tags", ())
]
# what each tag of a cell promises to show, and what that begins with or holds
MIME = {"table": ("text/html", "<table"), "picture": ("image/svg+xml", "<svg")}


@cache
def executed():
    """The notebook as it is after a run, made once by the process that has these tests. IPython has
    a folder of its own, without the settings of who runs them."""
    waits = {"timeout": 300, "startup_timeout": 300}
    client = NotebookClient(nbformat.from_dict(NOTEBOOK), kernel_name="python3", **waits)
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with TemporaryDirectory() as folder:
        return client.execute(env={**os.environ, **own, "IPYTHONDIR": folder})


def result(at):
    """What the last expression of a cell shows, by MIME type."""
    (output,) = [o for o in executed().cells[at].outputs if o.output_type == "execute_result"]
    return output.data


def test_the_committed_notebook_has_no_outputs():
    nbformat.validate(NOTEBOOK)
    code = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]
    assert [cell.outputs or cell.execution_count for cell in code] == [None] * len(code)


@pytest.mark.slow
@pytest.mark.parametrize("at, tag", SHOWN)
def test_a_cell_shows_what_its_tag_says(at, tag):
    kind, text = MIME[tag]
    assert text in result(at)[kind]


@pytest.mark.slow
def test_every_cell_that_shows_something_has_a_tag():
    showing = [
        i
        for i, cell in enumerate(executed().cells)
        if any("data" in output for output in cell.get("outputs", ()))
    ]
    assert showing == [param.values[0] for param in SHOWN]


@pytest.mark.slow
def test_no_cell_writes_to_stderr():
    outputs = [output for cell in executed().cells for output in cell.get("outputs", ())]
    assert [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"] == []


def test_the_notebook_calls_what_the_tutorial_names():
    source = "".join(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "code")
    for name in ("summary", "table", "audit", "profile", "diagram", "factorize", "study"):
        assert f"costlab.{name}(" in source


@pytest.mark.slow
def test_the_table_of_a_cell_is_that_of_the_trace():
    at = next(i for i, c in enumerate(NOTEBOOK.cells) if c.source.endswith("table(googlenet)"))
    assert ">159.5K<" in result(at)["text/html"]  # 163,328 weights / 1024, of inception (3a)
    assert result(at)["text/plain"] == "<Table 'googlenet', 19 rows>"
