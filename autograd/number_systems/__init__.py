"""Number systems: namespaces that hold one function per primitive, under the primitive's name.

Each is a module with ``NAME``, the functions, ``number(x)`` (what a plain number becomes), ``plain(x)`` (back), ``pi``,
``computing(digits)`` (a context to compute in), ``LANES`` (True where one number stands for many samples), ``LACKS``
(primitives it cannot have, with the reason), where numbers may be formulas ``is_formula(*xs)``, and where rules of the
table do not do ``PARTIALS``, those that take their place. A function of any number of arguments takes one list. For
what is made of other primitives a system needs no function: ``formulas`` adds the row's formula.
"""

from __future__ import annotations

import importlib
from types import ModuleType

#: The name a user writes, and the module that holds the system.
SYSTEMS = {
    "floats": "autograd.number_systems.floats",
    "values": "autograd.value_system",
    "arrays": "autograd.number_systems.arrays",
    "complex": "autograd.number_systems.complex_",
    "fractions": "autograd.number_systems.fractions_",
    "intervals": "autograd.number_systems.intervals",
    "mpmath": "autograd.number_systems.mpmath_",
    "sympy": "autograd.number_systems.sympy_",
}


def system_of(name: str | ModuleType) -> ModuleType:
    """The number system of that name; a module that is one is returned as it is.

    >>> system_of("floats").sigmoid(0.0)
    0.5

    Raises:
        ValueError: no system has that name.
        ModuleNotFoundError: the system needs a package that is not installed; the message names the extra.
    """
    if isinstance(name, ModuleType):
        return name
    if name not in SYSTEMS:
        raise ValueError(f"no number system is called {name!r:.200}; there are {', '.join(SYSTEMS)}")
    return importlib.import_module(SYSTEMS[name])
