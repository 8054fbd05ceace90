"""The public function of each primitive, but for those that ``functions`` has by hand."""

# Written from the table by ``make tables``: not to be changed by hand.

from __future__ import annotations

from typing import Any

from autograd.documented import Binary, Unary, binary, documented, unary
from autograd.eager.operands import fixed
from autograd.value import MAKERS

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "div",
    "elu",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "exp_difference",
    "expm1",
    "floor",
    "floor_divide",
    "gelu",
    "hypot",
    "identity",
    "leaky_relu",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "logit",
    "maximum",
    "minimum",
    "mish",
    "mod",
    "mul",
    "neg",
    "pow",
    "reciprocal",
    "relu",
    "rint",
    "sech2",
    "selu",
    "share",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "sub",
    "tan",
    "tanh",
    "xlogy",
]

add: Binary = binary("add")
sub: Binary = binary("sub")
mul: Binary = binary("mul")
div: Binary = binary("div")
neg: Unary = unary("neg")
pow: Binary = binary("pow")
mod: Binary = binary("mod")
floor_divide: Binary = binary("floor_divide")
exp: Unary = unary("exp")
exp2: Unary = unary("exp2")
exp_difference: Binary = binary("exp_difference")
expm1: Unary = unary("expm1")
log: Unary = unary("log")
log1p: Unary = unary("log1p")
log2: Unary = unary("log2")
log10: Unary = unary("log10")
logit: Unary = unary("logit")
xlogy: Binary = binary("xlogy")
share: Binary = binary("share")
sqrt: Unary = unary("sqrt")
cbrt: Unary = unary("cbrt")
square: Unary = unary("square")
reciprocal: Unary = unary("reciprocal")
sin: Unary = unary("sin")
cos: Unary = unary("cos")
tan: Unary = unary("tan")
asin: Unary = unary("asin")
acos: Unary = unary("acos")
atan: Unary = unary("atan")
atan2: Binary = binary("atan2")
sinc: Unary = unary("sinc")
sinh: Unary = unary("sinh")
cosh: Unary = unary("cosh")
tanh: Unary = unary("tanh")
sech2: Unary = unary("sech2")
asinh: Unary = unary("asinh")
acosh: Unary = unary("acosh")
atanh: Unary = unary("atanh")
erf: Unary = unary("erf")
erfc: Unary = unary("erfc")
hypot: Binary = binary("hypot")
abs: Unary = unary("abs")
sign: Unary = unary("sign")
maximum: Binary = binary("maximum")
minimum: Binary = binary("minimum")
floor: Unary = unary("floor")
ceil: Unary = unary("ceil")
rint: Unary = unary("rint")
relu: Unary = unary("relu")
gelu: Unary = unary("gelu")
softsign: Unary = unary("softsign")
silu: Unary = unary("silu")
mish: Unary = unary("mish")
softplus: Unary = unary("softplus")
sigmoid: Unary = unary("sigmoid")
log_sigmoid: Unary = unary("log_sigmoid")
identity: Unary = unary("identity")


@documented("clip")
def clip(x: Any, low: float, high: float) -> Any:
    return MAKERS["clip"](x, fixed("clip", "low", low), fixed("clip", "high", high))


@documented("leaky_relu")
def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    return MAKERS["leaky_relu"](x, fixed("leaky_relu", "slope", slope))


@documented("elu")
def elu(x: Any, alpha: float = 1.0) -> Any:
    return MAKERS["elu"](x, fixed("elu", "alpha", alpha))


@documented("selu")
def selu(x: Any, scale: float = 1.0507009873554805, alpha: float = 1.6732632423543772) -> Any:
    return MAKERS["selu"](x, fixed("selu", "scale", scale), fixed("selu", "alpha", alpha))
