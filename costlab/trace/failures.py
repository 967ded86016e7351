"""What the user reads where a model cannot be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from .._text import shown
from .code_files import users_line

if TYPE_CHECKING:
    from .operation import Call
    from .recorder import Recorder

_LONGEST_PATH = 120  # characters in a message
_LONGEST_QUOTE = 240  # characters of somebody else's message
_NO_VALUES = ("meta", "no fake impl registered")  # torch's words, where it misses values
_SCRIPT_FAILED = "The following operation failed in the TorchScript interpreter."
# what torch says where a backward pass cannot be followed, and what to do
_ADVICE = {
    "don't yet support saved tensor hooks": "; the backward pass cannot be traced together "
    "with torch.func derivatives, so trace without it",
    "Please convert all Tensors to FakeTensors first": "; torch traces the backward pass of this "
    "operator by itself, so trace without it",
}


def failure(recorder: Recorder | None, model: nn.Module, e: BaseException) -> str:
    """Where the model failed, in which operation, on which shapes, and what to do. `recorder`: None
    where the model could not even be read."""
    if recorder is None:
        return f"the model cannot be read: {type(e).__name__}: {_first_line(e)}"
    errors = _chain(e)
    where = type(model).__name__
    if recorder.failed_module is not None and recorder.failed_module[0] in errors:
        where = recorder.failed_module[1] or where
    if "NestedTensor outside of its fast path" in words_of(e):
        return (
            f"the model failed in {shortened(where)}: torch's MultiheadAttention takes no jagged "
            "tensors; pad them, or use scaled_dot_product_attention, which does"
        )
    message = f"the model failed in {shortened(where)}: {type(e).__name__}: {_first_line(e)}"
    details = [users_line(e)]
    if recorder.failed_call is not None and recorder.failed_call[0] in errors:
        details.append(_described(recorder, recorder.failed_call[1]))
    if any(details):
        message += f" ({', '.join(filter(None, details))})"
    return message + (_advice(recorder.device, e) or _channels(recorder, e))


def _advice(device: str, e: BaseException) -> str:
    """What to do about an error, where that is known."""
    words = words_of(e)
    if device == "meta" and any(said in words.lower() for said in _NO_VALUES):
        return "; the model needs real values, so trace it with device cpu"
    if isinstance(e, RecursionError):
        return "; modules are nested too deeply, or forward calls itself without end"
    if isinstance(e, SystemExit):
        return "; the model ends the process, so remove that call from its forward"
    return next((advice for said, advice in _ADVICE.items() if said in words), "")


def _channels(recorder: Recorder, e: BaseException) -> str:
    """The channels of a convolution's input and of its weights, where torch says only that they
    differ."""
    if recorder.failed_call is None or "Invalid channel dimensions" not in words_of(e):
        return ""
    call = recorder.failed_call[1]
    shapes = [recorder.table.tensors[i].shape for i in call.inputs[:2]]
    if len(shapes) < 2 or any(len(shape) < 2 for shape in shapes):
        return ""
    given, taken = shapes[0][1], shapes[1][1]
    each = "" if call.attrs.get("groups", 1) == 1 else " in each group"
    many = "s" * (given != 1)
    return f"; the input has {given} channel{many}, and the weights take {taken}{each}"


def words_of(e: BaseException) -> str:
    """What an exception says; nothing where its own class fails to."""
    try:
        return str(e).strip()
    except Exception:
        return ""


def _first_line(e: BaseException) -> str:
    """The first line of an error that says something, cut where it is long."""
    lines = words_of(e).splitlines() or [type(e).__name__]
    line = lines[-1] if lines[0] == _SCRIPT_FAILED else lines[0]
    line = line.partition(", but there was no fake impl")[0]  # which is for those who write kernels
    if len(line) > _LONGEST_QUOTE:
        line = line[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."
    return shown(line)


def shortened(path: str) -> str:
    """A module's path with its middle left out where it is long."""
    return path if len(path) <= _LONGEST_PATH else f"{path[:40]}...{path[-40:]}"


def _chain(e: BaseException | None) -> list[BaseException]:
    """An exception and those that it came from."""
    found: list[BaseException] = []
    while e is not None and e not in found:
        found.append(e)
        e = e.__cause__ or (None if e.__suppress_context__ else e.__context__)
    return found


def _described(recorder: Recorder, call: Call) -> str:
    """An operation and the shapes of its inputs."""
    shapes = (recorder.table.tensors[i].shape for i in call.inputs)
    words = ", ".join("x".join(map(str, s)) or "a scalar" for s in shapes)
    return f"{call.operator.name} on {words}" if words else call.operator.name
