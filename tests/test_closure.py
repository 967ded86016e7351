"""Whether a measured run's parts add up, and what is said when they do not."""

import dataclasses
from pathlib import Path

import pytest
from selection import slow_but_every
from test_measure import chain, fake

import costlab
from costlab.analysis.roofline import closure, notes
from costlab.trace import Account

MS = 1e-3


def run(parts, whole, *, other=0.0, method="CUDA graph replay", account=None):
    """A measured run in ms; `account` is (span, busy, kernels added up, replayed)."""
    m = fake(chain(), [t * MS for t in parts], whole * MS).measured
    span, busy, added, replayed = account or (None,) * 4
    seen = Account(span * MS, busy * MS, added * MS, 9, replayed) if account else None
    conditions = {**m.conditions, "method": method}
    return closure(dataclasses.replace(m, other=other * MS, account=seen, conditions=conditions))


@pytest.mark.parametrize(
    "options, ratio, row, note",
    [
        # all is well: 2 ms of gaps in 100
        (dict(parts=(60, 38), whole=100, account=(100, 98, 98, True)), 0.98, "", None),
        # AlexNet: the groups of a convolution side by side, counted once
        (
            dict(parts=(400, 56), whole=470, account=(474, 456, 614, True)),
            0.97,
            "kernels side by side: 158.000 ms",
            "158.000 ms of kernels ran at the same time as others of their operation",
        ),
        # launches far apart
        (
            dict(parts=(50, 30), whole=100, account=(98, 80, 80, True)),
            0.80,
            "differs by more than 5%: gaps between kernels 18.000 ms, launch of the run 2.000 ms",
            "the parts add up to 80% of the whole: gaps between kernels 18.000 ms",
        ),
        # the same in calls from Python
        (
            dict(parts=(50, 30), whole=100, account=(100, 80, 80, False), method="calls"),
            0.80,
            "differs by more than 5%: between operations, on the host 20.000 ms",
            "between operations, on the host 20.000 ms",
        ),
        # two operations on two streams
        (
            dict(parts=(70, 50), whole=100, account=(99.5, 99, 120, True)),
            1.20,
            "differs by more than 5%: operations side by side 21.000 ms",
            "the parts add up to 120% of the whole",
        ),
        # the device was slower when it was profiled
        (
            dict(parts=(70, 50), whole=100, account=(120, 120, 120, True)),
            1.20,
            "differs by more than 5%: slower when profiled 20.000 ms",
            "slower when profiled",
        ),
        # kernels that no operation launched
        (
            dict(parts=(50, 30), whole=100, other=12, account=(100, 92, 92, True)),
            0.92,
            "differs by more than 5%: gaps between kernels 8.000 ms, kernels of no operation "
            "12.000 ms",
            "kernels of no operation 12.000 ms",
        ),
        # traces without intervals
        (
            dict(parts=(90, 44), whole=100),
            1.34,
            "differs by more than 5%: kernels side by side, or slower when profiled",
            "this trace does not record the kernels' intervals",
        ),
        (
            dict(parts=(90,), whole=100),
            0.90,
            "differs by more than 5%: gaps between kernels, or kernels of no operation",
            "the parts add up to 90% of the whole",
        ),
        (
            dict(parts=(90,), whole=100, method="calls from Python"),
            0.90,
            "differs by more than 5%: the host's own work between operations",
            "the host's own work",
        ),
    ],
)
def test_parts_whole_and_the_reason(options, ratio, row, note):
    c = run(**options)
    assert c.ratio == pytest.approx(ratio, abs=0.005) and notes.verdict(c) == row
    said = list(notes.closure(c))
    assert (note in "; ".join(said)) if note else said == []


@pytest.mark.parametrize("span, launch, slower", [(103, 0, 3), (96, 4, 0)])
def test_the_account_adds_up(span, launch, slower):
    c = run((70, 50), 100, account=(span, 94, 130, True))
    assert (c.overlap, c.side_by_side) == pytest.approx((26 * MS, 10 * MS))
    assert (c.launch, c.slower) == pytest.approx((launch * MS, slower * MS))
    assert c.parts - c.overlap + c.gaps + c.launch - c.slower == pytest.approx(c.whole)


MEASURED = Path(__file__).parent.parent / "reports" / "measurements"


@pytest.mark.parametrize(
    "file", slow_but_every(6, sorted(MEASURED.glob("*.trace"))), ids=lambda f: f.name
)
def test_committed_traces_close_or_say_why(file):
    c = closure(costlab.Trace.load(file).measured)
    if c.closed:
        return
    reason = notes.verdict(c).partition(": ")[2]
    assert reason, "the row names no cause"
    if c.gaps is not None:
        explained = c.parts - c.overlap + c.gaps + c.launch - c.slower
        assert explained == pytest.approx(c.whole, rel=0.02)
