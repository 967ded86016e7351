"""What a calibration measures: the shares of the families, kernels that networks have and kernels
spread between them, the calls that are timed, and the networks of random layers."""

import itertools
from collections import Counter

import pytest
import torch

from costlab.predict.calibration.batches import in_batch
from costlab.predict.calibration.calls import Operands, Store, call_of
from costlab.predict.calibration.design import SHARES, cases, farthest_first
from costlab.predict.calibration.networks import random_network
from costlab.predict.calibration.shapes import collected
from costlab.predict.calibration.spaces import spread
from costlab.predict.calibration.spaces.draw import Draw
from costlab.predict.kernels import (
    FAMILIES,
    Convolution,
    Elementwise,
    Interpolation,
    Lookup,
    Product,
    Recurrent,
    TransposedConvolution,
    VolumeConvolution,
    kernels_of,
)
from costlab.trace.tracer import trace

REAL = {Convolution(1, 8, 8, 6, 6, 3, 3, 1, 1, 1, 1): 3, Product(1, 4, 8, 8): 1}


def test_each_family_has_its_share_and_real_shapes_come_first():
    listed = list(itertools.islice(cases(REAL, [("fp32", "contiguous")], "cpu"), 400))
    drawn = [kernel for kernel, _, _ in listed[41:]]  # after 1 + 4 + 2 * 18 of the ceilings
    counts = {f: sum(k.family == f for k in drawn) for f in SHARES}
    for family, share in SHARES.items():
        assert counts[family] == pytest.approx(share * len(drawn), abs=1.5)
    convolutions = [k for k in drawn if k.family == "convolution"]
    assert set(convolutions[:2]) == {k for c in REAL for k in (c, in_batch(c, 8))} & set(
        convolutions
    )
    assert len(set(listed)) == len(listed)


def test_usual_layouts_are_measured_three_times_as_often():
    conditions = list(itertools.product(("fp32", "bf16"), ("contiguous", "channels-last")))
    listed = list(itertools.islice(cases({}, conditions, "cuda"), 2000))
    of = Counter((dtype, layout) for kernel, dtype, layout in listed if kernel.layouts)
    assert of["fp32", "contiguous"] == pytest.approx(of["bf16", "channels-last"], abs=1)
    assert of["fp32", "channels-last"] == pytest.approx(of["fp32", "contiguous"] / 3, abs=6)


def test_farthest_first():
    """The most frequent one first. From it (8 elements) 32 is two doublings away and 64 three; the
    first is as frequent as four together, which weighs 1 + log2(4) = 3 times: 6 against 3."""
    eight, thirty_two, sixty_four = (Elementwise("relu", n) for n in (8, 32, 64))
    order = list(farthest_first({thirty_two: 4, sixty_four: 1, eight: 8}))
    assert order == [eight, thirty_two, sixty_four]


def test_halton():
    """The 20 first draws are left out: 20 = 10100 in base 2 is 0.00101 = 5 / 32, and 202 in base 3
    is 0.202 = 2 / 3 + 2 / 27."""
    draw = Draw(0)
    assert draw.unit() == 5 / 32
    assert draw.unit() == pytest.approx(2 / 3 + 2 / 27)


def test_convolutions_of_large_grids_have_few_channels():
    """As in networks: at most 1,024 on grids above 64, and up to 4,096 on smaller ones."""
    drawn = list(itertools.islice(spread("convolution"), 200))
    large, small = ([k for k in drawn if (k.height > 64) is side] for side in (True, False))
    assert max(max(k.channels_in, k.channels_out) for k in large) <= 1024
    assert 2048 < max(max(k.channels_in, k.channels_out) for k in small) <= 4096


@pytest.mark.parametrize("family", FAMILIES)
def test_spread_kernels_are_of_their_family_and_can_be_run(family):
    """The first forty are of the family and of a positive size; the smallest of them is run in
    both layouts."""
    found = list(itertools.islice(spread(family), 40))
    assert {k.family for k in found} == {family}
    assert len(set(found)) > 20
    store = Store("cpu", torch.float32, 2**22)
    smallest = min(found, key=lambda k: k.read + k.written + k.flops)
    for channels_last in (False, True):
        out = call_of(smallest, Operands(store, channels_last))()
        out = out[0] if isinstance(out, tuple) else out
        assert out.numel() == smallest.written


def test_calls_make_the_kernel_that_they_are_of():
    """A call, traced, runs the kernel that it was made from, in every family; recurrent layers are
    modules of their own, which a call hides."""
    for family in set(FAMILIES) - {"recurrent"}:
        kernel = min(itertools.islice(spread(family), 40), key=lambda k: k.read + k.flops)
        store = Store("cpu", torch.float32, 2**22)
        call = call_of(kernel, Operands(store))

        class Calls(torch.nn.Module):
            def forward(self, x, call=call):
                return call()

        traced = trace(Calls(), (torch.zeros(1),), device="cpu")
        ran = [op.kernel for op in kernels_of(traced) if op.kernel]
        assert family in {k.family for k in ran}
        assert sum(k.flops for k in ran) == pytest.approx(kernel.flops, rel=0.1)


def test_weights_of_two_turns_share_no_memory():
    store = Store("cpu", torch.float32, 2**16)
    first = Operands(store).weight(64, 64)
    second = Operands(store, turn=64 * 64).weight(64, 64)
    assert first.data_ptr() + 4 * 64 * 64 == second.data_ptr()
    assert Operands(store).values(64).data_ptr() < first.data_ptr()
    with pytest.raises(ValueError, match="are more than the store"):
        store.values(2**17)


@pytest.mark.parametrize(
    ("kernel", "batched"),
    [
        (Product(1, 4, 8, 8), Product(1, 32, 8, 8)),
        (Product(2, 4, 8, 8, False), Product(16, 4, 8, 8, False)),
        (Elementwise("add", 8, 8), Elementwise("add", 64, 64)),
        (Elementwise("add", 8, 4), Elementwise("add", 64, 4)),
    ],
)
def test_in_a_batch_of_eight(kernel, batched):
    assert in_batch(kernel, 8) == batched
    assert in_batch(kernel, 1) is kernel


def test_the_collected_shapes_are_those_of_networks():
    """More than 2,000 kernels, of all families."""
    found = collected()
    assert len(found) > 2000
    assert {k.family for k in found} == set(FAMILIES)


@pytest.mark.parametrize(
    ("network", "kernel"),
    [
        ("ResNet-50's last 3x3", Convolution(1, 512, 512, 7, 7, 3, 3, 1, 1, 1, 1)),
        (
            "U-Net's first step up",
            TransposedConvolution(
                batch=1,
                channels_in=1024,
                channels_out=512,
                height=28,
                width=28,
                kernel_height=2,
                kernel_width=2,
                stride_height=2,
                stride_width=2,
                bias=True,
            ),
        ),
        (
            "C3D's second convolution, after a pooling of 1x2x2",
            VolumeConvolution(
                batch=1,
                channels_in=64,
                channels_out=128,
                depth=16,
                height=56,
                width=56,
                kernel_depth=3,
                kernel_height=3,
                kernel_width=3,
                padding_depth=1,
                padding_height=1,
                padding_width=1,
                bias=True,
            ),
        ),
        (
            "DeepLab's classes, from an eighth of 520x520 to all of it",
            Interpolation("linear", 1, 21, height=65, width=65, out_height=520, out_width=520),
        ),
        (
            "Zaremba's medium language model",
            Recurrent("LSTM", steps=35, batch=1, inputs=650, hidden=650, layers=2),
        ),
        ("its words", Lookup(rows=35, width=650, table=10_000)),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_networks_whose_shapes_were_collected(network, kernel):
    """By their papers; the weights of DeepLab are of 520 x 520."""
    assert kernel in collected(), network


def test_random_networks_are_the_same_for_a_seed_and_leave_the_random_state():
    before = torch.get_rng_state()
    first, inputs = random_network(7)
    again, _ = random_network(7)
    assert torch.equal(before, torch.get_rng_state())
    assert str(first) == str(again)
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
    assert not first.training
    for seed in range(12):
        model, inputs = random_network(seed)
        assert len(trace(model, inputs, device="meta").ops) > 5
