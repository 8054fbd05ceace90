"""Activations: by name every primitive of the engine that is a function of one number, or functions of one's own."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import autograd
from nn.checks import listed
from nn.module import Module

NameOrFunction = str | Callable[[Any], Any]

#: What stands for no activation at all.
LINEAR = ("linear", "identity")


def _takes_one_number(row: autograd.Primitive) -> bool:
    """Whether a row has one argument with a derivative, and defaults for the rest."""
    if row.n_ary or row.compares or row.constants[:1] == row.arguments[:1] or row.name in LINEAR:
        return False
    return row.arity - len(row.constants) == 1 and len(row.defaults) == len(row.constants)


#: The names of all activations; an alias of one (arctan for atan) is accepted too.
ACTIVATIONS = ("linear", *(name for name, row in autograd.TABLE.items() if _takes_one_number(row)))


class Activation(Module):
    """f, applied to every number of a list, or to one number: the second half of a layer, or a layer of its own.

    >>> Activation("relu")([-1.0, 2.0]), Activation("arctan").name
    ([0.0, 2.0], 'atan')

    Args:
        function: a name (see ``nn.ACTIVATIONS``), "linear" for none, or a function of one Value; ``name`` and
            ``function`` (None for "linear") keep what it is.

    Raises:
        ValueError: no activation has this name.
    """

    def __init__(self, function: NameOrFunction) -> None:
        self.name, self.function = activation_name(function), resolve(function)

    def __call__(self, x: Any) -> Any:
        f, many = self.function, hasattr(x, "__len__")
        if f is None:
            return listed(x) if many and not isinstance(x, list) else x
        return [f(z) for z in listed(x)] if many else f(x)

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"


def resolve(activation: NameOrFunction) -> Callable[[Any], Any] | None:
    """The function of an activation, None for "linear".

    >>> resolve("arctan") is autograd.atan, resolve("linear")
    (True, None)

    Raises:
        ValueError: no activation has this name; near names are given.
        TypeError: neither a name nor a function.
    """
    if callable(activation):
        return None if activation is autograd.identity else activation
    name = _canonical(activation)
    return None if name == "linear" else getattr(autograd, name)


def activation_name(activation: NameOrFunction) -> str:
    """The name an activation is known by; of a function that is not the engine's, its own name.

    >>> activation_name("swish"), activation_name(autograd.tanh)
    ('silu', 'tanh')
    """
    if not callable(activation):
        return _canonical(activation)
    name = getattr(activation, "__name__", type(activation).__name__)
    return "linear" if activation is autograd.identity else name


def _canonical(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"an activation is a name such as 'tanh', or a function; not {name!r:.200}")
    if name in LINEAR:
        return "linear"
    try:
        found = autograd.find(name).name
    except KeyError:
        found = ""
    if found in ACTIVATIONS:
        return found
    known = [*ACTIVATIONS, *(alias for known in ACTIVATIONS[1:] for alias in autograd.TABLE[known].aliases)]
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(ACTIVATIONS)}"
    raise ValueError(f"no activation is called {name!r:.80}; {hint}")
