"""Gradient and Hessian of an expression: by this engine, by PyTorch, by JAX.

A peer is imported when it is asked for, so that the tests need none. Each names the primitives that it has no like of,
with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

import autograd
from autograd import TABLE, Value, gradients
from tests.peers.drawing import INPUTS, OPERATIONS, STEPS, Expression, Operation

#: Of some expressions: gradients (n, 3) and Hessians (n, 3, 3).
Derivatives = tuple[np.ndarray, np.ndarray]


class Engine(Protocol):
    """What is compared."""

    name: str
    #: Primitive → why it is left out.
    LACKS: ClassVar[dict[str, str]]

    def derivatives(self, expressions: Sequence[Expression]) -> Derivatives:
        """The gradients and Hessians of all expressions."""


class Ours:
    """valuegrad: the gradient from ``backward()``, the Hessian from the gradient of the gradient."""

    name = "valuegrad"
    LACKS: ClassVar[dict[str, str]] = {}

    def derivatives(self, expressions: Sequence[Expression]) -> Derivatives:
        """The gradients and Hessians of all expressions."""
        first = np.zeros((len(expressions), INPUTS))
        second = np.zeros((len(expressions), INPUTS, INPUTS))
        for n, expression in enumerate(expressions):
            leaves = [Value(x) for x in expression.inputs]
            output = expression.evaluate(_public, leaves)[-1]
            slopes = gradients(output, leaves)
            for i, slope in enumerate(slopes):
                second[n, i] = [entry.data for entry in gradients(slope, leaves)]
            output.backward()
            first[n] = [leaf.grad for leaf in leaves]
        return first, second


def _public(operation: Operation, operands: list[Any]) -> Any:
    if operation.name == "where":
        return autograd.where(operands[0] > 0, *operands[1:])
    function = getattr(autograd, operation.name)
    if operation.name == "dot":
        return function(operands[:2], operands[2:])
    return function(operands) if TABLE[operation.name].n_ary else function(*operands, *operation.constants)


class Torch:
    """PyTorch on scalars in double precision, eagerly."""

    name = "PyTorch"
    LACKS: ClassVar[dict[str, str]] = {"cbrt": "PyTorch has no cube root, and its power refuses negative numbers"}

    def __init__(self) -> None:
        import torch
        import torch.nn.functional as F

        torch.set_num_threads(1)
        self._torch = torch
        self.version = torch.__version__
        log = torch.log
        own: dict[str, Callable[..., Any]] = {
            "reciprocal": torch.reciprocal,
            "gelu": F.gelu,
            "silu": F.silu,
            "mish": F.mish,
            "elu": lambda x, alpha: F.elu(x, alpha),
            "leaky_relu": lambda x, slope: F.leaky_relu(x, slope),
            "selu": lambda x, scale, alpha: F.selu(x),
            # Beyond its threshold it takes x for log(1 + eˣ); no number drawn is as large as this one.
            "softplus": lambda x: F.softplus(x, threshold=1e4) if x < 500 else x + torch.log1p(torch.exp(-x)),
            "log_sigmoid": F.logsigmoid,
            "clip": lambda x, low, high: torch.clamp(x, low, high),
            "where": lambda c, x, y: torch.where(c > 0, x, y),
            "sum": lambda *xs: torch.stack(xs).sum(),
            "prod": lambda *xs: torch.stack(xs).prod(),
            "mean": lambda *xs: torch.stack(xs).mean(),
            "logsumexp": lambda *xs: torch.logsumexp(torch.stack(xs), 0),
            "dot": lambda a, b, c, d: torch.dot(torch.stack((a, b)), torch.stack((c, d))),
            "identity": lambda x: x * 1,
            "detach": lambda x: x.detach(),
            "log": log,
            "mod": torch.remainder,
            "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"),
            # Its own is of π·x, and rounds that product.
            "sinc": lambda x: torch.where(x == 0, 1.0 + 0 * x, torch.sin(x) / torch.where(x == 0, 1.0, x)),
            "softsign": F.softsign,
            "rint": torch.round,
            "sech2": lambda x: 4 * torch.sigmoid(2 * x) * torch.sigmoid(-2 * x),
            "share": lambda x, y: x / (x + y),
        }
        self._functions = {
            operation.name: own.get(operation.name) or getattr(torch, operation.name)
            for operation in OPERATIONS
            if operation.name not in self.LACKS
        }

    def _apply(self, operation: Operation, operands: list[Any]) -> Any:
        return self._functions[operation.name](*operands, *operation.constants)

    def derivatives(self, expressions: Sequence[Expression]) -> Derivatives:
        """The gradients and Hessians of all expressions."""
        torch = self._torch
        first = np.zeros((len(expressions), INPUTS))
        second = np.zeros((len(expressions), INPUTS, INPUTS))
        for n, expression in enumerate(expressions):
            leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in expression.inputs]
            output = expression.evaluate(self._apply, leaves)[-1]
            if not output.requires_grad:
                continue
            slopes = torch.autograd.grad(output, leaves, create_graph=True, allow_unused=True)
            for i, slope in enumerate(slopes):
                if slope is None:
                    continue
                first[n, i] = slope.item()
                if slope.requires_grad:
                    row = torch.autograd.grad(slope, leaves, retain_graph=True, allow_unused=True)
                    second[n, i] = [0.0 if entry is None else entry.item() for entry in row]
        return first, second


class Jax:
    """JAX in double precision: one compiled interpreter, which takes an expression as numbers.

    Compiling 100,000 expressions would take days. So the steps are the data of a ``scan`` whose body switches between
    all primitives; JAX differentiates through that, and compiles it once.
    """

    name = "JAX"
    LACKS: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self._jax = jax
        self.version = jax.__version__
        own = self._functions()
        self._opcodes = {operation.name: i for i, operation in enumerate(OPERATIONS)}
        branches = [
            self._branch(operation, own.get(operation.name) or getattr(jnp, operation.name)) for operation in OPERATIONS
        ]
        both = self._interpreter(branches)
        self._all = jax.jit(lambda expressions: jax.lax.map(both, expressions))

    def _functions(self) -> dict[str, Callable[..., Any]]:
        """The primitives that ``jax.numpy`` has under another name, in another form or not at all."""
        jax, jnp = self._jax, self._jax.numpy
        nn, special = jax.nn, jax.scipy.special
        return {
            "add": jnp.add,
            "sub": jnp.subtract,
            "mul": jnp.multiply,
            "div": jnp.divide,
            "neg": jnp.negative,
            "pow": jnp.power,
            "asin": jnp.arcsin,
            "acos": jnp.arccos,
            "atan": jnp.arctan,
            "atan2": jnp.arctan2,
            "asinh": jnp.arcsinh,
            "acosh": jnp.arccosh,
            "atanh": jnp.arctanh,
            "erf": special.erf,
            "erfc": special.erfc,
            "relu": nn.relu,
            "leaky_relu": nn.leaky_relu,
            "elu": nn.elu,
            "selu": lambda x, scale, alpha: nn.selu(x),
            "gelu": lambda x: nn.gelu(x, approximate=False),
            "silu": nn.silu,
            "mish": nn.mish,
            "softplus": nn.softplus,
            "sigmoid": nn.sigmoid,
            "log_sigmoid": nn.log_sigmoid,
            "where": lambda c, x, y: jnp.where(c > 0, x, y),
            "sum": lambda *xs: jnp.sum(jnp.stack(xs)),
            "prod": lambda *xs: jnp.prod(jnp.stack(xs)),
            "mean": lambda *xs: jnp.mean(jnp.stack(xs)),
            "logsumexp": lambda *xs: special.logsumexp(jnp.stack(xs)),
            "dot": lambda a, b, c, d: jnp.dot(jnp.stack((a, b)), jnp.stack((c, d))),
            "identity": lambda x: x,
            "detach": jax.lax.stop_gradient,
            "logit": special.logit,
            "xlogy": special.xlogy,
            "sinc": lambda x: jnp.where(x == 0, 1.0, jnp.sin(x) / jnp.where(x == 0, 1.0, x)),
            "softsign": nn.soft_sign,
            "sech2": lambda x: 4 * nn.sigmoid(2 * x) * nn.sigmoid(-2 * x),
            "share": lambda x, y: x / (x + y),
        }

    def _interpreter(self, branches: list[Callable[..., Any]]) -> Callable[..., Any]:
        """The gradient and the Hessian of an expression that is given as inputs, opcodes and slots."""
        jax, jnp = self._jax, self._jax.numpy

        def step(numbers: Any, instruction: Any) -> Any:
            opcode, slots, place = instruction
            operands = tuple(numbers[slots[i]] for i in range(4))
            return numbers.at[place].set(jax.lax.switch(opcode, branches, operands)), None

        def output(inputs: Any, opcodes: Any, slots: Any) -> Any:
            numbers = jnp.concatenate([inputs, jnp.zeros(STEPS)])
            places = jnp.arange(INPUTS, INPUTS + STEPS)
            numbers, _ = jax.lax.scan(step, numbers, (opcodes, slots, places))
            return numbers[-1]

        def both(expression: Any) -> Any:
            return jax.grad(output)(*expression), jax.jacfwd(jax.grad(output))(*expression)

        return both

    def _branch(self, operation: Operation, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda operands: function(*operands[: operation.size], *operation.constants)

    def derivatives(self, expressions: Sequence[Expression]) -> Derivatives:
        """The gradients and Hessians of all expressions."""
        n = len(expressions)
        inputs = np.array([expression.inputs for expression in expressions])
        opcodes = np.array([[self._opcodes[o.name] for o, _ in e.steps] for e in expressions], dtype=np.int32)
        slots = np.zeros((n, STEPS, 4), dtype=np.int32)
        for i, expression in enumerate(expressions):
            for j, (_, used) in enumerate(expression.steps):
                slots[i, j, : len(used)] = used
        first, second = self._all((inputs, opcodes, slots))
        return np.asarray(first), np.asarray(second)
