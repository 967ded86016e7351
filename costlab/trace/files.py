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

import gzip
import json
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from .._narrow import StrPath, is_list, json_object
from .canonical import upgraded
from .facts import Provenance
from .record import Measured, Op, Param, Source, Tensor, Trace, TraceFileError

FORMAT, VERSION = "costlab-trace", 2
_PROVENANCE = ("model", "device", "torch", "costlab", "date")
_CONDITIONS = {"device", "dtype", "layout", "method"}


def write_file(path: StrPath, data: bytes) -> None:
    """Write beside and rename, through a link, with the mode of what was there.

    A device or a pipe is written to, never replaced. Raises OSError."""
    path = os.path.realpath(os.fspath(path))
    mode = os.stat(path).st_mode if os.path.exists(path) else None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as f:
            f.write(data)
        return
    fd, part = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".costlab-")
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask if mode is None else stat.S_IMODE(mode))
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


def write_trace(trace: Trace, path: StrPath) -> None:
    """Write a trace. Raises OSError when the path cannot be written."""
    text = json.dumps(_to_json(trace), separators=(",", ":"))
    write_file(path, gzip.compress(text.encode(), mtime=0))


def read_trace(path: StrPath) -> Trace:
    """Read a trace. Raises TraceFileError (one clear line) for anything that is not one."""
    path = os.fspath(path)
    doc = json_object(_read_json(path))
    if doc is None or doc.get("format") != FORMAT:
        raise _not_a_trace(path)
    version = doc.get("version")
    if version not in range(1, VERSION + 1):
        raise TraceFileError(
            f"{path} has trace format {version}, this costlab reads 1 to {VERSION}; update costlab"
        )
    try:
        trace = _from_json(doc)
        validate(trace, doc.get("count"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise _damaged(path) from None
    return trace if version == VERSION else upgraded(trace)


def validate(trace: Trace, count: object) -> None:
    """Raise ValueError, TypeError or KeyError for what no tracer wrote: indices without a target,
    sizes that are no numbers, missing provenance."""
    if count != len(trace.ops):
        raise ValueError("operations are missing")
    _validate_tensors(trace)
    for op in trace.ops:
        _validate_op(trace, op)
    _validate_provenance(trace.provenance)
    if trace.measured:
        _validate_measured(trace.measured, len(trace.ops))


def _not_a_trace(path: str) -> TraceFileError:
    return TraceFileError(
        f"{path} is not a costlab trace; make one with `costlab trace MODEL -o FILE`"
    )


def _damaged(path: str) -> TraceFileError:
    return TraceFileError(f"{path} is damaged or cut short; trace the model again")


def _read_json(path: str) -> object:
    try:
        with open(path, "rb") as f:
            return json.loads(gzip.decompress(f.read()))
    except gzip.BadGzipFile:
        raise _not_a_trace(path) from None
    except OSError as e:
        raise TraceFileError(f"cannot read {path}: {e.strerror or e}") from None
    except Exception:  # a cut or damaged stream fails in gzip, zlib, the decoder or json
        raise _damaged(path) from None


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


def _from_json(doc: Mapping[str, Any]) -> Trace:
    return Trace(
        ops=_with_origins([_op_from_json(*row) for row in doc["ops"]], doc),
        tensors=tuple(Tensor(tuple(shape), *rest) for shape, *rest in doc["tensors"]),
        params=tuple(Param(tuple(n), tuple(s), *rest) for n, s, *rest in doc["params"]),
        inputs=tuple(doc["inputs"]),
        outputs=tuple(doc["outputs"]),
        provenance=doc["provenance"],
        saved=tuple(doc.get("saved", ())),
        measured=Measured.from_json(doc["measured"]) if doc.get("measured") else None,
        gradients=tuple(doc.get("gradients", ())),
    )


def _op_from_json(name: str, module: str, kind: str, call: int, *rest: Any) -> Op:
    inputs, outputs, params, attrs, *of = rest
    attrs = {k: _tuples(v) for k, v in attrs.items()}
    return Op(name, module, kind, call, tuple(inputs), tuple(outputs), tuple(params), attrs, *of)


def _with_origins(ops: Sequence[Op], doc: Mapping[str, Any]) -> tuple[Op, ...]:
    """The operations with the lines and nodes that the file has; files of before 2026-11-27 have
    none."""
    if "sources" not in doc and "nodes" not in doc:
        return tuple(ops)
    table: Mapping[str, Any] = doc.get("sources") or {
        "files": [],
        "lines": [],
        "ops": [-1] * len(ops),
    }
    lines: list[Source] = []
    places: list[tuple[int, int, int]] = table["lines"]
    for file, line, caller in places:
        _need(file >= 0 and -1 <= caller < len(lines))
        lines.append(Source(table["files"][file], line, lines[caller] if caller >= 0 else None))
    known: dict[int, Source | None] = {-1: None, **dict(enumerate(lines))}
    rows = zip(ops, table["ops"], doc.get("nodes", [""] * len(ops)), strict=True)
    return tuple(replace(op, source=known[place], node=node) for op, place, node in rows)


def _tuples(value: object) -> object:
    return tuple(_tuples(v) for v in value) if is_list(value) else value


def _need(fine: bool) -> None:
    if not fine:
        raise ValueError("not what a tracer writes")


def _is(kind: type, *values: object) -> bool:
    """Whether what the file has is of the type that its field states."""
    return all(isinstance(value, kind) for value in values)


def _validate_tensors(trace: Trace) -> None:
    known, params = range(len(trace.tensors)), range(len(trace.params))
    for t in trace.tensors:
        _need(_is(str, t.dtype))
        _need(all(type(n) is int and n >= 0 for n in t.shape))
    for p in trace.params:
        _need(p.tensor in known and p.shape == trace.tensors[p.tensor].shape)
        _need(p.trainable is None or type(p.trainable) is bool)
    _need(all(i in known for i in (*trace.inputs, *trace.outputs, *trace.saved)))
    _need(all(i in params for i in trace.gradients))


def _validate_op(trace: Trace, op: Op) -> None:
    known, params = range(len(trace.tensors)), range(len(trace.params))
    _need(all(i in known for i in (*op.inputs, *op.outputs)))
    _need(all(i in params for i in op.params))
    _need(_is(str, op.name, op.module, op.module_type, op.node))
    _need(op.source is None or _is(str, op.source.file) and type(op.source.line) is int)
    _need(_is(dict, op.attrs) and type(op.call) is int)
    _need(op.of is None or op.of == -1 or 0 <= op.of < len(trace.ops))
    _need(type(op.recomputed) is bool)


def _validate_provenance(provenance: Provenance) -> None:
    _need(_is(str, *(provenance[k] for k in _PROVENANCE)))
    _need(all(_is(str, shape, dtype) for shape, dtype in provenance["inputs"]))


def _validate_measured(measured: Measured, operations: int) -> None:
    _need(all(-1 <= op.of < operations for op in measured.ops))
    _need(measured.conditions.keys() >= _CONDITIONS)
    _need("float32" in measured.ceilings and "bandwidth" in measured.ceilings)
