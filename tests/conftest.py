"""What all tests share."""

import contextlib
import gc
import os
import signal
import sys
import types

import pytest

# PyPI's torchvision is built for another torch than the CPU build here and registers kernels of its
# compiled operators at import; its models need none of them
with contextlib.suppress(ImportError):
    try:
        import torchvision  # noqa: F401 only to see whether it imports
    except RuntimeError:
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        stub = "torchvision._meta_registrations"
        sys.modules[stub] = types.ModuleType(stub)

# of the shell that starts the tests: how wide and how coloured its terminal is, and in which
# repository it works where that is a hook of git
for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(name, None)
for name in ("DIR", "WORK_TREE", "COMMON_DIR", "INDEX_FILE", "OBJECT_DIRECTORY", "PREFIX"):
    os.environ.pop(f"GIT_{name}", None)

# a shell starts its background jobs with Ctrl-C ignored, and processes inherit that: those that
# tests send Ctrl-C to would never end
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """What is imported and collected stays: the garbage collector does not look through it again
    and again, nor after every few objects of a trace."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(autouse=True, scope="session")
def layouts_have_time():
    """How busy the machine is does not decide at which depth a diagram is drawn."""
    from costlab.render.diagram import clock

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "SECONDS", 600.0)
        yield


@pytest.fixture
def dask(tmp_path):
    """The engine of a Dask cluster of this machine, whose files are gone with those of the test."""
    package = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    from costlab.analysis.sweep import engines

    with package.config.set({"temporary-directory": str(tmp_path)}):
        yield engines.dask()


@pytest.fixture
def sweeps_here(monkeypatch):
    """Sweeps run in this process, where the test is not of the processes: each takes seconds to
    start."""
    monkeypatch.setattr("costlab.api._sweep._engine", lambda name, scheduler, workers: None)
