"""Products of matrices and vectors."""

from __future__ import annotations

from math import prod

from ...trace.record import Op, Trace
from ..registry import Work, aten, formula, multiply_adds, outputs_of, shape_of

ADDED = frozenset(aten("addmm baddbmm addmv _addmm_activation addbmm _sparse_addmm"))


def _of_sparse(trace: Trace, op: Op, macs: int) -> int:
    """`macs`, of which a sparse factor leaves those of the elements that it keeps: each of them
    meets a row, or a column, of the other factor."""
    if "sparse" not in op.attrs:
        return macs
    place, kept = op.attrs["sparse"]
    first = place == (1 if op.name in ADDED else 0)
    shape = shape_of(trace, op, place)
    other = shape[:-1] if first else (*shape[:-2], shape[-1])
    return kept * outputs_of(trace, op) // max(1, prod(other))


@formula(*aten("mm bmm mv dot _int_mm"))
def product(trace: Trace, op: Op) -> Work:
    """(.., n, k) @ (.., k, m): n k m products a batch (Golub and Van Loan, Section 1.1)."""
    macs = outputs_of(trace, op) * shape_of(trace, op)[-1]
    return multiply_adds(trace, op, _of_sparse(trace, op, macs))


@formula(*ADDED)
def added_product(trace: Trace, op: Op) -> Work:
    """As the product, and one add an output element; addbmm also sums over its batch."""
    a, made = shape_of(trace, op, 1), outputs_of(trace, op)
    batch = a[0] if op.name == "aten.addbmm" else 1
    return multiply_adds(trace, op, _of_sparse(trace, op, made * a[-1] * batch), made)


@formula(*aten("addr vdot ger"))
def outer_product(trace: Trace, op: Op) -> Work:
    """One product an element: of the outer product, or of the vectors whose inner product it is;
    addr adds as many."""
    n = prod(shape_of(trace, op)) if op.name == "aten.vdot" else outputs_of(trace, op)
    return multiply_adds(trace, op, n, n if op.name == "aten.addr" else 0)


@formula("aten._trilinear")
def trilinear(trace: Trace, op: Op) -> Work:
    """nn.Bilinear: x1 (n, i), weight (o, i, j), x2 (n, j), each with dimensions of one where
    `expand` says so. One product over all dimensions, n o i j, and one over all but the last,
    n o i; backward the same dimensions are in other places."""
    sizes: dict[int, int] = {}
    for k in range(3):
        shape, spread = list(shape_of(trace, op, k)), op.attrs.get(f"expand{k + 1}", ())
        for d in range(len(shape) + len(spread)):
            if d not in spread:
                sizes[d] = max(sizes.get(d, 1), shape.pop(0))
    whole = prod(sizes.values())
    macs = whole + whole // max(1, sizes[max(sizes)])
    return Work(macs, 2 * macs)


@formula("aten._grouped_mm")
def grouped_product(trace: Trace, op: Op) -> Work:
    """Each row of (n, k) by the (k, m) of its group (mixture of experts): n k m. Two 2-d inputs
    (k, n), (n, m) give k n m in all."""
    a, b = trace.shapes(op)[:2]
    stacked = len(a) == 3 or len(b) == 3
    macs = outputs_of(trace, op) * a[-1] if stacked else prod(a) * b[-1]
    return Work(macs, 2 * macs)


@formula("aten.mkldnn_linear")
def prepacked_linear(trace: Trace, op: Op) -> Work:
    """A linear layer whose weight oneDNN keeps in a layout of its own: (.., k) by (m, k), and one
    add an output element for a bias."""
    made = outputs_of(trace, op)
    return multiply_adds(trace, op, made * shape_of(trace, op)[-1], made * (len(op.inputs) > 2))


@formula("aten.affine_grid_generator")
def affine_grid(trace: Trace, op: Op) -> Work:
    """Each point of the grid, in homogeneous coordinates, by its image's matrix of two rows and
    three columns, or of three and four (Jaderberg et al. 2015, equation 1)."""
    macs = outputs_of(trace, op) * shape_of(trace, op)[-1]
    return Work(macs, 2 * macs)


@formula(*aten("_scaled_mm _scaled_mm_v2"))
def scaled_product(trace: Trace, op: Op) -> Work:
    """(n, k) @ (k, m) in 8-bit floats, then one product an element for the scale."""
    made = outputs_of(trace, op)
    macs = made * shape_of(trace, op)[-1]
    return Work(macs, 2 * macs + made)


@formula(*aten("linalg_solve_triangular triangular_solve"))
def triangular_solve(trace: Trace, op: Op) -> Work:
    """A (n, n) triangular and B (n, m): n^2 m / 2 products a batch (Golub and Van Loan, 3.1)."""
    a, b = trace.shapes(op)[:2]
    macs = prod(b) * a[-1] // 2
    return Work(macs, 2 * macs)


@formula(*aten("_cdist_forward _euclidean_dist _pdist_forward"))
def distance(trace: Trace, op: Op) -> Work:
    """(.., n, d) and (.., m, d), or the pairs of (n, d): subtract, power, add for each dimension of
    each distance."""
    return Work(flops=3 * outputs_of(trace, op) * shape_of(trace, op)[-1])
