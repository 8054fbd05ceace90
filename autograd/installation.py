"""What is installed: another distribution that also calls its package ``autograd``, and the optional packages."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

#: Files that the other package named ``autograd`` (HIPS autograd) has and this one never will.
_FOREIGN_FILES = ("tracer.py", "extend.py", "builtins.py")

#: Package → (extra that installs it, what it gives).
OPTIONAL = {
    "numpy": ("fast", "batches: evaluate(…, 'arrays')"),
    "llvmlite": ("fast", "machine code"),
    "pygraphviz": ("viz", "pictures of graphs as SVG, PNG and PDF without a system program"),
    "matplotlib": ("viz", "loss curves and decision regions"),
    "sympy": ("viz", "derivations as mathematics"),
    "hypothesis": ("testing", "strategies for property tests"),
    "mpmath": ("testing", "many-digit referee: evaluate(…, 'mpmath')"),
    "ipykernel": ("notebooks", "a kernel for the notebooks"),
    "nbclient": ("notebooks", "notebooks executed by the tests"),
    "tqdm": ("progress", "a progress bar while fitting"),
}


def here() -> str:
    """The folder of this package."""
    return os.path.dirname(os.path.abspath(__file__))


def foreign_autograd() -> str | None:
    """The folder of another distribution's ``autograd`` on the import path, or None.

    Its files may lie beside this package, or among this package's own files when both went into one environment.
    """
    for entry in sys.path:
        folder = os.path.join(entry or os.curdir, "autograd")
        if any(os.path.exists(os.path.join(folder, name)) for name in _FOREIGN_FILES):
            return os.path.abspath(folder)
    return None


def warning_about(folder: str) -> str:
    """What to tell a user whose environment holds both packages."""
    return (
        f"another distribution's package 'autograd' is installed in {folder}, beside valuegrad's in {here()}. "
        "Which one 'import autograd' finds depends on the import path. Keep valuegrad in an environment of its own, "
        "or run: pip uninstall autograd, then pip install --force-reinstall valuegrad"
    )


class Finding(NamedTuple):
    """One line of the report: a package, its version (None: missing), its extra, and what it gives."""

    package: str
    version: str | None
    extra: str
    gives: str


def findings() -> list[Finding]:
    """Every optional package, found or missing."""
    from importlib import metadata

    found = []
    for package, (extra, gives) in OPTIONAL.items():
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            version = None
        found.append(Finding(package, version, extra, gives))
    return found
