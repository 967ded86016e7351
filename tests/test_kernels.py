"""Kernels and the operations that launched them: intervals written by hand, and a real run."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from costlab.measure.kernels import (
    HostEvent,
    Kernel,
    assign,
    in_place,
    match_replays,
    run_stamp,
    stamp,
    union,
)
from costlab.measure.profiling import read_events

DATA = Path(__file__).parent / "data"
US = 1e-6


@pytest.mark.parametrize(
    "intervals, covered",
    [
        ([], 0),
        ([(0, 10)], 10),
        ([(0, 10), (10, 15)], 15),  # one after the other
        ([(0, 10), (20, 25)], 15),  # with a gap
        ([(0, 10), (4, 14)], 14),  # overlapping
        ([(0, 10), (2, 5)], 10),  # nested
        ([(2, 5), (0, 10), (12, 13)], 11),  # in any order
    ],
)
def test_union_of_intervals(intervals, covered):
    assert union(intervals) == covered


def kernels_of(*spans, run=0):
    """Kernels of (operation, start us, end us); an operation of None launched none of ours."""
    return [Kernel("k", 1000 * a, 1000 * b, run=run, operation=op) for op, a, b in spans]


@pytest.mark.parametrize(
    "spans, operations, other, span, busy, added_up",
    [
        # one after the other, with 2 us between them
        (((0, 0, 10), (1, 12, 20)), (10, 8), 0, 20, 18, 18),
        # two kernels of one operation side by side (the groups of a convolution): 14, not 24
        (((0, 0, 12), (0, 2, 14), (1, 14, 20)), (14, 6), 0, 20, 20, 30),
        # nested: the second group ends before the first
        (((0, 0, 12), (0, 2, 6)), (12, 0), 0, 12, 12, 16),
        # two operations on two streams: each has its own time, the device was busy for 15
        (((0, 0, 10), (1, 5, 15)), (10, 10), 0, 15, 15, 20),
        # an operation without kernels takes no time
        (((1, 0, 5),), (0, 5), 0, 5, 5, 5),
        # kernels of no operation: 3 us alone, and 2 us beside an operation, which do not count
        (((0, 0, 10), (None, 8, 10), (None, 10, 13)), (10, 0), 3, 13, 13, 15),
        ((), (0, 0), 0, 0, 0, 0),
    ],
)
def test_time_in_place_is_the_union_of_an_operations_kernels(
    spans, operations, other, span, busy, added_up
):
    found = in_place(kernels_of(*spans), 2, replayed=True)
    assert found.operations == pytest.approx([t * US for t in operations])
    assert found.other == pytest.approx(other * US)
    account = found.account
    assert (account.span, account.busy) == pytest.approx((span * US, busy * US))
    assert account.kernel_seconds == pytest.approx(added_up * US)
    assert account.idle == pytest.approx((span - busy) * US)
    assert account.overlap == pytest.approx((added_up - busy) * US)
    assert (account.kernels, account.replayed) == (len(spans), True)


def test_times_are_medians_over_the_runs():
    runs = [kernels_of((0, 100 * r, 100 * r + t), run=r) for r, t in enumerate((10, 30, 11))]
    assert in_place(sum(runs, []), 1, replayed=False).operations == pytest.approx((11 * US,))


def test_kernels_belong_to_the_stamp_that_was_open_when_they_were_launched():
    host = [
        HostEvent(run_stamp(0), 1, 0, 100),
        HostEvent(stamp(0, 0), 2, 10, 20),
        HostEvent("aten::conv2d", 3, 11, 19),
        HostEvent(stamp(0, 1), 4, 30, 40),
        HostEvent(run_stamp(1), 5, 200, 300),
        HostEvent(stamp(1, 0), 6, 210, 220),
    ]
    launched_by = {
        3: (0, 0),  # inside the operation's stamp
        4: (0, 1),  # by the stamp itself
        1: (0, None),  # in the run, by no operation
        6: (1, 0),
        0: (None, None),  # not known
        99: (None, None),  # by an event that was not seen
    }
    found = assign(host, [Kernel("k", 500, 501, launched_by=i) for i in launched_by])
    assert [(k.run, k.operation) for k in found] == list(launched_by.values())


def event(name, *, cpu, start=0, length=10, id=0, linked=0, annotation=False):
    """An event as kineto gives it: methods, not fields."""
    values = {
        "name": name,
        "device_type": f"DeviceType.{'CPU' if cpu else 'CUDA'}",
        "start_ns": start,
        "duration_ns": length,
        "correlation_id": id,
        "linked_correlation_id": linked,
        "is_user_annotation": annotation,
    }
    return SimpleNamespace(**{k: lambda v=v: v for k, v in values.items()})


def test_annotations_are_no_kernels_and_runtime_calls_launch_under_ids_of_their_own():
    host, kernels = read_events(
        [
            event(stamp(0, 0), cpu=True, id=5, annotation=True),
            event("attention", cpu=True, id=6, annotation=True),  # a model's own
            event("aten::mm", cpu=True, id=7, start=3),
            event("cudaLaunchKernel", cpu=True, id=7, linked=9, start=1),
            event("sgemm", cpu=False, id=40, linked=7),
            event(stamp(0, 0), cpu=False, id=5),
            event("attention", cpu=False, id=6),
        ]
    )
    assert [(e.name, e.id) for e in host] == [(stamp(0, 0), 5), ("attention", 6), ("aten::mm", 7)]
    assert kernels == [Kernel("sgemm", 0, 10, launched_by=7, group=40)]


@pytest.mark.parametrize(
    "names, order, operations",
    [
        ("abc", "abc", [0, 1, 2]),
        ("aba", "aba", [0, 1, 2]),
        ("aba", "aab", [0, 2, 1]),  # on other streams: each name's kernels stay in order
    ],
)
def test_replayed_kernels_get_the_operations_of_the_call(names, order, operations):
    pattern = [Kernel(n, i, i + 1, operation=i) for i, n in enumerate(names)]
    replays = [
        Kernel(n, 10 * g + i, 10 * g + i + 1, group=g) for g in (7, 8) for i, n in enumerate(order)
    ]
    found = match_replays(pattern, replays)
    assert found is not None
    assert [k.operation for k in found] == 2 * operations
    assert [k.run for k in found] == [0] * 3 + [1] * 3


def test_a_replay_of_other_kernels_is_not_matched():
    pattern = [Kernel("a", 0, 1, operation=0)]
    assert match_replays(pattern, [Kernel("b", 0, 1)]) is None
    assert match_replays(pattern, [Kernel("a", 0, 1), Kernel("a", 1, 2)]) is None


def rows(name):
    """Kineto events of AlexNet on an H100 (torch 2.11, fp32, 2026-11-27)."""
    for e in json.loads((DATA / name).read_text()):
        kernel, kind, start, length, id_, linked = e
        yield event(kernel, cpu=kind == "CPU", start=start, length=length, id=id_, linked=linked)


def test_a_real_run_of_alexnet():
    """cuDNN runs the two groups of conv2, conv4 and conv5 side by side: the kernels add up to
    614 us in a replay that spans 474 us, of which the device was busy for 456."""
    called = assign(*read_events(rows("alexnet-h100-called.json")))
    assert len(called) == 42 and all(k.run == 0 and k.operation is not None for k in called)
    replayed = match_replays(called, read_events(rows("alexnet-h100-replayed.json"))[1])
    assert replayed is not None and len(replayed) == 2 * 42
    count = 1 + max(k.operation for k in called)
    found = in_place(replayed, count, replayed=True)
    assert 1e6 * found.account.span == pytest.approx(474, rel=0.02)
    assert 1e6 * found.account.busy == pytest.approx(456, rel=0.02)
    assert 1e6 * found.account.kernel_seconds == pytest.approx(614, rel=0.02)
    assert sum(found.operations) == pytest.approx(found.account.busy, rel=1e-6)
    assert found.account.kernels == 42 and found.other == 0
