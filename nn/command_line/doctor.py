"""What ``valuegrad doctor`` looks for: packages of the same names, and the optional packages with what each gives."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata

import autograd
import nn
from autograd import installation

#: File by which this project's package of a name is known.
_SIGNS = {"autograd": "primitives.py", "nn": "installation_check.py"}


def conflicts() -> list[str]:
    """Other distributions' packages called ``autograd`` or ``nn`` on the import path, one line each; none is well."""
    found = {}
    merged = installation.foreign_autograd()
    if merged is not None:
        found[os.path.realpath(merged)] = f"another distribution's autograd is in {merged}"
    for name, sign in _SIGNS.items():
        for place in _places_of(name):
            if not os.path.exists(os.path.join(place, sign)):
                found.setdefault(os.path.realpath(place), f"another distribution's {name} is in {place}")
    for distribution in metadata.distributions():
        called = distribution.metadata["Name"] or ""
        if called.lower() in _SIGNS:
            what = f"the distribution {called} {distribution.version} is installed, and its package has our name"
            found.setdefault(called, what)
    return list(found.values())


def report() -> tuple[str, bool]:
    """The report of ``valuegrad doctor``, and whether all is well."""
    found = conflicts()
    lines = [
        f"valuegrad {autograd.__version__}",
        f"Python    {platform.python_version()}  {sys.executable}",
        f"autograd  {os.path.dirname(os.path.abspath(autograd.__file__))}",
        f"nn        {os.path.dirname(os.path.abspath(nn.__file__))}",
        "",
        "optional packages:",
    ]
    for finding in installation.findings():
        gives = finding.gives
        if finding.version is None:
            gives += f"; to have it: pip install 'valuegrad[{finding.extra}]'"
        lines.append(f"  {finding.package:<12}{finding.version or 'missing':<12}{gives}")
    dot = shutil.which("dot")
    lines += [f"  {'dot':<12}{'found' if dot else 'missing':<12}pictures of graphs, in place of pygraphviz", ""]
    lines += [f"conflict: {line}" for line in found]
    if found:
        lines.append(
            "remedy: keep valuegrad in an environment of its own, or run: pip uninstall autograd nn, "
            "then pip install --force-reinstall valuegrad"
        )
    else:
        lines.append("no other package called autograd or nn: all is well")
    return "\n".join(lines), not found


def _places_of(name: str) -> Iterator[str]:
    """Every folder on the import path that is a package of that name, and every file that is a module of that name."""
    for entry in sys.path:
        folder = os.path.abspath(os.path.join(entry or os.curdir, name))
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            yield folder
        elif os.path.isfile(f"{folder}.py"):
            yield f"{folder}.py"
