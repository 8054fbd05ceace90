"""``compile`` and ``objective``: the doors to recorded functions. NumPy is imported behind them, not before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from autograd.locks import importing
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.compiled.descent import Descent, Rule
    from autograd.compiled.function import Compiled
    from autograd.compiled.objective import Objective


def compile(
    f: Callable[..., Any],
    *,
    params: Iterable[Any] | None = None,
    wrt: int | Sequence[int] | None = None,
    reduce: str | None = "mean",
    dtype: Any = "float64",
    backend: str = "auto",
    threads: int = 1,
    expected_samples: int | None = None,
    fast: bool = False,
) -> Compiled:
    """The function, recorded at its first call and replayed from then on over whole batches, with its gradient.

    >>> import numpy as np
    >>> from autograd import Value, tanh
    >>> w = Value(0.5)
    >>> step = compile(lambda x, y: (tanh(w * x) - y) ** 2, params=[w])
    >>> value, grads = step.value_and_grad(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 1.0]))
    >>> round(value, 6), grads.round(6)
    (0.093129, array([0.074508]))

    An array ``(N,)`` is one Value per sample, ``(N, k)`` a list of k; a number is the same for all samples; lists and
    dicts nest. Leaves that the function captures, such as a model's parameters, are read anew whenever they were
    written. Every comparison that Python asked for while recording is a guard: a replay that would go another way
    records again where all samples agree, and raises where they do not. In a branch of ``where`` the samples that take
    this branch are all. Where plain calls raise DomainError or OverflowError, a compiled one goes on with what IEEE
    arithmetic has there, nan or an infinity, and what comes after may hide it: ``1.0 ** log(-0.5)`` is 1.0,
    ``exp(log(0.0))`` and ``relu(log(0.0))`` are 0.0, and the slope of the last is 0.0 too.

    A plain number that the function captures, ``k = 2.0`` outside of it, is part of the recording and stays as it was
    then; a Value, or an argument, is what may change. The arrays of the last call stay alive until the next one, which
    is faster if it gets them again.

    Args:
        params: the leaves to differentiate by; all that the function captured unless told, or none with ``wrt``. Lists,
            tuples and dicts of them nest, and the gradient has their shape.
        wrt: a position of an argument, or several, to differentiate by.
        reduce: what becomes of the samples of ``value_and_grad``: their "mean", their "sum", or ``None``: each alone.
        dtype: of the arrays that come back, "float64" or "float32"; computed is in double precision.
        backend: "numpy", "interpreter", "machine", or "auto"; ``VALUEGRAD_WIDTH=4`` or ``8`` sets a register's numbers.
        threads: how many share a batch in native code; NumPy's back end takes one. Results do not depend on it.
        expected_samples: over all calls to come; for few, "auto" does without compiling.
        fast: allow native code to round products and sums once together, and NumPy's back end to take the neurons of a
            layer as one matrix product, whose sums have an order of their own; so results differ from the eager ones in
            their last digits. Without it they are the same for + - * / and sqrt and what is made of them.

    Raises:
        ModuleNotFoundError: NumPy is not installed.
        RecordingError: at the first call: the function reads a number while it is recorded (``.data``, ``.grad``, a
            text, a pickle), itself or in a thread; or it catches the error of a number outside of a domain, or of a
            slope that does not exist.
    """
    with importing():
        _require_numpy("compile")
        from autograd.compiled.backends.choice import Options
        from autograd.compiled.function import Compiled

    options = Options(backend, threads, expected_samples, fast)
    return Compiled(f, params=params, wrt=wrt, reduce=reduce, dtype=dtype, options=options)


def objective(f: Callable[..., Any], n: int | None = None, *, backend: str = "auto", sparse: bool = False) -> Objective:
    """A function of one vector as solvers want it: ``ndarray -> (value, gradient)``.

    >>> fun = objective(lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, n=2)
    >>> fun([0.0, 0.0])
    (1.0, array([-2.,  0.]))
    >>> fun.hessian([1.0, 1.0])
    array([[ 802., -400.],
           [-400.,  200.]])

    ``scipy.optimize.minimize(fun, x0, jac=True)`` takes it as it is; ``fun.value`` and ``fun.jacobian`` are what
    ``least_squares`` wants of a function that returns a list of residuals, ``fun.hvp`` is a ``hessp``.

    With ``sparse`` Jacobian and Hessian are found by a few products, in which all columns that have no row in common
    take part at once:

    >>> fun = objective(lambda x: sum((x[i] - x[i + 1]) ** 2 for i in range(999)), n=1000, sparse=True)
    >>> fun.hessian([0.0] * 1000).nnz
    2998

    Args:
        f: takes a list of n Values.
        n: the length of the vector; that of the first one unless told.
        sparse: ``jacobian`` and ``hessian`` return ``scipy.sparse.csr_array`` of all that can be other than zero.

    Raises:
        ModuleNotFoundError: NumPy is not installed, or SciPy is not, where sparse arrays are to come out.
    """
    with importing():
        _require_numpy("objective")
        from autograd.compiled.objective import Objective

    return Objective(f, n, backend=backend, sparse=sparse)


def descent(
    f: Callable[..., Any],
    params: Sequence[Value],
    rule: Rule,
    *,
    moved: Sequence[Value] | None = None,
    penalty: Callable[[], Any] | None = None,
    penalty_may_change: bool = False,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    backend: str = "auto",
    threads: int = 1,
    expected_samples: int | None = None,
) -> Descent:
    """Leaves moved over batches of samples by the rule of an optimizer, their numbers in arrays from step to step.

    It is what ``nn.fit`` and ``nn.compiled_step`` run on; the samples' function is recorded as by ``compile``.

    >>> import numpy as np
    >>> from autograd import Value
    >>> w = Value(0.0)
    >>> down = descent(lambda x, y: (w * x - y) ** 2, [w], lambda m, p, g, state, rate, step, s: (p - rate * g, ()))
    >>> ran = down.run(down.batches(np.ones(4), np.ones(4)), 2, rate=0.25)
    >>> down.write()
    >>> ran.steps, w.data
    (2, 0.75)

    Args:
        f: of a sample and its target, one Value.
        params: all leaves that gradients are taken of.
        rule: ``(m, p, g, state, rate, step, settings) -> (p, state)``, over any number system ``m``.
        moved: those that the rule moves; all unless told.
        penalty: a function of the leaves, added to each step's mean; it is recorded too.
        penalty_may_change: call it at each step until it computed the same twice, and once more after ``ask_again()``.
        clip_value, clip_norm: the largest magnitude of a gradient, and the largest norm of all together.
        backend, threads, expected_samples: as for ``compile``.

    Raises:
        ModuleNotFoundError: NumPy is not installed.
    """
    with importing():
        _require_numpy("descent")
        from autograd.compiled.backends.choice import Options
        from autograd.compiled.descent import Descent

    return Descent(
        f, params, rule, moved=moved, penalty=penalty, penalty_may_change=penalty_may_change, clip_value=clip_value,
        clip_norm=clip_norm,
        options=Options(backend, threads, expected_samples),
    )  # fmt: skip


def _require_numpy(name: str) -> None:
    from importlib.util import find_spec

    try:
        found = find_spec("numpy") is not None
    except ValueError:  # what stands for it in sys.modules has no spec
        found = False
    if not found:
        raise ModuleNotFoundError(f"{name} needs NumPy: pip install 'valuegrad[fast]'", name="numpy")
