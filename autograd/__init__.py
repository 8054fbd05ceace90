"""A scalar reverse-mode autograd engine: Values record what is done to them, ``backward()`` applies the chain rule."""

import warnings as _warnings

from autograd import installation as _installation
from autograd.checking.checks import assert_grads, check_grads, check_graph
from autograd.checking.nonfinite import find_nonfinite
from autograd.checking.report import GradientMismatch, Report
from autograd.checking.rounding_bound import rounding_error
from autograd.compiled.api import descent, objective
from autograd.custom import DeclarationError, node, primitive
from autograd.eager.garbage import collector_at_rest
from autograd.eager.record_lines import record_lines
from autograd.errors import DomainError, GuardError, NonFiniteError, RecordingError, StaleGraphError
from autograd.evaluation import evaluate
from autograd.functions import (
    dot,
    linear,
    log_softmax,
    logsumexp,
    mean,
    norm,
    prod,
    softmax,
    take,
    variance,
    zero_grad,
)
from autograd.loops.scan import scan
from autograd.number_systems import system_of as number_system
from autograd.pictures.drawing.draw import draw
from autograd.pictures.mathematics.api import derive, explain, verify_formula
from autograd.pictures.page.stepping import step_through
from autograd.primitive_functions import (
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
    elu,
    erf,
    erfc,
    exp,
    exp2,
    exp_difference,
    expm1,
    floor,
    floor_divide,
    gelu,
    hypot,
    identity,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    log_sigmoid,
    logit,
    maximum,
    minimum,
    mish,
    mod,
    mul,
    neg,
    reciprocal,
    relu,
    rint,
    sech2,
    selu,
    share,
    sigmoid,
    sign,
    silu,
    sin,
    sinc,
    sinh,
    softplus,
    softsign,
    sqrt,
    square,
    sub,
    tan,
    tanh,
    xlogy,
)
from autograd.primitives import TABLE, Limit, Primitive, find
from autograd.program import Program
from autograd.provenance.lines import line_of
from autograd.transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.value import Condition, Value, detach, where

# isort: split
# Python has functions of these names: they are public, and ``from autograd import *`` leaves Python's alone.
from autograd.compiled.api import compile as compile
from autograd.functions import sum as sum
from autograd.loops.scan import map as map
from autograd.primitive_functions import abs as abs
from autograd.primitive_functions import pow as pow

__all__ = [
    "TABLE",
    "Condition",
    "DeclarationError",
    "DomainError",
    "GradientMismatch",
    "GuardError",
    "Limit",
    "NonFiniteError",
    "Primitive",
    "Program",
    "RecordingError",
    "Report",
    "StaleGraphError",
    "Value",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "assert_grads",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "check_grads",
    "check_graph",
    "clip",
    "collector_at_rest",
    "cos",
    "cosh",
    "derive",
    "descent",
    "detach",
    "div",
    "dot",
    "draw",
    "elu",
    "erf",
    "erfc",
    "evaluate",
    "exp",
    "exp2",
    "exp_difference",
    "explain",
    "expm1",
    "find",
    "find_nonfinite",
    "floor",
    "floor_divide",
    "gelu",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "hypot",
    "identity",
    "jacobian",
    "jvp",
    "leaky_relu",
    "line_of",
    "linear",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "log_softmax",
    "logit",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "mish",
    "mod",
    "mul",
    "neg",
    "node",
    "norm",
    "number_system",
    "objective",
    "primitive",
    "prod",
    "reciprocal",
    "record_lines",
    "relu",
    "rint",
    "rounding_error",
    "scan",
    "sech2",
    "selu",
    "share",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "softmax",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "step_through",
    "sub",
    "take",
    "tan",
    "tanh",
    "value_and_grad",
    "variance",
    "verify_formula",
    "vjp",
    "where",
    "xlogy",
    "zero_grad",
]

__version__ = "0.1.0"
#: Tells this package from others of the same name.
__distribution__ = "valuegrad"

_foreign = _installation.foreign_autograd()
if _foreign is not None:
    _warnings.warn(_installation.warning_about(_foreign), stacklevel=2)
