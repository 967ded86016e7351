"""Device files: written and read back the same, and refused in one line where they are damaged."""

import gzip
import json
import os
from dataclasses import replace

import pytest
import torch

import costlab
from costlab.predict import ProfileError
from costlab.predict.datasheet import DatasheetProfile
from costlab.predict.device_file import MOST_BYTES, read_calibration, read_device, write_calibration
from costlab.predict.device_record import (
    Calibration,
    DeviceFacts,
    NetworkPoint,
    Point,
    Seconds,
)
from costlab.predict.kernels import Convolution, Elementwise, Product, Softmax

TOOK = Seconds(2e-6, 1e-6, 3e-6)
CONV = Convolution(1, 3, 8, 6, 6, 3, 3, 1, 1, 1, 1, bias=True)
FACTS = DeviceFacts(
    device="Some GPU",
    kind="cuda",
    date="2026-11-27T12:00:00+00:00",
    torch="2.13.0",
    costlab="0.1.0",
    cache=50 << 20,
    machine={"multiprocessors": 132, "cuda": "13.0"},
    clocks={"sm_mhz": 1980},
    notes=("a note",),
)
WHOLE = Calibration(
    FACTS,
    (
        Point(CONV, "fp32", "contiguous", TOOK, Seconds(4e-6, 4e-6, 5e-6)),
        Point(Elementwise("relu", 64), "bf16", "contiguous", TOOK),
    ),
    (NetworkPoint((CONV, Product(1, 2, 3, 4)), "fp32", "contiguous", 12, TOOK),),
    1e-6,
    300.0,
    {"RuntimeError: no": 2},
)


def document():
    """What a whole file holds, to be changed."""
    from costlab.predict.device_file import _document

    text = json.dumps({**_document(WHOLE)})
    return json.loads(text)


def packed(data):
    return gzip.compress(data, mtime=0)  # the same bytes in each process of the tests


def written(path, doc):
    path.write_bytes(packed(json.dumps(doc).encode()))
    return path


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "some.device"
    write_calibration(WHOLE, path)
    assert read_calibration(path) == WHOLE
    before = path.read_bytes()
    write_calibration(read_calibration(path), path)
    assert path.read_bytes() == before


def test_times_keep_five_digits(tmp_path):
    """0.00123456789 s is written as 0.0012346."""
    path = tmp_path / "some.device"
    took = Seconds(0.00123456789, 0.001, 0.002)
    write_calibration(replace(WHOLE, points=(replace(WHOLE.points[0], warm=took),)), path)
    assert read_calibration(path).points[0].warm.median == 0.0012346


def put(*place_and_value):
    """A change of a document: the value at a place of it."""
    *place, last, value = place_and_value

    def change(doc):
        for key in place:
            doc = doc[key]
        doc[last] = value

    return change


def gone(name):
    return lambda doc: doc.pop(name)


ROW = "points", "convolution", "rows", 0
DAMAGED = {
    "no facts": (gone("facts"), "facts"),
    "no points": (gone("points"), "points"),
    "no networks": (gone("networks"), "networks"),
    "no host": (gone("host"), "host"),
    "facts of another kind": (put("facts", []), r"facts \[\] is not an object"),
    "an unknown fact": (put("facts", "colour", "red"), "the facts are not"),
    "another kind of device": (put("facts", "kind", "tpu"), "'tpu' is not one of cuda, cpu"),
    "a device without a name": (put("facts", "device", 7), "device 7 is not a string"),
    "a long name": (put("facts", "device", "x" * 2000), "is not a string of at most 1000"),
    "a cache of text": (put("facts", "cache", "50"), "cache '50' is not an integer"),
    "a negative cache": (put("facts", "cache", -1), "cache -1 is not an integer"),
    "clocks of text": (put("facts", "clocks", {"sm_mhz": "fast"}), "a clock 'fast'"),
    "notes of one text": (put("facts", "notes", "x"), "notes 'x' is not a list"),
    "an unknown family": (
        put("points", "magic", {"fields": [], "rows": []}),
        "'magic' is not a family",
    ),
    "other fields": (put("points", "convolution", "fields", ["a"]), "convolution has other fields"),
    "rows that are none": (put("points", "convolution", "rows", 3), "convolution has no list"),
    "a row that is none": (put(*ROW, None), r"convolution\[0\]: a point None is not a list of 5"),
    "an unknown dtype": (put(*ROW, 0, "fp8"), r"convolution\[0\]: 'fp8' is not one of"),
    "an unknown layout": (put(*ROW, 1, "nhwc"), "'nhwc' is not one of"),
    "too few sizes": (put(*ROW, 2, [1]), "is not a list of 14 sizes"),
    "a batch of 0": (put(*ROW, 2, 0, 0), "batch 0 is not an integer from 1"),
    "a size of 1.5": (put(*ROW, 2, 1, 1.5), "channels_in 1.5 is not an integer"),
    "a size of true": (put(*ROW, 2, 1, True), "channels_in True is not an integer"),
    "a huge size": (put(*ROW, 2, 1, 10**30), "channels_in 1000.* is not an integer"),
    "a kernel larger than its image": (put(*ROW, 2, 5, 99), "no convolution has the sizes"),
    "a flag of 2": (put(*ROW, 2, 13, 2), "bias 2 is not an integer from 0 to 1"),
    "a time of text": (put(*ROW, 3, 0, "1"), "a time '1' is not a number"),
    "a time of NaN": (put(*ROW, 3, 0, float("nan")), "a time nan is not a number"),
    "an infinite time": (put(*ROW, 3, 2, float("inf")), "a time inf is not a number"),
    "a time of 0": (put(*ROW, 3, [0, 0, 0]), "the times .* are not a median"),
    "a median above the most": (put(*ROW, 3, [9, 1, 2]), "the times .* are not a median"),
    "two times": (put(*ROW, 4, [1, 2]), r"times \[1, 2\] is not a list of 3"),
    "an unknown function": (
        put("points", "elementwise", "rows", 0, 2, 0, "sort"),
        "'sort' is not one of relu",
    ),
    "a network of nothing": (put("networks", 0, 2, []), r"networks\[0\]: \[\] is not a list"),
    "a kernel that is none": (put("networks", 0, 2, 0, 5), "a kernel 5 is not a list of 2"),
    "networks of text": (put("networks", "x"), "its networks"),
    "half a failure": (put("failed", {"x": 0.5}), "x 0.5 is not an integer"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_refused_in_one_line(case, tmp_path):
    change, said = DAMAGED[case]
    doc = document()
    change(doc)
    path = written(tmp_path / "some.device", doc)
    with pytest.raises(ProfileError, match=said) as caught:
        read_calibration(path)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 500
    assert text.startswith(f"{path} is damaged: ") and text.endswith("calibrate the device again")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "damaged|not a costlab device"),
        (b"not gzip", "is not a costlab device file; make one with `costlab calibrate"),
        (packed(b"{"), "damaged or cut short"),
        (packed(b"[1]"), "is not a costlab device file"),
        (packed(b'{"format": "costlab-trace"}'), "is not a costlab device file"),
        (packed(b"[" * 100_000), "damaged or cut short"),
        (packed(b"\xff\xfe"), "damaged or cut short"),
        (
            packed(b'{"format": "costlab-device", "version": 3}'),
            "has device format 3, this costlab reads 1 to 2; update costlab",
        ),
        (packed(b'{"format": "costlab-device", "version": true}'), "device format True"),
    ],
    ids=("empty", "plain", "cut", "list", "trace", "deep", "no text", "newer", "true"),
)
def test_what_is_no_device_file(data, said, tmp_path):
    path = tmp_path / "some.device"
    path.write_bytes(data)
    with pytest.raises(ProfileError, match=said) as caught:
        costlab.load_profile(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_short_anywhere(tmp_path):
    whole, path = tmp_path / "whole.device", tmp_path / "cut.device"
    write_calibration(WHOLE, whole)
    data = whole.read_bytes()
    for end in range(1, len(data) - 1, 37):
        path.write_bytes(data[:end])
        with pytest.raises(ProfileError, match="damaged|not a costlab device"):
            read_calibration(path)


def test_a_small_file_that_unpacks_to_a_huge_one(tmp_path):
    path = tmp_path / "bomb.device"
    path.write_bytes(packed(b" " * (MOST_BYTES + 1)))
    with pytest.raises(ProfileError, match="holds more than 64 MiB"):
        read_calibration(path)


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    with pytest.raises(ProfileError, match="cannot read .*: No such file"):
        read_calibration(tmp_path / "none.device")
    with pytest.raises(ProfileError, match="cannot read .*: Is a directory"):
        read_calibration(tmp_path)


def test_what_a_profile_has_nothing_of(tmp_path):
    path = tmp_path / "some.device"
    write_calibration(WHOLE, path)
    trace = costlab.trace(torch.nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 6, 6), device="meta")
    for options, said in (
        (
            {"dtype": "fp16"},
            "has nothing of dtype fp16; it has fp32, bf16; calibrate with --dtypes",
        ),
        # a dtype that no device can be calibrated for
        ({"dtype": "int8"}, "has nothing of dtype int8; it has fp32, bf16$"),
        ({"dtype": "float32"}, "has nothing of dtype float32; it has fp32, bf16$"),
        ({"layout": "channels-last"}, "has nothing of layout channels-last in fp32"),
        ({"layout": "nhwc"}, "unknown layout 'nhwc'"),
    ):
        with pytest.raises(ProfileError, match=said):
            costlab.predict(trace, path, **options)
    trained = costlab.trace(
        torch.nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 6, 6), device="meta", backward=True
    )
    with pytest.raises(ProfileError, match="was traced for training"):
        costlab.predict(trained, path)


def test_a_file_without_measurements(tmp_path):
    """As one of a run that was interrupted at once."""
    path = tmp_path / "none.device"
    write_calibration(replace(WHOLE, points=(), networks=()), path)
    trace = costlab.trace(torch.nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 6, 6), device="meta")
    with pytest.raises(ProfileError, match="none.device has no measurements yet; continue it with"):
        costlab.predict(trace, path)


@pytest.mark.parametrize(("load", "said"), [(2.0, False), (9.79, True)])
def test_a_machine_that_was_busy_is_said(load, said, tmp_path):
    """On two cores; a load of 2 can be the calibration itself."""
    path = tmp_path / "busy.device"
    facts = replace(FACTS, kind="cpu", machine={"cores": 2}, clocks={"load": load})
    write_calibration(replace(WHOLE, facts=facts), path)
    trace = costlab.trace(torch.nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 6, 6), device="meta")
    warning = "the machine was busy with other work when it was calibrated (load 9.8): times are "
    assert (
        any(w.startswith(warning) for w in costlab.predict(trace, path).prediction.warnings) == said
    )
    assert ("while the load was 9.8" in read_device(path).summary) == said


@pytest.mark.parametrize(("memory", "said"), [(900, True), (1_100, False)])
def test_a_model_that_does_not_fit_is_said(memory, said, tmp_path):
    """3 * 7 * 7 inputs, 4 * 3 * 9 weights and 4 biases of 4 bytes: 1,036."""
    path = tmp_path / "small.device"
    facts = replace(FACTS, machine={"memory": memory})
    write_calibration(replace(WHOLE, facts=facts), path)
    trace = costlab.trace(torch.nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 7, 7), device="meta")
    warnings = costlab.predict(trace, path).prediction.warnings
    line = "the weights and inputs of this model take 1.04 KB, and Some GPU has 900 bytes: it does "
    assert any(w.startswith(line) for w in warnings) == said


def test_warnings_say_where_trace_and_file_do_not_fit(tmp_path):
    path = tmp_path / "some.device"
    facts = replace(FACTS, torch="2.11.0+cu130")
    points = (*WHOLE.points, Point(CONV, "bf16", "contiguous", TOOK))
    write_calibration(replace(WHOLE, facts=facts, points=points), path)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Upsample(8, mode="bilinear"))
    trace = costlab.trace(model, torch.zeros(1, 3, 6, 6), device="meta")
    found = costlab.predict(trace, path, dtype="bf16").prediction
    release = torch.__version__
    assert found.warnings == (
        f"traced with torch {release}, and the device was measured with torch 2.11.0+cu130",
        "traced in fp32, and predicted in bf16",
        "outside what was measured: 2 operations, 100.0% of the time; calibrate for longer",
        "predicted from other kernels, because none of theirs was measured: interpolation (x1)",
    )
    assert found.total.outside


def test_operations_that_are_alike_take_as_long_within_what_was_measured(tmp_path):
    """Softmax of 16 to 131,072 rows was measured, and two of 1,000 are predicted."""
    path = tmp_path / "some.device"
    points = tuple(
        Point(Softmax(2**i, 64), "fp32", "contiguous", Seconds(*[1e-6 + 1e-9 * 2**i] * 3))
        for i in range(4, 18)
    )
    write_calibration(replace(WHOLE, points=points), path)
    model = torch.nn.Sequential(torch.nn.Softmax(1), torch.nn.Softmax(1))
    trace = costlab.trace(model, torch.zeros(1000, 64), device="meta")
    first, second = costlab.predict(trace, path).prediction.ops
    assert first == second
    assert not first.outside


@pytest.mark.parametrize(
    ("model", "shape", "said"),
    [
        (torch.nn.ConvTranspose2d(8, 4, 2, 2), (1, 8, 5, 5), "transposed convolution (x1)"),
        (torch.nn.Conv3d(8, 4, 3), (1, 8, 5, 5, 5), "3-d convolution (x1)"),
        (torch.nn.LSTM(8, 4), (3, 1, 8), "recurrent (x1)"),
    ],
)
def test_kernels_that_were_not_measured_are_predicted_by_others_with_a_wide_interval(
    model, shape, said, tmp_path
):
    """A factor of 8 to either side of the middle."""
    path = tmp_path / "some.device"
    write_calibration(WHOLE, path)
    trace = costlab.trace(model, torch.zeros(shape), device="meta")
    found = costlab.predict(trace, path).prediction
    assert any(
        w == f"predicted from other kernels, because none of theirs was measured: {said}"
        for w in found.warnings
    )
    assert found.total.outside
    assert found.total.high / found.total.low > 60


def test_a_file_is_read_again_only_after_it_was_written_again(tmp_path):
    """Predictions by one file share what is fitted to it."""
    path = tmp_path / "some.device"
    write_calibration(WHOLE, path)
    first = costlab.load_profile(path).profile
    assert costlab.load_profile(str(path)).profile is first
    write_calibration(replace(WHOLE, seconds=301.0), path)
    os.utime(path, ns=(1, 1))
    assert costlab.load_profile(path).profile.calibration.seconds == 301.0


def test_a_folder_does_not_hide_a_datasheet(tmp_path, monkeypatch):
    (tmp_path / "h100").mkdir()
    monkeypatch.chdir(tmp_path)
    assert isinstance(costlab.load_profile("h100").profile, DatasheetProfile)
