"""A scalar reverse-mode autograd engine: a ``Value`` records what is done to it, ``backward()`` applies the chain rule."""

from autograd import installation as _installation
from autograd.custom import DeclarationError, primitive
from autograd.errors import DomainError, StaleGraphError
from autograd.evaluation import evaluate
from autograd.functions import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    ceil,
    clip,
    cos,
    cosh,
    div,
    dot,
    elu,
    erf,
    erfc,
    exp,
    expm1,
    floor,
    gelu,
    hypot,
    identity,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    log_sigmoid,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    mish,
    mul,
    neg,
    norm,
    pow,
    prod,
    reciprocal,
    relu,
    selu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    square,
    sub,
    sum,
    tan,
    tanh,
    variance,
    zero_grad,
)
from autograd.pictures.drawing import draw
from autograd.primitives import TABLE, Limit, Primitive, find
from autograd.program import Program
from autograd.transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.value import Condition, Value, detach, where

__version__ = "0.1.0"
#: Tells this package from others of the same name.
__distribution__ = "valuegrad"

_foreign = _installation.foreign_autograd()
if _foreign is not None:
    import warnings

    warnings.warn(_installation.warning_about(_foreign), stacklevel=2)
