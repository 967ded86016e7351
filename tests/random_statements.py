"""The statements of random models: each adds lines to a program and says what they cost.

MACs of a convolution: batch x out channels x places x in channels / groups x window (Table 1 of
arXiv:1409.4842 counts so); of a linear layer: rows x in x out; of a recurrent step: gates x H x
(in + H); of attention: the projections, and twice tokens^2 x width."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from random_models import Gene, Program, Value

Statement = Callable[[Program, Gene], None]
STATEMENTS: dict[str, Statement] = {}
# name, shape without the batch, and what makes it
INPUTS = (
    ("image", (4, 8, 8), "torch.rand{shape}"),
    ("tokens", (5,), "torch.zeros{shape}.long()"),
    ("sequence", (5, 8), "torch.rand{shape}"),
)
LARGEST = 4096  # elements of a value


def statement(fn: Statement) -> Statement:
    """Register a statement by the name of its function."""
    STATEMENTS[fn.__name__] = fn
    return fn


def is_image(v: Value) -> bool:
    return len(v.shape) == 4


def is_sequence(v: Value) -> bool:
    return len(v.shape) == 3


def is_rows(v: Value) -> bool:
    return len(v.shape) == 2 and v.name != "tokens"


def is_float(v: Value) -> bool:
    return v.name != "tokens"


def window(n: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Places of a window along a dimension of `n`."""
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def common(c: int, how: int) -> int:
    """A divisor of `c`."""
    found = [g for g in (1, 2, 4) if c % g == 0]
    return found[how % len(found)]


# ---- convolutions


@statement
def conv(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_image)):
        return
    n, c, h, w = v.shape
    kernel, stride = (1, 3, 2)[g.how % 3], 1 + g.size % 2
    groups, out, bias = common(c, g.how // 3), (4, 8, 12)[g.size % 3], g.how % 2
    mode = ("zeros", "circular", "reflect", "replicate")[g.how % 4]
    padding = min(kernel // 2, h - 1, w - 1)
    if min(h, w) + 2 * padding < kernel:
        return
    size = window(h, kernel, stride, padding), window(w, kernel, stride, padding)
    p.apply(
        v,
        f"nn.Conv2d({c}, {out}, {kernel}, {stride}, {padding}, groups={groups}, bias={bool(bias)}, "
        f"padding_mode={mode!r})",
        (n, out, *size),
        n * out * prod(size) * c // groups * kernel**2,
        params=out * c // groups * kernel**2 + bias * out,
        kind="conv",
    )


@statement
def functional_conv(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_image)):
        return
    n, c, h, w = v.shape
    out = 4 + 4 * (g.size % 2)
    weight = p.register(f"nn.Parameter(torch.rand({out}, {c}, 1, 1))", out * c, "w")
    reads = p.layer("conv", v.reads, n * out * h * w * c)
    p.put(f"F.conv2d({v.name}, self.{weight})", (n, out, h, w), reads)


@statement
def transposed_conv(p: Program, g: Gene) -> None:
    """Each input element is multiplied by the whole window of each output channel."""
    v = p.find(g.of, lambda v: is_image(v) and prod(v.shape) * 4 <= LARGEST)
    if not v:
        return
    n, c, h, w = v.shape
    out = 4
    p.apply(
        v,
        f"nn.ConvTranspose2d({c}, {out}, 2, 2)",
        (n, out, 2 * h, 2 * w),
        n * c * h * w * out * 4,
        params=c * out * 4 + out,
        kind="transposed conv",
    )


@statement
def conv_of_a_volume(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_image)):
        return
    n, c, h, w = v.shape
    if min(h, w) < 2:
        return
    name = p.register(f"nn.Conv3d({c}, 4, (1, 2, 2))", 4 * c * 4 + 4)
    reads = p.layer("conv", v.reads, n * 4 * (h - 1) * (w - 1) * c * 4)
    p.put(f"self.{name}({v.name}[:, :, None]).squeeze(2)", (n, 4, h - 1, w - 1), reads)


@statement
def conv_of_a_sequence(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_sequence)):
        return
    n, t, c = v.shape
    dilation = 1 + g.how % 2
    reads = p.layer("conv", v.reads, n * t * 8 * c * 3)
    name = p.register(
        f"nn.Conv1d({c}, 8, 3, padding={dilation}, dilation={dilation})", 8 * c * 3 + 8
    )
    p.put(f"self.{name}({v.name}.transpose(1, 2)).transpose(1, 2)", (n, t, 8), reads)


@statement
def inception(p: Program, g: Gene) -> None:
    """Branches from one value to a concatenation of channels."""
    if not (v := p.find(g.of, is_image)):
        return
    n, c, h, w = v.shape
    before, shared = [*p.scope.values], [*p.scope.shared]
    ends, layers = [], []
    for i in range(2 + g.how % 3):
        first = len(p.layers)
        u = p.put(f"F.max_pool2d({v.name}, 3, 1, 1)", v.shape, v.reads) if i == 2 else v
        for k in (1, 3)[: 1 + (i + g.size) % 2]:
            into = u.shape[1]
            u = p.apply(
                u,
                f"nn.Conv2d({into}, 4, {k}, padding={k // 2})",
                (n, 4, h, w),
                n * 4 * h * w * into * k * k,
                params=4 * into * k * k + 4,
                kind="conv",
            )
        ends.append(u)
        layers.append(frozenset(range(first, len(p.layers))))
    joined = ", ".join(u.name for u in ends)
    reads = frozenset[int]().union(*(u.reads for u in ends))
    whole = p.put(f"torch.cat([{joined}], 1)", (n, 4 * len(ends), h, w), reads)
    p.scope.values, p.scope.shared = [*before, whole], shared  # nothing else reads a branch
    p.forks.append(tuple(layers))


# ---- products


@statement
def linear(p: Program, g: Gene) -> None:
    v = p.find(g.of, lambda v: is_sequence(v) or is_rows(v))
    if not v:
        return
    *rows, c = v.shape
    out, bias = (8, c, 4)[g.size % 3], g.how % 2
    p.apply(
        v,
        f"nn.Linear({c}, {out}, bias={bool(bias)})",
        (*rows, out),
        prod(rows) * c * out,
        params=c * out + bias * out,
    )


@statement
def looped_linear(p: Program, g: Gene) -> None:
    """One layer in a loop."""
    if not (v := p.find(g.of, is_rows)):
        return
    n, c = v.shape
    name, reads = p.register(f"nn.Linear({c}, {c})", c * c + c), v.reads
    times = 2 + g.how % 2
    for _ in range(times):
        reads = p.layer("linear", reads, n * c * c)
    p.say(f"h = {v.name}")
    p.say(f"for _ in range({times}):")
    p.say(f"    h = self.{name}(h).tanh()")
    p.put("h", v.shape, reads)


@statement
def matmul(p: Program, g: Gene) -> None:
    """Of a sequence with itself."""
    if not (v := p.find(g.of, is_sequence)):
        return
    n, t, c = v.shape
    text = (
        f"{v.name} @ {v.name}.transpose(1, 2)",
        f"torch.einsum('btc,bsc->bts', {v.name}, {v.name})",
        f"torch.bmm({v.name}, {v.name}.mT)",
    )[g.how % 3]
    p.put(text, (n, t, t), p.layer("product", v.reads, n * t * t * c))


@statement
def attend(p: Program, g: Gene) -> None:
    """Scaled dot products of a sequence, as heads of the whole width or half of it."""
    if not (v := p.find(g.of, is_sequence)):
        return
    n, t, c = v.shape
    scores = p.layer("product", v.reads, n * t * t * c)
    reads = p.layer("product", scores | v.reads, n * t * t * c)
    causal = bool(g.how % 2)
    q = f"{v.name}[:, None]"
    p.put(
        f"F.scaled_dot_product_attention({q}, {q}, {q}, is_causal={causal}).squeeze(1)",
        v.shape,
        reads,
    )


def _attention(p: Program, v: Value) -> frozenset[int]:
    n, t, c = v.shape
    packed = p.layer("linear", v.reads, n * t * c * 3 * c)
    scores = p.layer("product", packed, n * t * t * c)
    values = p.layer("product", scores | packed, n * t * t * c)
    return p.layer("linear", values, n * t * c * c)


@statement
def multihead(p: Program, g: Gene) -> None:
    v = p.find(g.of, lambda v: is_sequence(v) and v.shape[2] % 2 == 0)
    if not v:
        return
    c = v.shape[2]
    name = p.register(f"nn.MultiheadAttention({c}, 2, batch_first=True)", 4 * c * c + 4 * c)
    need = bool(g.how % 2)
    reads = _attention(p, v)
    three = ", ".join([v.name] * 3)
    p.put(f"self.{name}({three}, need_weights={need})[0]", v.shape, reads)


@statement
def transformer_layer(p: Program, g: Gene) -> None:
    v = p.find(g.of, lambda v: is_sequence(v) and v.shape[2] % 2 == 0)
    if not v:
        return
    n, t, c = v.shape
    params = 4 * c * c + 4 * c + (c * 16 + 16) + (16 * c + c) + 4 * c
    first = bool(g.how % 2)
    name = p.register(
        f"nn.TransformerEncoderLayer({c}, 2, 16, batch_first=True, norm_first={first})", params
    )
    between = v.reads | _attention(p, v)
    wide = p.layer("linear", between, n * t * c * 16)
    reads = between | p.layer("linear", wide, n * t * 16 * c)
    p.put(f"self.{name}({v.name})", v.shape, reads)


@statement
def recurrent(p: Program, g: Gene) -> None:
    """Params of a layer and direction: gates x H x (in + H + 2), for two biases."""
    if not (v := p.find(g.of, is_sequence)):
        return
    n, t, c = v.shape
    kind, gates = (("LSTM", 4), ("GRU", 3), ("RNN", 1))[g.how % 3]
    layers, ways, hidden = 1 + g.size % 2, 1 + g.size // 2 % 2, 4
    inputs = [c] + [hidden * ways] * (layers - 1)
    macs = sum(n * t * ways * gates * hidden * (i + hidden) for i in inputs)
    params = sum(ways * gates * hidden * (i + hidden + 2) for i in inputs)
    name = p.register(
        f"nn.{kind}({c}, {hidden}, {layers}, batch_first=True, bidirectional={ways == 2})", params
    )
    reads = p.layer("unit", v.reads, macs, layers)
    p.put(f"self.{name}({v.name})[0]", (n, t, hidden * ways), reads)


@statement
def embedding(p: Program, g: Gene) -> None:
    v = p.find(0, lambda v: v.name == "tokens")
    if not v:
        return
    name = p.register("nn.Embedding(10, 8)", 80)
    p.put(f"self.{name}(tokens)", (*v.shape, 8), p.layer("embedding", v.reads, 0))


# ---- what multiplies nothing


@statement
def norm(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_float)):
        return
    c = v.shape[1] if len(v.shape) == 4 else v.shape[-1]
    many = prod(v.shape) // c > 1
    kinds = [f"nn.LayerNorm({v.shape[-1]})", f"nn.RMSNorm({v.shape[-1]})"]
    params = [2 * v.shape[-1], v.shape[-1]]
    if is_image(v) and many and prod(v.shape[2:]) > 1:
        kinds += [
            f"nn.BatchNorm2d({c})",
            f"nn.GroupNorm({common(c, 1)}, {c})",
            f"nn.InstanceNorm2d({c}, track_running_stats={bool(g.size % 2)})",
        ]
        params += [2 * c, 2 * c, 0]
    elif is_rows(v) and v.shape[0] > 1:
        kinds.append(f"nn.BatchNorm1d({c})")
        params.append(2 * c)
    i = g.how % len(kinds)
    name = p.register(kinds[i], params[i])
    p.put(f"self.{name}({v.name})", v.shape, v.reads)


@statement
def activation(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_float)):
        return
    text = (
        f"F.relu({v.name})",
        f"{v.name}.sigmoid()",
        f"nn.GELU()({v.name})",
        f"F.dropout({v.name}, 0.5, self.training)",
        f"torch.where({v.name} > 0, {v.name}, 0.1 * {v.name})",
        f"{v.name}.softmax(-1)",
        f"{v.name} + torch.rand_like({v.name})",
        f"self.{p.register('nn.Dropout(0.5)')}({v.name})" if g.how % 9 == 7 else "",
        f"{v.name}.clone()",
    )[g.how % 9]
    p.put(text, v.shape, v.reads)


@statement
def pool(p: Program, g: Gene) -> None:
    v = p.find(g.of, lambda v: is_image(v) and min(v.shape[2:]) >= 2)
    if not v:
        return
    n, c, h, w = v.shape
    text, size = (
        (f"F.max_pool2d({v.name}, 2)", (h // 2, w // 2)),
        (f"F.avg_pool2d({v.name}, 2, 1)", (h - 1, w - 1)),
        (f"F.adaptive_avg_pool2d({v.name}, 1)", (1, 1)),
        (f"F.adaptive_max_pool2d({v.name}, 2)", (2, 2)),
        (f"F.max_pool2d({v.name}, 3, 2, 1, ceil_mode=True)", (h // 2 + 1, w // 2 + 1)),
    )[g.how % 5]
    p.put(text, (n, c, *size), v.reads)


@statement
def upsample(p: Program, g: Gene) -> None:
    v = p.find(g.of, lambda v: is_image(v) and prod(v.shape) * 4 <= LARGEST)
    if not v:
        return
    n, c, h, w = v.shape
    mode = ("nearest", "bilinear")[g.how % 2]
    text = f"F.interpolate({v.name}, scale_factor=2.0, mode={mode!r})"
    p.put(text, (n, c, 2 * h, 2 * w), v.reads)


@statement
def mean(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, lambda v: is_image(v) or is_sequence(v))):
        return
    dims = (2, 3) if is_image(v) else (1,)
    shape = tuple(n for i, n in enumerate(v.shape) if i not in dims)
    p.put(f"{v.name}.mean({dims})", shape, v.reads)


# ---- joins


@statement
def join(p: Program, g: Gene) -> None:
    """Two values of one shape."""
    if not (v := p.find(g.of, is_float)):
        return
    u = p.find(g.how, lambda u: u.shape == v.shape and is_float(u))
    assert u is not None, "the value itself has its shape"
    text = (
        f"{v.name} + {u.name}",
        f"{v.name} * {u.name}.sigmoid()",
        f"torch.stack([{v.name}, {u.name}]).sum(0)",
        f"torch.maximum({v.name}, {u.name})",
    )[g.size % 4]
    p.put(text, v.shape, v.reads | u.reads)


@statement
def concat(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_float)):
        return
    last = len(v.shape) - 1
    dim = 1 if is_image(v) else last
    u = p.find(g.how, lambda u: len(u.shape) == len(v.shape) and is_float(u) and _fits(u, v, dim))
    assert u is not None, "the value itself fits"
    shape = [*v.shape]
    shape[dim] += u.shape[dim]
    if prod(shape) <= LARGEST:
        p.put(f"torch.cat([{v.name}, {u.name}], {dim})", shape, v.reads | u.reads)


def _fits(u: Value, v: Value, dim: int) -> bool:
    return all(a == b for i, (a, b) in enumerate(zip(u.shape, v.shape, strict=True)) if i != dim)


@statement
def gate(p: Program, g: Gene) -> None:
    """Squeeze-and-excitation without weights: a mean that scales what it is of."""
    if not (v := p.find(g.of, is_image)):
        return
    p.put(f"{v.name} * {v.name}.mean((2, 3), keepdim=True).expand_as({v.name})", v.shape, v.reads)


# ---- views


@statement
def tokens_of_an_image(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, is_image)):
        return
    n, c, h, w = v.shape
    if h * w <= 64:
        p.put(f"{v.name}.flatten(2).mT.clone()", (n, h * w, c), v.reads)


@statement
def flatten(p: Program, g: Gene) -> None:
    v = p.find(g.of, lambda v: is_image(v) and prod(v.shape[1:]) <= 128)
    if v:
        p.put(f"{v.name}.flatten(1).clone()", (v.shape[0], prod(v.shape[1:])), v.reads)


@statement
def view(p: Program, g: Gene) -> None:
    """The same memory in another shape, or a part of it."""
    if not (v := p.find(g.of, is_float)):
        return
    shape, half = v.shape, v.shape[1] // 2
    if g.how % 3 == 0 and half:
        part = (f"{v.name}[:, :{half}]", f"{v.name}.chunk(2, 1)[1]")[g.size % 2]
        second = shape[1] - -(-shape[1] // 2)
        size = half if g.size % 2 == 0 else second
        p.view(part, v, (shape[0], size, *shape[2:]), part=True)
    elif g.how % 3 == 1 and is_sequence(v):
        p.view(f"{v.name}.transpose(1, 2)", v, (shape[0], shape[2], shape[1]))
    else:
        p.view(f"{v.name}[...]", v, shape)


@statement
def expand(p: Program, g: Gene) -> None:
    v = p.find(g.of, is_rows)
    if v:
        u = p.put(f"{v.name}[:, None].expand(-1, 3, -1)", (v.shape[0], 3, v.shape[1]), v.reads)
        u.writable = False
        u.memory = v.memory
        u.whole = v.whole


# ---- in place


@statement
def in_place(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, lambda v: is_float(v) and v.writable)):
        return
    text = ("relu_()", "mul_(0.5)", "clamp_(-1, 1)", "add_(1)")[g.how % 4]
    p.say(f"{v.name}.{text}")
    p.written(v, frozenset())


@statement
def add_in_place(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, lambda v: is_float(v) and v.writable)):
        return
    u = p.find(g.how, lambda u: u.shape == v.shape and is_float(u) and u.memory is not v.memory)
    if not u:
        return
    text = (f"{v.name}.add_({u.name})", f"{v.name} += {u.name}", f"{v.name}.mul_({u.name})")
    p.say(text[g.size % 3])
    p.written(v, u.reads)


@statement
def write_a_part(p: Program, g: Gene) -> None:
    if not (v := p.find(g.of, lambda v: is_float(v) and v.writable and v.shape[1] > 1)):
        return
    u = p.find(g.how, lambda u: u.shape == v.shape and is_float(u) and u.memory is not v.memory)
    if not u:
        return
    half = v.shape[1] // 2
    text = (
        f"{v.name}[:, :{half}] = {u.name}[:, :{half}]",
        f"{v.name}[:, {half}:] += {u.name}[:, {half}:]",
        f"{v.name}.narrow(1, 0, {half}).copy_({u.name}.narrow(1, 0, {half}))",
    )
    p.say(text[g.size % 3])
    p.written(v, u.reads)
    # where v is a part, whether other views of its memory changed depends on where they are
    if not v.whole:
        p.scope.values = [w for w in p.scope.values if w is v or w.memory is not v.memory]


# ---- modules, modes and state


@statement
def enter(p: Program, g: Gene) -> None:
    v = p.find(g.of, is_float)
    if v and len(p.scopes) < 4:
        p.enter(v)


@statement
def leave(p: Program, g: Gene) -> None:
    if len(p.scopes) > 1:
        p.leave()


@statement
def again(p: Program, g: Gene) -> None:
    """Call a module once more."""
    if not p.scope.shared:
        return
    shared = p.scope.shared[-1 - g.how % len(p.scope.shared)]
    v = p.find(g.of, lambda v: v.shape == shared.into and is_float(v))
    if v:
        p.apply_again(shared, v)


@statement
def mode(p: Program, g: Gene) -> None:
    """A layer under another mode of gradients."""
    if not (v := p.find(g.of, is_rows)):
        return
    n, c = v.shape
    name = p.register(f"nn.Linear({c}, 8)", 8 * c + 8)
    within = ("no_grad", "enable_grad", "inference_mode")[g.how % 3]
    p.say(f"with torch.{within}():")
    p.say(f"    h = self.{name}({v.name}[:]).view(-1, 8)")
    reads = p.layer("linear", v.reads, n * c * 8)
    p.put("h", (n, 8), reads).writable = within != "inference_mode"


@statement
def state(p: Program, g: Gene) -> None:
    """The module changes itself."""
    name = p.register("None", kind="s")
    text = (
        ("0", f"self.{name} += 1"),
        ("[1]", f"self.{name}.append(len(self.{name}))"),
        ("nn.Buffer(torch.zeros(3))", f"self.{name} += 1"),
        ("nn.Buffer(torch.zeros(3))", f"self.{name}[1:].fill_(2)"),
        ("{}", f"self.{name}.update(calls=self.{name}.get('calls', 0) + 1)"),
    )[g.how % 5]
    p.scope.init[-1] = f"self.{name} = {text[0]}"
    p.say(text[1])


@statement
def hook(p: Program, g: Gene) -> None:
    """A hook that changes what a layer gives."""
    if not (v := p.find(g.of, is_rows)):
        return
    n, c = v.shape
    result = p.apply(v, f"nn.Linear({c}, 8)", (n, 8), n * c * 8, params=8 * c + 8)
    name = p.scope.shared[-1].attribute
    p.scope.init.append(f"self.{name}.register_forward_hook(lambda m, a, out: out * 2)")
    assert result.shape == (n, 8)
