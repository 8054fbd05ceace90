"""Files: whatever is saved is written whole or not at all, and nothing but a plain file is written or read."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn
from autograd import Value, files
from nn import plots
from nn.command_line import main
from nn.tables.models import Options, new_table_model
from nn.training.history import History

posix = pytest.mark.skipif(os.name != "posix", reason="modes, devices and pipes are POSIX's")


def _graph() -> Value:
    x = Value(2.0, "x")
    return (x * x).tanh()


def _table_model(path: Path) -> None:
    new_table_model(nn.datasets.iris(), Options(hidden=())).save(path)


def _derive(path: Path) -> None:
    assert main(["derive", "x*x", "x=2", "--wrt", "x", "-o", str(path)]) == 0


def _predict(path: Path) -> None:
    folder = path.parent / "made"
    folder.mkdir(exist_ok=True)
    table = nn.datasets.iris()
    rows = [",".join(map(str, row)) for row in table.rows[:3]]
    (folder / "t.csv").write_text("\n".join([",".join(table.feature_names), *rows]), encoding="utf-8")
    _table_model(folder / "m.json")
    assert main(["predict", str(folder / "m.json"), str(folder / "t.csv"), "--out", str(path)]) == 0


#: Everything that saves a file for a user, and the ending that it wants.
SAVERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "files": (lambda path: files.write(path, "text"), ".txt"),
    "model": (lambda path: nn.MLP(1, [1]).save(path), ".json"),
    "model of a table": (_table_model, ".json"),
    "page": (lambda path: autograd.step_through(_graph()).save(path), ".html"),
    "picture": (lambda path: autograd.draw(_graph()).write(path), ".svg"),
    "picture's source": (lambda path: autograd.draw(_graph()).save(path.name, directory=path.parent), ".gv"),
    "rendered picture": (lambda path: autograd.draw(_graph()).render(outfile=path, filename=f"{path}.gv"), ".svg"),
    "derive": (_derive, ".txt"),
    "predict": (_predict, ".csv"),
}
if plots.is_available():
    SAVERS["history"] = (lambda path: History([2.0, 1.0]).plot(path), ".png")

every_saver = pytest.mark.parametrize("name", SAVERS)


@posix
@every_saver
def test_a_link_goes_on_pointing_to_a_file_that_keeps_its_mode(name: str, tmp_path: Path) -> None:
    save, ending = SAVERS[name]
    real, link = tmp_path / "real" / f"file{ending}", tmp_path / f"link{ending}"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(Path("real", real.name))
    save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_bytes() != b"old"
    assert list(real.parent.iterdir()) == [real]


@posix
def test_a_file_keeps_its_owner_where_that_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser gives it to whoever had it, others to their groups; where the system forbids it, it is written."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    groups = [group for group in os.getgroups() if group != path.stat().st_gid]
    owner, group = (12345, 54321) if os.geteuid() == 0 else (-1, groups[0] if groups else -1)
    os.chown(path, owner, group)
    path.chmod(0o604)
    before = path.stat()
    asked: list[tuple[int, int]] = []
    give = os.fchown

    def noting(handle: int, owner: int, group: int) -> None:
        asked.append((owner, group))
        give(handle, owner, group)

    monkeypatch.setattr(os, "fchown", noting)
    files.write(path, "new")
    after = path.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert asked == [(before.st_uid, before.st_gid)]

    def forbidden(*_: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchown", forbidden)
    files.write(path, "newer")
    assert path.read_text() == "newer"
    assert path.stat().st_mode == before.st_mode


@every_saver
def test_a_full_disk_leaves_the_old_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save, ending = SAVERS[name]
    path = tmp_path / f"file{ending}"
    path.write_text("old")
    right = os.replace

    def full(temporary: str, place: str) -> None:
        if Path(place).parent == tmp_path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        right(temporary, place)

    monkeypatch.setattr(os, "replace", full)
    if name in ("derive", "predict"):
        with pytest.raises(AssertionError):  # the status of the command
            save(path)
    else:
        with pytest.raises(OSError, match="No space left"):
            save(path)
    assert path.read_text() == "old"
    assert not list(tmp_path.glob(".*"))


@posix
@every_saver
def test_a_pipe_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save, ending = SAVERS[name]
    path = tmp_path / f"pipe{ending}"
    os.mkfifo(path)
    with pytest.raises((OSError, AssertionError)) as caught:
        save(path)
    assert "this is a pipe, not a plain file" in f"{caught.value}{capsys.readouterr().err}"
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_disk_that_is_really_full_leaves_the_old_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = "import sys; from autograd import files; files.write(sys.argv[1], b'x' * 100_000)"
    outcome = subprocess.run(
        [sys.executable, "-c", code, path],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(Path(autograd.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
        check=False,
    )
    assert "OSError: [Errno 27] File too large" in outcome.stderr
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


@posix
def test_a_new_file_has_the_mode_that_the_process_gives_to_new_files(tmp_path: Path) -> None:
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        old = os.umask(mask)
        try:
            files.write(tmp_path / f"{mask}", b"")
        finally:
            os.umask(old)
        assert stat.S_IMODE((tmp_path / f"{mask}").stat().st_mode) == mode


@posix
def test_a_link_to_nothing_makes_the_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    files.write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


@posix
def test_links_in_a_circle_are_refused_and_stay(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        files.write(tmp_path / "a", "new")
    assert (tmp_path / "a").is_symlink()


@posix
def test_another_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    os.link(tmp_path / "a", tmp_path / "b")
    files.write(tmp_path / "a", "new")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["new", "old"]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_ctrl_c_leaves_the_old_file_and_no_other(moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, moment, interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "a", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


@posix
def test_what_is_no_plain_file_is_neither_written_nor_read(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(tmp_path)  # the address of a socket is short
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to("/dev/zero")
        kinds = {"/dev/null": "device", "/dev/zero": "device", tmp_path / "link": "device", tmp_path / "pipe": "pipe",
                 tmp_path / "socket": "socket"}  # fmt: skip
        for path, kind in kinds.items():
            for use in (files.read, lambda path: files.write(path, b"")):
                with pytest.raises(OSError, match=f"this is a {kind}, not a plain file"):
                    use(path)
    for use in (files.read, lambda path: files.write(path, b"")):
        with pytest.raises(IsADirectoryError):
            use(tmp_path)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe", "socket"]


@posix
def test_readers_refuse_devices_and_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(OSError, match="not a plain file"):
            nn.load(path)
        with pytest.raises(ValueError, match="not a plain file"):
            nn.load_csv(path, target="y")


@posix
def test_where_the_output_of_the_program_goes_is_no_file_to_save_to(tmp_path: Path) -> None:
    code = "from autograd import files; print('said', flush=True); files.write('/dev/stdout', 'text')"
    environment = {**os.environ, "PYTHONPATH": str(Path(autograd.__file__).parents[1])}
    with open(tmp_path / "out", "w") as out:
        command = [sys.executable, "-c", code]
        outcome = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, env=environment, text=True, check=False)
    assert "this is where the output of the program goes" in outcome.stderr
    assert (tmp_path / "out").read_text() == "said\n"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def refuse(name: str, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", name)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PermissionError) as caught:
        files.write(path, "new")
    monkeypatch.undo()
    assert caught.value.filename == str(path)
    assert str(caught.value.strerror).endswith(f"written beside its place, in {tmp_path}, and moved there")
    assert path.read_text() == "old"


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # as for a mode of 0o444, which does not bind the superuser
    with pytest.raises(PermissionError):
        files.write(path, "new")
    assert path.read_text() == "old"


def test_text_is_utf_8_with_its_own_line_ends(tmp_path: Path) -> None:
    files.write(tmp_path / "a", "é\r\n\n")
    assert files.read(tmp_path / "a") == "é\r\n\n".encode()
