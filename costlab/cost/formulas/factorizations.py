"""Factorizations of matrices, and what is worked out by one.

Leading terms, for each matrix of the batch. Products and additions come in pairs, so half of the
FLOPs that are published are MACs. Sources: LAPACK Working Note 41, Appendix C; Golub and Van Loan,
"Matrix Computations", 4th edition. `linalg_matrix_exp` has no formula: its products depend on the
norm of the matrix.
"""

from __future__ import annotations

from math import prod

from ...trace.record import Op, Trace
from ..registry import Work, aten, formula, multiply_adds, shape_of


def _sides(trace: Trace, op: Op) -> tuple[int, int, int]:
    """How many matrices there are, and the longer and the shorter side of each."""
    *batch, m, n = shape_of(trace, op)
    return prod(batch), max(m, n), min(m, n)


def _right_sides(trace: Trace, op: Op, k: int, n: int) -> int:
    """Columns of the right-hand sides of all systems of n equations, in the k-th input."""
    return prod(shape_of(trace, op, k)) // max(1, n)


def _used(trace: Trace, index: int) -> bool:
    """Whether anything reads a tensor. While it is recorded, torch asks for vectors that the code
    does not want."""
    return index in trace.outputs or any(index in op.inputs for op in trace.ops)


@formula(*aten("linalg_lu_factor_ex linalg_lu _linalg_det _linalg_slogdet"))
def lu(trace: Trace, op: Op) -> Work:
    """k^2 (3 l - k) / 6 for sides l >= k (getrf); n^3 / 3 for a square matrix."""
    count, long, short = _sides(trace, op)
    return multiply_adds(trace, op, count * short**2 * (3 * long - short) // 6)


@formula(*aten("linalg_cholesky_ex cholesky linalg_ldl_factor_ex"))
def cholesky(trace: Trace, op: Op) -> Work:
    """n^3 / 6 (potrf)."""
    count, n, _ = _sides(trace, op)
    return multiply_adds(trace, op, count * n**3 // 6)


@formula(*aten("linalg_inv_ex"))
def inverse(trace: Trace, op: Op) -> Work:
    """n^3: an LU factorization and two thirds (getri)."""
    count, n, _ = _sides(trace, op)
    return multiply_adds(trace, op, count * n**3)


@formula("aten._linalg_solve_ex")
def solve(trace: Trace, op: Op) -> Work:
    """An LU factorization, n^3 / 3, and n^2 a right-hand side (gesv)."""
    count, n, _ = _sides(trace, op)
    macs = count * n**3 // 3 + n**2 * _right_sides(trace, op, 1, n)
    return multiply_adds(trace, op, macs)


@formula(*aten("cholesky_solve linalg_lu_solve"))
def solve_factorized(trace: Trace, op: Op) -> Work:
    """n^2 a right-hand side, of a matrix that is factorized (potrs, getrs)."""
    of_factors, of_sides = (1, 0) if op.name == "aten.cholesky_solve" else (0, 2)
    n = shape_of(trace, op, of_factors)[-1]
    return multiply_adds(trace, op, n**2 * _right_sides(trace, op, of_sides, n))


@formula("aten.linalg_qr")
def qr(trace: Trace, op: Op) -> Work:
    """k^2 (3 l - k) / 3 for sides l >= k (geqrf). As much again for k columns of Q, and
    2 m^2 k - 2 m k^2 + 2 k^3 / 3 for all m (orgqr)."""
    count, long, short = _sides(trace, op)
    m, mode = shape_of(trace, op)[-2], op.attrs.get("mode", "reduced")
    factorized = short**2 * (3 * long - short)
    columns = {
        "r": 0,
        "reduced": short**2 * (3 * m - short),
        "complete": 6 * m**2 * short - 6 * m * short**2 + 2 * short**3,
    }
    return multiply_adds(trace, op, count * (factorized + columns[mode]) // 3)


@formula("aten._linalg_eigh")
def symmetric_eigenvalues(trace: Trace, op: Op) -> Work:
    """2 n^3 / 3 for the values (Golub and Van Loan, section 8.3), 9 n^3 / 2 with the vectors; an
    estimate, because it iterates."""
    count, n, _ = _sides(trace, op)
    macs = 9 * n**3 // 2 if _used(trace, op.outputs[1]) else 2 * n**3 // 3
    return multiply_adds(trace, op, count * macs)


@formula("aten._linalg_svd")
def singular_values(trace: Trace, op: Op) -> Work:
    """2 l k^2 - 2 k^3 / 3 for the values, 7 l k^2 + 4 k^3 with the vectors (Golub and Van Loan,
    figure 8.6.1); an estimate, because it iterates."""
    count, long, short = _sides(trace, op)
    values = 2 * long * short**2 - 2 * short**3 // 3
    vectors = 7 * long * short**2 + 4 * short**3
    wanted = any(_used(trace, i) for i in (op.outputs[0], op.outputs[2]))
    return multiply_adds(trace, op, count * (vectors if wanted else values))


@formula("aten._linalg_check_errors")
def check(trace: Trace, op: Op) -> Work:
    """No arithmetic: whether a factorization failed."""
    return Work()
