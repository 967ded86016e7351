"""Trace files: written whole or not at all, read, and validated. Needs no torch.

File format (version 2): gzip-compressed UTF-8 JSON, one object with
- `format` = "costlab-trace", `version`, `provenance`, `count` (of operations);
- `tensors`: [shape, dtype] each, and of an expanded one the elements in memory;
- `params`: [names, shape, dtype, tensor, trainable] each, the last since 2026-11-27;
- `ops`: [name, module, module_type, call, inputs, outputs, params, attrs] each, and for a
  backward operation `of`, then true where it is recomputed;
- `inputs`, `outputs`, `saved` (tensors kept for the backward pass), `gradients` (parameters that
  got one);
- `sources` where lines of code were recorded: `files`; `lines`: [index of the file, line, index of
  the calling line or -1], callers first; `ops`: the index of each operation's line, -1 for none;
- `nodes`, of each operation, where an ONNX graph or an exported program ran;
- `measured` (the fields of `Measured`) where the run was measured.

Version 1 has the same fields, and operations as the device at hand named them; it is read by the
rules of `canonical`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from dataclasses import asdict

from .._narrow import StrPath
from .._packed import PackedFormat
from .canonical import upgraded
from .record import Op, Param, Trace, TraceFileError
from .decoded import MisfitError
from .schema import trace_of

FORMAT, VERSION = "costlab-trace", 2
MOST_BYTES = 256 * 2**20  # of JSON: about a million operations
_FORMAT = PackedFormat(
    name="trace",
    mark=FORMAT,
    versions=range(1, VERSION + 1),
    make="costlab trace MODEL -o FILE",
    again="trace the model again",
    error=TraceFileError,
)
_CHECKS: list[Callable[[Trace], None]] = []


def write_file(path: StrPath, data: bytes) -> None:
    """Write beside and rename, through a link, with the mode of what was there.

    A device or a pipe is written to, never replaced. Raises OSError."""
    path = os.path.realpath(os.fspath(path))
    mode = os.stat(path).st_mode if os.path.exists(path) else None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as f:
            f.write(data)
        return
    part = os.path.join(os.path.dirname(path), f".costlab-{secrets.token_hex(8)}")
    try:
        with open(part, "xb") as f:
            f.write(data)
        if mode is not None:
            os.chmod(part, stat.S_IMODE(mode))
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        raise


def write_trace(trace: Trace, path: StrPath) -> None:
    """Write a trace. Raises OSError when the path cannot be written, TraceFileError for a trace
    that could not be read again, as it is too large."""
    write_file(path, _FORMAT.packed(path, _to_json(trace), MOST_BYTES))


def on_load(check: Callable[[Trace], None]) -> Callable[[Trace], None]:
    """Add a check of what is read, by a package that knows more of a trace than this one: a
    decorator. The check raises `MisfitError`."""
    _CHECKS.append(check)
    return check


def read_trace(path: StrPath) -> Trace:
    """Read a trace. Raises TraceFileError (one clear line) for anything that is not one."""
    path = os.fspath(path)
    doc, version = _FORMAT.read(path, MOST_BYTES)
    try:
        return _checked(trace_of(doc), version)
    except MisfitError as e:
        raise _FORMAT.damaged(path, str(e)) from e


def _checked(trace: Trace, version: int) -> Trace:
    """A trace of today's format, in which every operation fits its formula."""
    if version != VERSION:
        try:
            trace = upgraded(trace)
        except (ValueError, TypeError, IndexError) as e:
            raise MisfitError(f"its operations are not those of version {version}") from e
    for check in _CHECKS:
        check(trace)
    return trace


def _to_json(trace: Trace) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "provenance": trace.provenance,
        "count": len(trace.ops),
        "tensors": [
            [t.shape, t.dtype, *([] if t.distinct is None else [t.distinct])] for t in trace.tensors
        ],
        "params": [_param_to_json(p) for p in trace.params],
        "ops": [_op_to_json(op) for op in trace.ops],
        "inputs": trace.inputs,
        "outputs": trace.outputs,
        "saved": trace.saved,
        "gradients": trace.gradients,
        **_sources_to_json(trace.ops),
        **({"nodes": [op.node for op in trace.ops]} if any(op.node for op in trace.ops) else {}),
        **({"measured": asdict(trace.measured)} if trace.measured else {}),
    }


def _param_to_json(p: Param) -> list[object]:
    trainable = () if p.trainable is None else (p.trainable,)
    return [p.names, p.shape, p.dtype, p.tensor, *trainable]


def _sources_to_json(ops: Sequence[Op]) -> dict[str, object]:
    """Each file and each line once; nothing where no line is known."""
    files: dict[str, int] = {}
    places: dict[int, int] = {}
    lines: list[tuple[int, int, int]] = []
    for op in ops:
        for s in op.source.stack if op.source and id(op.source) not in places else ():
            if id(s) not in places:
                places[id(s)] = len(lines)
                file = files.setdefault(s.file, len(files))
                lines.append((file, s.line, places[id(s.caller)] if s.caller else -1))
    of_ops = [places[id(op.source)] if op.source else -1 for op in ops]
    return {"sources": {"files": list(files), "lines": lines, "ops": of_ops}} if files else {}


def _op_to_json(op: Op) -> list[object]:
    place = op.name, op.module, op.module_type, op.call
    of = () if op.of is None else (op.of, True) if op.recomputed else (op.of,)
    return [*place, op.inputs, op.outputs, op.params, op.attrs, *of]
