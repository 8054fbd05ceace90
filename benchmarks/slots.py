"""A peer: one object a number with four slots, a tuple of operands and one of local derivatives, as short public
engines have them (microgpt's is one): no closures, a recursive walk, a loop over pairs."""

from __future__ import annotations

import math
from typing import Any


class Value:
    """A number, its gradient, its operands, and the derivative by each."""

    __slots__ = ("data", "grad", "operands", "slopes")

    def __init__(self, data: float, operands: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.slopes = slopes

    def __add__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> Value:
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def __neg__(self) -> Value:
        return self * -1

    def __sub__(self, other: Any) -> Value:
        return self + -other

    def __truediv__(self, other: Any) -> Value:
        return self * other**-1

    def __radd__(self, other: Any) -> Value:
        return self + other

    def __rmul__(self, other: Any) -> Value:
        return self * other

    def exp(self) -> Value:
        """e to the number."""
        power = math.exp(self.data)
        return Value(power, (self,), (power,))

    def log(self) -> Value:
        """The natural logarithm."""
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self) -> Value:
        """The number, or 0 below it."""
        return Value(max(0, self.data), (self,), (float(self.data > 0),))

    def backward(self) -> None:
        """Add the derivatives of this number to the gradients of all it was made of."""
        order: list[Value] = []
        entered: set[Value] = set()

        def enter(node: Value) -> None:
            if node not in entered:
                entered.add(node)
                for operand in node.operands:
                    enter(operand)
                order.append(node)

        enter(self)
        self.grad = 1.0
        for node in reversed(order):
            for operand, slope in zip(node.operands, node.slopes, strict=True):
                operand.grad += slope * node.grad
