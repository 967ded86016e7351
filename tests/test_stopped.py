"""What stops a command midway: signals, killed workers, a full disk, two writers of one journal.
Each ends in one line, and a sweep goes on with nothing lost and nothing done twice."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

import costlab
from costlab import cli
from costlab.analysis import sweep as s
from costlab.analysis.sweep.engines import Pool
from costlab.analysis.sweep.journal import Journal
from costlab.cli._signals import Terminated, terminable
from costlab.trace.files import write_file

CONFIGURATIONS = [{"n": n} for n in range(4)]


def counted(c):
    return {"macs": 10 * c["n"]}


def macs(result):
    return [o.result and o.result["macs"] for o in result.outcomes]


def lines(journal):
    return [json.loads(line) for line in journal.read_text().splitlines()]


@contextlib.contextmanager
def files_of_at_most(size):
    """A file that grows beyond `size` bytes is refused, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# ---- the journal


def test_a_full_disk_is_one_line_that_names_the_journal_and_nothing_is_lost(tmp_path):
    journal = tmp_path / "j.jsonl"
    s.run(CONFIGURATIONS[:2], counted, journal=str(journal))
    size = journal.stat().st_size
    with (
        files_of_at_most(size + 40),  # the next line begins, and does not end
        pytest.raises(s.JournalError, match=r"^cannot write \S*/j.jsonl: File too large$"),
    ):
        s.run(CONFIGURATIONS, counted, journal=str(journal))
    assert journal.stat().st_size == size and len(lines(journal)) == 2
    assert macs(s.run(CONFIGURATIONS, counted, journal=str(journal))) == [0, 10, 20, 30]
    assert [line["configuration"]["n"] for line in lines(journal)] == [0, 1, 2, 3]


def test_a_full_disk_is_found_before_anything_runs_where_a_line_is_to_be_ended(tmp_path):
    journal = tmp_path / "j.jsonl"
    s.run(CONFIGURATIONS[:1], counted, journal=str(journal))
    journal.write_text(journal.read_text().removesuffix("\n"))
    with files_of_at_most(journal.stat().st_size), pytest.raises(s.JournalError, match="j.jsonl"):
        s.run(CONFIGURATIONS, counted, journal=str(journal))
    assert len(lines(journal)) == 1


def test_one_sweep_at_a_time_writes_a_journal(tmp_path):
    journal = tmp_path / "j.jsonl"
    with Journal(str(journal)):
        with pytest.raises(s.JournalError, match="another sweep is writing .*j.jsonl; wait until"):
            s.run(CONFIGURATIONS, counted, journal=str(journal))
        assert journal.read_text() == ""
    assert macs(s.run(CONFIGURATIONS, counted, journal=str(journal))) == [0, 10, 20, 30]
    assert [p.name for p in tmp_path.iterdir()] == ["j.jsonl"]  # no file of a lock stays


LOCKS = "import sys, time; from costlab.analysis.sweep.journal import Journal\n"
LOCKS += "journal = Journal(sys.argv[1]); print('locked', flush=True); time.sleep(600)"


@pytest.mark.slow
def test_the_lock_of_a_process_that_was_killed_is_gone(tmp_path):
    journal = str(tmp_path / "j.jsonl")
    command = [sys.executable, "-c", LOCKS, journal]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "locked\n"
            with pytest.raises(s.JournalError, match="another sweep is writing"):
                Journal(journal)
        finally:
            other.kill()
    Journal(journal).close()


WHOLE = '{"configuration": {"n": 0}, "result": {"macs": 0}, "reason": "", "costlab": "0"}'


@pytest.mark.parametrize(
    "last, known",
    [
        ("", 1),
        ('{"conf', 1),
        ('{"configuration": {"n": 1}, "result": {"ma', 1),
        ('{"configuration": {"n": 1}, "res\0\0\0', 1),  # the machine stopped
        ("\0\0\0\0", 1),
        (WHOLE.replace('"n": 0', '"n": 1'), 2),  # whole but for its end
    ],
)
def test_a_torn_last_line_costs_no_outcome_but_its_own(tmp_path, last, known):
    journal = tmp_path / "j.jsonl"
    journal.write_text(f"{WHOLE}\n{last}")
    ran = []

    def work(c):
        ran.append(c["n"])
        return {"macs": c["n"]}

    s.run(CONFIGURATIONS, work, journal=str(journal))
    assert ran == [0, 1, 2, 3][known:]
    assert [line["configuration"]["n"] for line in lines(journal)] == [0, 1, 2, 3]
    s.run(CONFIGURATIONS, work, journal=str(journal))
    assert ran == [0, 1, 2, 3][known:]


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs devices as files")
def test_a_device_is_no_journal():
    with pytest.raises(s.JournalError, match="^cannot write /dev/zero: a journal is a file"):
        Journal("/dev/zero")


def test_a_configuration_that_is_named_twice_runs_once(tmp_path):
    journal = tmp_path / "j.jsonl"
    twice = [*CONFIGURATIONS, *CONFIGURATIONS]
    assert macs(s.run(twice, counted, journal=str(journal))) == [0, 10, 20, 30]
    assert len(lines(journal)) == 4


# ---- workers


class Failing(Pool):
    """A pool whose process dies while it runs configuration 1, when what it was given before is
    done; it takes nothing from then on. `ran`: what it ran."""

    def __init__(self, ran, lethal):
        self.ran, self.lethal, self.dead, self.abandoned = ran, lethal, False, False

    def submit(self, fn, /, *args):
        if self.dead:
            raise BrokenProcessPool
        future, configuration = Future(), args[1]
        if self.lethal(configuration):
            self.dead = True
            future.set_exception(BrokenProcessPool())
        else:
            self.ran.append(configuration["n"])
            future.set_result(fn(*args))
        return future

    def abandon(self):
        self.abandoned = True

    def shutdown(self, wait=True, *, cancel_futures=False):
        pass


@pytest.mark.parametrize("jobs", [1, 2, 4, 9])
def test_a_dead_worker_costs_its_configuration_alone_and_none_runs_twice(jobs):
    ran = []
    result = s.run(
        CONFIGURATIONS, counted, engine=lambda: Failing(ran, lambda c: c["n"] == 1), jobs=jobs
    )
    assert macs(result) == [0, None, 20, 30] and result.outcomes[1].reason == s.DIED
    assert ran == [0, 2, 3]


def test_a_worker_that_is_killed_once_costs_nothing_beside_others(tmp_path):
    """Two were in flight: neither is known to be at fault, so both run again, alone."""
    ran, killed = [], []

    def lethal(c):
        if c["n"] in (0, 1) and c["n"] not in killed:
            killed.append(c["n"])
            return True
        return False

    class Both(Failing):
        def submit(self, fn, /, *args):
            self.dead = False
            return super().submit(fn, *args)

    result = s.run(CONFIGURATIONS, counted, engine=lambda: Both(ran, lethal), jobs=2)
    assert macs(result) == [0, 10, 20, 30] and sorted(ran) == [0, 1, 2, 3]


@pytest.mark.parametrize("error", [KeyboardInterrupt, Terminated(signal.SIGTERM)])
def test_what_stops_a_sweep_ends_its_workers(error):
    pools = []

    def engine():
        pools.append(Failing([], lambda c: False))
        return pools[-1]

    def stop(done, of):
        raise error

    with pytest.raises(KeyboardInterrupt):
        s.run(CONFIGURATIONS, counted, engine=engine, jobs=2, progress=stop)
    assert [p.abandoned for p in pools] == [True]


# ---- signals


@pytest.mark.parametrize(
    "error, line, code",
    [
        (KeyboardInterrupt(), "\rcostlab: interrupted\n", 130),
        (Terminated(signal.SIGTERM), "\rcostlab: terminated\n", 143),
    ],
)
def test_a_stop_while_the_command_line_is_imported_is_one_line(error, line, code, capsys, tmp_path):
    class Stops:
        def find_spec(self, name, path=None, target=None):
            if name == "costlab.cli._run":
                raise error

    had = sys.modules.pop("costlab.cli._run", None)
    sys.meta_path.insert(0, (stops := Stops()))
    try:
        assert cli.main(["list"]) == code
    finally:
        sys.meta_path.remove(stops)
        if had is not None:
            sys.modules["costlab.cli._run"] = had
    assert capsys.readouterr() == ("", line)


def test_the_command_line_imports_little_before_it_can_end_well():
    """Nothing but the standard library, and of that what is quick."""
    code = "import sys; before = {*sys.modules}; import costlab.cli\n"
    code += "print(*sorted(n for n in {*sys.modules} - before if n.startswith('costlab')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wanted = ["costlab", "costlab._version", "costlab.cli", "costlab.cli._signals"]
    assert found.stdout.split() == wanted


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs signals of POSIX")
@pytest.mark.parametrize("name, code", [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_is_an_interruption_with_its_own_exit_code(name, code):
    number = getattr(signal, name)
    with pytest.raises(Terminated) as stopped, terminable():
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert stopped.value.exit_code == code and signal.getsignal(number) == signal.SIG_DFL


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs signals of POSIX")
def test_a_signal_that_is_ignored_stays_so():
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminable():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("at", ["write", "replace"])
def test_a_write_that_is_stopped_leaves_what_was_there(tmp_path, monkeypatch, at):
    file = tmp_path / "x.csv"
    file.write_bytes(b"before")

    def stop(*_):
        raise Terminated(signal.SIGTERM)

    if at == "write":
        monkeypatch.setattr("builtins.open", stop)
    else:
        monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(Terminated):
        write_file(file, b"after")
    monkeypatch.undo()
    assert file.read_bytes() == b"before" and [p.name for p in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.usefixtures("sweeps_here")
@pytest.mark.parametrize(
    "argv",
    [
        ["table", "nin_cifar10", "-o", "x.csv"],
        ["table", "nin_cifar10", "-o", "x.html"],
        ["trace", "nin_cifar10", "-o", "x.trace"],
        ["diagram", "nin_cifar10", "-o", "x.dot"],
        ["sweep", "nin_cifar10", "--over", "batch=1,2", "--jobs", "1", "--journal", "x.jsonl"],
    ],
    ids=lambda argv: " ".join((argv[0], argv[-1])),
)
def test_a_full_disk_is_one_line_that_names_the_file(argv, tmp_path, monkeypatch, capsys):
    if argv[0] == "diagram":
        pytest.importorskip("graphviz")
    monkeypatch.chdir(tmp_path)
    with files_of_at_most(100):
        assert cli.main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith("costlab: cannot write") and argv[-1] in err and err.count("\n") == 1
    assert err.endswith(": File too large\n")
    assert all(p.suffix == ".jsonl" and p.stat().st_size == 0 for p in tmp_path.iterdir())


# ---- whole sweeps that are stopped

# the first four widths run at once; the others wait for a file, so that what happens to a sweep
# happens while two of them are in flight, however slow the machine is
NET = """import os, time
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(4, width, bias=False)
    def forward(self, x):
        folder = os.path.dirname(__file__)
        with open(os.path.join(folder, "ran"), "a") as f:
            f.write(f"{self.fc.out_features}\\n")
        while self.fc.out_features > 4 and not os.path.exists(os.path.join(folder, "go")):
            time.sleep(0.01)
        return self.fc(x)
def build(width=4):
    return Net(width)
"""
WIDTHS = [*range(1, 13)]
PATIENCE = 240  # seconds for what takes a few on a machine that does nothing else


def sweep_of(folder):
    over = "arg.width=" + ",".join(map(str, WIDTHS))
    argv = [
        sys.executable,
        "-m",
        "costlab",
        "sweep",
        f"{folder / 'net.py'}:build",
        "--input",
        "1x4",
    ]
    return [*argv, "--over", over, "--jobs", "2", "--journal", "j.jsonl", "-o", "t.json"]


def start(folder):
    return subprocess.Popen(
        sweep_of(folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a signal reaches the whole group, as Ctrl-C does
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )


def processes_of(group):
    """The processes of a group that run."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as f:
            state, _, its_group = f.read().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(int(pid))
    return found


def left_over(group):
    """The processes of a group that do not end.

    Python's resource tracker ends by itself, a moment after the process that it watches.
    """
    end = time.monotonic() + PATIENCE
    while (running := processes_of(group)) and time.monotonic() < end:
        time.sleep(0.1)
    return running


def wait_until(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.02)


def runs_of(folder):
    """How often each width ran."""
    ran = folder / "ran"
    return Counter(map(int, ran.read_text().split())) if ran.exists() else Counter()


def wait_until_two_wait(folder):
    """The widths before them are done then."""
    wait_until(lambda: {5, 6} <= {*runs_of(folder)})


STOPS = {
    "SIGKILL of the sweep": (signal.SIGKILL, False, -9, ""),
    "SIGTERM": (
        signal.SIGTERM,
        False,
        143,
        "costlab: terminated; finished results are in the journal",
    ),
    "SIGTERM of the group": (signal.SIGTERM, True, 143, "costlab: terminated; finished results"),
    "Ctrl-C": (
        signal.SIGINT,
        True,
        130,
        "costlab: interrupted; finished results are in the journal",
    ),
}


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("stop", STOPS)
def test_a_sweep_that_is_stopped_goes_on_with_nothing_lost_or_done_twice(stop, tmp_path):
    number, group, code, line = STOPS[stop]
    (tmp_path / "net.py").write_text(NET)
    process = start(tmp_path)
    try:
        wait_until_two_wait(tmp_path)
        (os.killpg if group else os.kill)(process.pid, number)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code and err.strip().startswith(line), err
        # of a process that is killed, Python's own tracker says that semaphores were left
        assert number == signal.SIGKILL or err.strip().count("\n") == 0
        assert left_over(process.pid) == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    done = {line["configuration"]["arg.width"] for line in lines(tmp_path / "j.jsonl")}
    assert done == {1, 2, 3, 4}
    assert {p.name for p in tmp_path.iterdir()} <= {"net.py", "__pycache__", "ran", "j.jsonl"}
    before = runs_of(tmp_path)
    (tmp_path / "go").touch()
    again = subprocess.run(sweep_of(tmp_path), cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0 and again.stderr == ""
    ran = runs_of(tmp_path)
    assert {w for w in WIDTHS if ran[w] > before[w]} == {*WIDTHS} - done
    rows = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert [(r["arg.width"], r["MACs"]) for r in rows] == [(w, 4 * w) for w in WIDTHS]
    written = [line["configuration"]["arg.width"] for line in lines(tmp_path / "j.jsonl")]
    assert sorted(written) == WIDTHS


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_worker_that_is_killed_costs_no_configuration(tmp_path):
    """One that dies beside another is tried again alone."""
    (tmp_path / "net.py").write_text(NET)
    process = start(tmp_path)
    try:
        wait_until_two_wait(tmp_path)
        children = [pid for pid in processes_of(process.pid) if pid != process.pid]
        workers = [pid for pid in children if b"spawn_main" in command_of(pid)]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        wait_until(lambda: not {*workers} & {*processes_of(process.pid)})  # the pool ends the other
        (tmp_path / "go").touch()
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0 and err == ""
        assert left_over(process.pid) == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    rows = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert [r["MACs"] for r in rows] == [4 * w for w in WIDTHS]
    assert len(lines(tmp_path / "j.jsonl")) == len(WIDTHS)


def command_of(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read()


BEGINS = """import sys
from costlab.cli import main
class Says:
    def find_spec(self, name, path=None, target=None):
        if name == "costlab.cli._run":
            print("main runs", flush=True)
sys.meta_path.insert(0, Says())
sys.exit(main(["table", "googlenet", "-o", "x.html"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_command_that_is_stopped_at_any_time_says_so_in_one_line(number, tmp_path):
    """From the first import in `main` on; before it Python itself is starting."""
    draw, code = random.Random(0), {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", BEGINS],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "main runs\n"
        time.sleep(0.3 + draw.random() * 3)
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
        names = [p.name for p in tmp_path.iterdir()]
        if process.returncode in (0, -number):  # `main` was over
            assert names == ["x.html"], err
        else:
            assert (process.returncode, err.strip().count("\n")) == (code, 0), err
        for path in tmp_path.iterdir():
            assert path.name == "x.html"
            path.unlink()


@pytest.mark.slow
def test_what_stops_a_sweep_ends_a_cluster(dask):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        s.run(CONFIGURATIONS, counted, engine=dask, jobs=2, progress=stop)


def test_the_version_is_in_each_line(tmp_path):
    journal = tmp_path / "j.jsonl"
    s.run(CONFIGURATIONS[:1], counted, journal=str(journal))
    assert [line["costlab"] for line in lines(journal)] == [costlab.__version__]
