"""A JupyterLab of the tests' own, which reads nobody's settings and listens on this machine alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

ROOT = Path(__file__).parents[1]


def data_folder(folder: Path) -> Path:
    """Where a JupyterLab for this folder keeps what it knows, such as which notebooks are trusted."""
    return folder / ".jupyter" / "DATA"


def settings_folder(folder: Path) -> Path:
    """Where its user's settings are."""
    return folder / ".jupyter" / "CONFIG" / "lab" / "user-settings" / "@jupyterlab"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a JupyterLab for a folder; `{address}lab/tree/{file}?token=t` opens a file."""
    own = folder / ".jupyter"
    settings = {
        **os.environ,
        **{f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")},
        "IPYTHONDIR": str(own / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
    command += [f"--ServerApp.root_dir={folder}", "--ServerApp.token=t", "--LabApp.news_url=None"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=settings, cwd=folder)
    try:
        yield _listening(server)
    finally:
        server.terminate()
        server.wait(30)
        assert server.stderr is not None
        server.stderr.close()


def _listening(server: subprocess.Popen[str]) -> str:
    """The address that the server logs once it listens."""
    lines: Queue[str] = Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in server.stderr or ()], daemon=True).start()
    seen = []
    try:
        while True:
            seen.append(lines.get(timeout=60))
            found = re.search(r"(http://127\.0\.0\.1:\d+/)lab\?token", seen[-1])
            if found:
                return found.group(1)
    except Empty:
        raise AssertionError("JupyterLab did not start:\n" + "".join(seen)) from None
