"""The check that ``autograd`` is valuegrad's, made before anything of ``nn`` uses it.

Another distribution (HIPS autograd, which lifelines, pymoo and pennylane require) installs a package of the same name.
Without this check its first sign would be a missing name somewhere inside ``nn``.
"""

from __future__ import annotations

import importlib.util
import os
import sys


def ours() -> str:
    """The folder in which valuegrad's ``autograd`` lies: beside ``nn``."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "autograd")


def _found() -> str | None:
    """The folder of the ``autograd`` that ``import autograd`` gives, or None."""
    module = sys.modules.get("autograd")
    spec = module.__spec__ if module is not None else importlib.util.find_spec("autograd")
    origin = getattr(module, "__file__", None) or (spec.origin if spec is not None else None)
    if origin is not None:
        return os.path.dirname(os.path.abspath(origin))
    folders = spec.submodule_search_locations if spec is not None else None
    return os.path.abspath(next(iter(folders))) if folders else None


def require_own_autograd() -> None:
    """Return if ``import autograd`` gives valuegrad's package.

    Raises:
        ImportError: it gives another one, or none; the message names both folders and the remedy.
    """
    found = _found()
    try:
        import autograd

        if getattr(autograd, "__distribution__", None) == "valuegrad":
            return
    except ImportError:
        # A foreign package may fail on its own needs (NumPy); ours has none, so its failure is told as it is.
        if found is not None and os.path.realpath(found) == os.path.realpath(ours()):
            raise
    what = f"'import autograd' finds another distribution's package in {found}" if found else "there is no 'autograd'"
    raise ImportError(
        f"nn needs valuegrad's own package autograd, which belongs in {ours()}, but {what}. Keep valuegrad in an "
        "environment of its own, or run: pip uninstall autograd, then pip install --force-reinstall valuegrad",
        name="autograd",
    )


require_own_autograd()
