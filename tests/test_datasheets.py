"""Datasheets as data, and the bounds that follow from them."""

import datetime
from pathlib import Path

import pytest

import costlab
from costlab.cost import cost_of
from costlab.measure.device import DTYPES
from costlab.predict import ProfileError, load_profile
from costlab.predict.datasheet import DatasheetProfile
from costlab.predict.dtypes import WIDTHS, dtype_of
from costlab.predict.traffic import traffic
from costlab.reference.datasheets import datasheet, names, read_datasheet
from costlab.trace import Trace
from costlab.trace.record import Op, Param, Tensor

ROOT = Path(__file__).parents[1]
T, GB, MIB, GIB = 10**12, 10**9, 2**20, 2**30


# what each vendor prints, in its units: dense fp32, then tf32, bf16, fp16 and int8 (an S after it:
# with sparsity, which is twice the dense peak), GB, GB/s, MB of the last cache. The bandwidths of
# H100 PCIe and H200 are by the clock and the width of their memory: they are printed rounded down
PRINTED = {
    "h100": ("67 989S 1979S 1979S 3958S", 80, 3350, 50),
    "h100-pcie": ("51 756S 1513S 1513S 3026S", 80, 2039, 50),
    "h200": ("67 989S 1979S 1979S 3958S", 141, 4917, 60),
    "a100-40gb": ("19.5 156 312 312 624", 40, 1555, 40),
    "a100-80gb": ("19.5 156 312 312 624", 80, 2039, 40),
    "l4": ("30.3 120S 242S 242S 485S", 24, 300, 48),
    "rtx-4090": ("82.6 82.6 165.2 330.3 660.6", 24, 1008, 72),
    "mi300x": ("163.4 653.7 1307.4 1307.4 2614.9", 192, 5300, 256),
    "jetson-agx-orin-64gb": ("5.3 - - 85S 170S", 64, 204.8, 4),
}


@pytest.mark.parametrize("name", PRINTED)
def test_each_datasheet_has_the_printed_figures_dense(name):
    peaks, memory, bandwidth, cache = PRINTED[name]
    sheet = datasheet(name)
    expected = {
        dtype: T * float(text.rstrip("S")) / (2 if text.endswith("S") else 1)
        for dtype, text in zip(WIDTHS, peaks.split(), strict=True)
        if text != "-"
    }
    assert dict(sheet.peaks) == pytest.approx(expected)
    assert (sheet.memory, sheet.bandwidth, sheet.cache) == pytest.approx(
        (memory * GIB, bandwidth * GB, cache * MIB)
    )


def test_every_datasheet_is_in_the_table_and_says_where_it_is_from():
    assert sorted(PRINTED) == list(names())
    for name in names():
        for document in datasheet(name).documents:
            assert document.read >= datetime.date(2026, 11, 27)
            assert document.address.startswith("https://") or (ROOT / document.address).is_file()


# units and clocks in GHz of fp32, two FLOPs a clock each; Tensor Cores, their clock, and what each
# does a clock in tf32, bf16, fp16 and int8; bits of the memory bus, and Gbit/s of each
BUILT = {
    "a100-40gb": ((6912, 1.41), (432, 1.41, (256, 512, 512, 1024)), (5120, 2.43)),
    "a100-80gb": ((6912, 1.41), (432, 1.41, (256, 512, 512, 1024)), (5120, 3.186)),
    "h100": ((16896, 1.98), (528, 1.83, (512, 1024, 1024, 2048)), (5120, 5.238)),
    "h100-pcie": ((14592, 1.755), (456, 1.62, (512, 1024, 1024, 2048)), (5120, 3.186)),
    "h200": ((16896, 1.98), (528, 1.83, (512, 1024, 1024, 2048)), (6144, 6.402)),
    "l4": ((7424, 2.04), (232, 2.04, (128, 256, 256, 512)), (192, 12.5)),
    # with FP32 accumulation at half the rate, which bf16 and tf32 have
    "rtx-4090": ((16384, 2.52), (512, 2.52, (64, 128, 256, 512)), (384, 21)),
    "jetson-agx-orin-64gb": ((2048, 1.3), (64, 1.3, (0, 0, 512, 1024)), (256, 6.4)),
}


@pytest.mark.parametrize("name", BUILT)
def test_figures_are_what_the_units_and_the_memory_of_a_device_can_do(name):
    """Printed figures are rounded, by 1% at most (the tf32 of the L4)."""
    (cores, clock), (tensor_cores, tensor_clock, rates), (bits, gigabits) = BUILT[name]
    sheet = datasheet(name)
    assert sheet.peaks["fp32"] == pytest.approx(2e9 * cores * clock, rel=0.005)
    for dtype, rate in zip(("tf32", "bf16", "fp16", "int8"), rates, strict=True):
        expected = 1e9 * tensor_cores * tensor_clock * rate
        assert sheet.peaks.get(dtype, 0) == pytest.approx(expected, rel=0.011)
    assert sheet.bandwidth == pytest.approx(1e9 * gigabits * bits / 8, rel=0.001)


@pytest.mark.parametrize(
    ("name", "file", "bits"),
    [
        ("h100", "googlenet.h100.bf16.nchw.32x3x224x224.trace", 5120),
        ("h200", "googlenet.h200.bf16.nchw.32x3x224x224.trace", 6144),
    ],
)
def test_figures_are_those_that_a_device_reports(name, file, bits):
    """CUDA says how large memory and L2 cache are, NVML the memory clock: two bits a clock."""
    said = Trace.load(ROOT / "reports/measurements" / file).measured.conditions
    sheet = datasheet(name)
    clock = 1e6 * said["clocks before"]["memory_mhz"]
    assert sheet.cache == said["cache"]
    assert 0.98 * sheet.memory < said["memory"] <= sheet.memory
    assert sheet.bandwidth == pytest.approx(2 * clock * bits / 8, rel=0.001)


def test_mi300x_peaks_are_its_units_times_its_clock():
    """CDNA 3, Table 1: 304 compute units at 2.1 GHz with 256, 1024, 2048 and 4096 operations a
    clock; 8,192 bits of memory at 5.2 Gbit/s."""
    assert datasheet("mi300x").bandwidth == pytest.approx(8192 * 5.2e9 / 8, rel=0.005)
    peaks = datasheet("mi300x").peaks
    for dtype, rate in {
        "fp32": 256,
        "tf32": 1024,
        "bf16": 2048,
        "fp16": 2048,
        "int8": 4096,
    }.items():
        assert peaks[dtype] == pytest.approx(304 * 2.1e9 * rate, rel=3e-4)


GOOD = """
device = "Device 1"
memory = 8
bandwidth = 100
cache = 1
[dense]
fp32 = 10
[sparse]
bf16 = 40
[[source]]
title = "Datasheet"
address = "https://example.org/device"
says = "all"
read = 2026-11-27
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("memory = 8", "", "the file has no memory"),
        ("memory = 8", "memory = -8", "memory is -8; it takes a number from 1e-06 to 1e+09"),
        ("memory = 8", "memory = true", "memory is True; it takes a number from"),
        ("memory = 8", "memory = 1" + 400 * "0", "memory is 1000000000"),
        ("cache = 1", 'cache = "1"', "cache is '1'; it takes a number from"),
        ("cache = 1", "cache = inf", "cache is inf; it takes a number from"),
        ("bandwidth = 100", "bandwidth = 1e-320", "bandwidth is 1e-320; it takes a number from"),
        ("cache = 1", "cache = 1\nclock = 2", "the file has an unknown key 'clock'; it takes "),
        ("fp32 = 10", "fp64 = 10", "dense has an unknown key 'fp64'; it takes fp32, tf32, "),
        ("fp32 = 10", "", "no peak of fp32"),
        ("fp32 = 10", "fp32 = nan", "dense.fp32 is nan; it takes a number from"),
        ("fp32 = 10", "fp32 = 10\nbf16 = 20", "bf16 has a dense and a sparse peak; give one"),
        ("[dense]", "[[dense]]", "dense is not a table"),
        ('device = "Device 1"', 'device = ""', "device is not a string"),
        ("read = 2026-11-27", 'read = "2026-11-27"', "read is not a date such as 2026-11-27"),
        ("[[source]]", "[source]", "source is not a list of tables with at least one in it"),
        ("memory = 8", "memory =", "Invalid value (at line 3, column 9)"),
        ("memory = 8", f"memory = {2000 * '['}", "values are nested too deep"),
    ],
)
def test_a_damaged_datasheet_gets_one_line(tmp_path, old, new, message):
    file = tmp_path / "one.toml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ProfileError) as found:
        load_profile(file)
    assert str(found.value).startswith(f"{file}: {message}")
    assert "\n" not in str(found.value) and len(str(found.value)) < len(str(file)) + 200


def test_a_file_can_be_a_datasheet(tmp_path):
    """A product of 1000^3 multiply-adds at 10 TFLOP/s: 200 us."""
    file = tmp_path / "one.toml"
    file.write_text(GOOD)
    table = costlab.table(product(1000, 1000, 1000), profile=file)
    assert table.totals["at least"] == pytest.approx(0.2)
    assert "by the published peaks and bandwidth of Device 1, fp32" in str(table)


def test_a_datasheet_that_is_not_there_gets_one_line(tmp_path):
    with pytest.raises(ProfileError, match="^there is no file .*none.toml$"):
        load_profile(tmp_path / "none.toml")


def profile(tmp_path) -> DatasheetProfile:
    """10 TFLOP/s in fp32, 20 in bf16, 100 GB/s, a cache of 1 MiB."""
    file = tmp_path / "one.toml"
    file.write_text(GOOD)
    return DatasheetProfile(read_datasheet(file))


def small_trace(*ops: Op, shapes, dtype="float32", params=()) -> Trace:
    return Trace(
        ops=ops,
        tensors=tuple(Tensor(shape, dtype) for shape in shapes),
        params=tuple(Param((f"p{i}",), shapes[i], dtype, i, True) for i in params),
        inputs=(0,),
        outputs=ops[-1].outputs,
        provenance={
            "model": "small",
            "inputs": [["x".join(map(str, shapes[0])), dtype]],
            "device": "meta",
            "torch": "2.13.0",
            "costlab": "0",
            "date": "2026-11-27",
        },
    )


def op(name, inputs, outputs, params=(), **attrs) -> Op:
    return Op(name, "", "", 0, tuple(inputs), tuple(outputs), tuple(params), attrs)


MM = "aten.mm"


def product(m, k, n, dtype="float32") -> Trace:
    """An (m, k) input times a (k, n) weight."""
    return small_trace(
        op(MM, (0, 1), (2,), (0,)), shapes=[(m, k), (k, n), (m, n)], dtype=dtype, params=(1,)
    )


@pytest.mark.parametrize(
    ("trace", "dtype", "seconds"),
    [
        # 2 * 1000^3 FLOPs at 10 TFLOP/s, 200 us; 4 MB of inputs and 4 of weights, less 1 MiB of
        # cache, and 4 MB less 1 MiB of outputs are 9.9 MB at 100 GB/s, 99 us
        (product(1000, 1000, 1000), "fp32", 2e9 / 10e12),
        # half the bytes at twice the rate
        (product(1000, 1000, 1000), "bf16", 2e9 / 20e12),
        # a vector: 4 MB of weights and 4 kB of input, less 1 MiB, at 100 GB/s; no output
        (product(1, 1000, 1000), "fp32", (4_004_000 - MIB) / 100e9),
        (product(1, 1000, 1000), "bf16", (2_002_000 - MIB) / 100e9),
        # all in the cache: 2 * 100 * 100 FLOPs
        (product(1, 100, 100), "fp32", 2e4 / 10e12),
        # what was traced in bf16 has the same bound in fp32
        (product(1, 1000, 1000, "bfloat16"), "fp32", (4_004_000 - MIB) / 100e9),
    ],
)
def test_the_bound_of_a_product(tmp_path, trace, dtype, seconds):
    found = profile(tmp_path).predict(trace, dtype=dtype)
    assert found.total.low == pytest.approx(seconds, rel=1e-12)
    assert found.total.is_bound and found.facts.kind == "datasheet"


def convolution(kernel, stride, padding) -> Trace:
    side = 64
    out = (side + 2 * padding - kernel) // stride + 1
    return small_trace(
        op(
            "aten.convolution",
            (0, 1),
            (2,),
            (0,),
            stride=(stride, stride),
            padding=(padding, padding),
            dilation=(1, 1),
            transposed=False,
            output_padding=(0, 0),
            groups=1,
        ),
        shapes=[(8, 256, side, side), (256, 256, kernel, kernel), (8, 256, out, out)],
        params=(1,),
    )


@pytest.mark.parametrize(
    ("kernel", "stride", "taps"),
    [
        (1, 1, 1),
        (3, 1, 1),  # Winograd: in the limit of large tiles one product an output
        (5, 1, 1),
        (3, 2, 4),  # four phases of the input, each with a filter of its own
        (2, 2, 4),  # no output shares an input: nothing to save
    ],
)
def test_in_fp32_a_convolution_may_take_fewer_multiplications(tmp_path, kernel, stride, taps):
    trace = convolution(kernel, stride, kernel // 2)
    outputs = trace.tensors[2].numel
    assert cost_of(trace, trace.ops[0]).flops == 2 * outputs * 256 * kernel**2
    found = profile(tmp_path).predict(trace)
    memory = (4 * trace.tensors[0].numel + 4 * trace.tensors[1].numel - MIB) / 100e9
    written = (4 * outputs - MIB) / 100e9
    arithmetic = 2 * outputs * 256 * taps / 10e12
    assert found.total.low == pytest.approx(max(memory + written, arithmetic), rel=1e-12)
    direct = profile(tmp_path).predict(trace, dtype="bf16")
    assert direct.total.low == pytest.approx(
        max(2 * outputs * 256 * kernel**2 / 20e12, (memory + written) / 2 - MIB / 100e9), rel=1e-12
    )


def test_what_an_operation_finds_in_the_cache_is_not_read_again():
    """Of a 4 MB input, a ReLU of it and a ReLU of that: with 1 MB of cache the first reads 3 MB and
    writes 3, the second reads 3 and writes 3."""
    shapes = [(1000, 1000)] * 3
    trace = small_trace(op("aten.relu", (0,), (1,)), op("aten.relu", (1,), (2,)), shapes=shapes)
    assert traffic(trace, "fp32", 1e6).ops == pytest.approx((6e6, 6e6))
    assert traffic(trace, "fp32", 5e6).ops == (0, 0)
    assert traffic(trace, "bf16", 1e6).ops == pytest.approx((2e6, 2e6))


def test_scores_of_attention_are_not_counted():
    """Two products around a scaled softmax: the (2000, 2000) scores stay on the chip, the (2000, 8)
    inputs and outputs do not."""
    shapes = [(2000, 8), (8, 2000), (2000, 2000), (2000, 2000), (2000, 2000), (2000, 8), (2000, 8)]
    trace = small_trace(
        op(MM, (0, 1), (2,)),
        op("aten.mul", (2,), (3,)),
        op("aten._softmax", (3,), (4,)),
        op(MM, (4, 5), (6,)),
        shapes=shapes,
    )
    assert traffic(trace, "fp32", 0).ops == (2 * 64_000, 0, 0, 2 * 64_000)


def test_lookups_read_the_rows_that_they_take():
    """10 of 1,000 rows of 16 floats, and ten indices."""
    trace = small_trace(
        op("aten.embedding", (0, 1), (2,), (0,)),
        shapes=[(1000, 16), (10,), (10, 16)],
        params=(0,),
    )
    found = traffic(trace, "fp32", 0)
    assert found.ops == pytest.approx((4 * 160 + 40 + 4 * 160,))


@pytest.mark.parametrize(
    ("dtype", "name"), [("float32", "fp32"), ("bfloat16", "bf16"), ("float16", "fp16")]
)
def test_the_default_dtype_is_that_of_the_params(tmp_path, dtype, name):
    trace = product(1, 100, 100, dtype)
    assert dtype_of(trace) == name
    assert set(DTYPES) < set(WIDTHS)


@pytest.mark.parametrize("dtype", ["float64", "float8_e4m3fn", "complex64"])
def test_a_dtype_without_a_peak_is_not_taken_for_another(tmp_path, dtype):
    """float64 is slower than fp32 on most devices, float8 faster: neither is bounded by it."""
    message = f"has no peak of {dtype}; choose `profile_dtype` fp32 or bf16"
    with pytest.raises(ProfileError, match=message):
        profile(tmp_path).predict(product(1, 100, 100, dtype))


def test_a_weight_that_does_not_fit_is_said(tmp_path):
    found = profile(tmp_path).predict(product(1, 50_000, 50_000))
    assert found.warnings == (
        "the weights and inputs of this model take 10 GB, and Device 1 has 8.59 GB: it does not "
        "fit",
    )


def test_memory_is_counted_in_units_of_2_to_the_30(tmp_path):
    """46,000^2 weights in fp32 are 8.46 GB, less than 8 GiB, which are 8.59 GB. An A100 with 40 GB
    shows 42,405,855,232 bytes to programs."""
    assert profile(tmp_path).predict(product(1, 46_000, 46_000)).warnings == ()
    assert datasheet("a100-40gb").memory >= 42_405_855_232


MEASURED = sorted(ROOT.glob("reports/measurements/*.trace"))
# a network and a convolution of each dtype that the libraries run by FFT; all of them when slow
SOME = ("vgg16", "googlenet", "5x5.", "15x15.")


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(f, id=f.stem, marks=() if f.name.startswith(SOME) else pytest.mark.slow)
        for f in MEASURED
    ],
)
def test_no_committed_measurement_is_faster_than_its_bound(file):
    """Each operation that was timed on an H100 or H200 takes at least its bound."""
    trace = Trace.load(file)
    conditions = trace.measured.conditions
    name = "h200" if "H200" in conditions["device"] else "h100"
    bounds = load_profile(name).predict(trace)
    assert bounds.facts.dtype == conditions["dtype"]
    seconds = [0.0] * len(trace.ops)
    for timed in trace.measured.ops:
        if timed.of >= 0:
            seconds[timed.of] += timed.seconds
    slower = [i for i, s in enumerate(seconds) if s and s < bounds.ops[i].low]
    assert slower == []
    assert 0 < bounds.total.low < trace.measured.total.median


GIVE = f"give a .device or .toml file, or a datasheet: {', '.join(sorted(PRINTED))}"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("h10", f"there is no profile 'h10': {GIVE}; did you mean h100?"),
        ("a100", "rtx-4090; did you mean a100-80gb or a100-40gb?"),
        ("rtx4090", "; did you mean rtx-4090?"),
        ("nothing", f"there is no profile 'nothing': {GIVE}"),
        ("no.device", "there is no file no.device"),
    ],
)
def test_an_unknown_profile_gets_one_line(name, message):
    with pytest.raises(ProfileError) as found:
        load_profile(name)
    assert message in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("name", ["H100", " h100 ", "RTX 4090", "rtx_4090"])
def test_names_are_taken_as_people_write_them(name):
    assert load_profile(name).datasheet.name in ("h100", "rtx-4090")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"dtype": "bf16"},
            "of NVIDIA Jetson AGX Orin 64GB has no peak of bf16; choose `profile_dtype` fp32, fp16",
        ),
        ({"dtype": "fp64"}, "has no peak of fp64; choose `profile_dtype` fp32, fp16 or int8"),
        ({"layout": "nhwc"}, "unknown layout 'nhwc'; choose contiguous or channels-last"),
    ],
)
def test_what_a_datasheet_does_not_say_gets_one_line(options, message):
    with pytest.raises(ProfileError, match="^[^\n]+$") as found:
        load_profile("jetson-agx-orin-64gb").predict(product(1, 10, 10), **options)
    assert message in str(found.value)


def test_a_training_step_has_no_bound():
    trace = costlab.trace("alexnet", backward=True)
    with pytest.raises(ProfileError, match="leave out `train`"):
        load_profile("h100").predict(trace)
