"""Compiled code on disk: kept for the next time and for the user alone, checked, bounded."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd.compiled.backends.native import cache
from tests.compiled.processes import output_of, run

X = np.array([1.0, 2.0, 3.0])

POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="only POSIX has owners and modes of files")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    place = tmp_path / "kept"
    monkeypatch.setenv("VALUEGRAD_CACHE", str(place))
    return place


def machine_code(constant: float = 0.75) -> Any:
    """A compiled function that ran once, and the report of its program."""
    f = autograd.compile(lambda x: x * constant + 1.0, backend="machine")
    assert f(X).tolist() == (X * constant + 1.0).tolist()
    return f.report().programs[0]


def test_code_is_kept_for_the_next_time_and_for_the_user_alone(folder: Path) -> None:
    assert not machine_code().cached
    assert machine_code().cached
    assert not machine_code(0.25).cached
    assert len(list(folder.glob("*.o"))) == 2
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not any(path.stat().st_mode & 0o077 for path in folder.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: b"",
        lambda kept: kept[:100],
        lambda kept: kept[:-1],
        lambda kept: kept + b"\0",
        lambda kept: kept[:-200] + bytes([kept[-200] ^ 1]) + kept[-199:],
        lambda kept: b"\x7fELF" + kept,
        lambda kept: os.urandom(5000),
    ],
    ids=["empty", "head", "truncated", "longer", "one bit", "no head", "noise"],
)
def test_a_broken_file_is_made_again(folder: Path, damage: Any) -> None:
    machine_code()
    (path,) = folder.glob("*.o")
    kept = path.read_bytes()
    path.write_bytes(damage(kept))
    assert not machine_code().cached
    assert path.read_bytes() == kept
    assert machine_code().cached


def test_the_code_of_another_program_is_not_run(folder: Path) -> None:
    machine_code(0.75)
    (path,) = folder.glob("*.o")
    other = path.read_bytes()
    path.unlink()
    machine_code(0.25)
    (path,) = folder.glob("*.o")
    path.write_bytes(other)
    assert not machine_code(0.25).cached


def test_without_a_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VALUEGRAD_CACHE", "")
    assert cache.folder() is None
    assert not machine_code().cached
    assert not machine_code().cached
    file = tmp_path / "file"
    file.write_bytes(b"in the way")
    for place in (file, file / "below"):
        monkeypatch.setenv("VALUEGRAD_CACHE", str(place))
        assert not machine_code().cached
    assert file.read_bytes() == b"in the way"


def test_a_folder_that_cannot_be_written_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is root can write everywhere, so the refusal is the test's own."""
    machine_code()

    def refuse(*args: Any, **options: Any) -> Any:
        raise PermissionError("read-only")

    def reading(path: Any, flags: int, mode: int = 0o777) -> int:
        return refuse() if flags & os.O_CREAT else known(path, flags, mode)

    known = os.open
    for name, instead in (("open", reading), ("utime", refuse), ("replace", refuse)):
        monkeypatch.setattr(cache.os, name, instead)
    assert machine_code().cached
    assert not machine_code(0.25).cached
    assert len(list(folder.glob("*.o"))) == 1
    assert not list(folder.glob("new-*"))


@POSIX
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o722, 0o777])
def test_a_folder_that_group_or_others_can_write_is_neither_read_nor_written(folder: Path, mode: int) -> None:
    machine_code()
    kept = sorted(folder.iterdir())
    folder.chmod(mode)
    assert not machine_code().cached
    assert not machine_code(0.25).cached
    assert sorted(folder.iterdir()) == kept
    folder.chmod(0o755)
    assert machine_code().cached
    assert not machine_code(0.25).cached


@POSIX
@pytest.mark.parametrize("mode", [0o644, 0o620, 0o602, 0o606, 0o777])
def test_a_file_that_others_may_have_written_is_made_again(folder: Path, mode: int) -> None:
    machine_code()
    (path,) = folder.glob("*.o")
    path.chmod(mode)
    assert not machine_code().cached
    assert path.stat().st_mode & 0o777 == 0o600
    assert machine_code().cached


@POSIX
@pytest.mark.parametrize("of_the_folder", [False, True])
def test_what_belongs_to_somebody_else_is_not_trusted(
    folder: Path, of_the_folder: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose it is is the test's own say: only the superuser gives files away."""
    machine_code()
    name = "stat" if of_the_folder else "fstat"
    known = getattr(os, name)

    def foreign(path: Any, **options: Any) -> Any:
        found = list(known(path, **options))
        return os.stat_result([*found[:4], os.geteuid() + 1, *found[5:]])

    with monkeypatch.context() as patch:
        patch.setattr(cache.os, name, foreign)
        assert not machine_code().cached
    assert machine_code().cached


@POSIX
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_neither_read_nor_waited_for(folder: Path, kind: str) -> None:
    machine_code()
    (path,) = folder.glob("*.o")
    if kind == "link":
        path.rename(folder / "elsewhere")
        path.symlink_to(folder / "elsewhere")
    else:
        path.unlink()
        os.mkfifo(path, 0o600) if kind == "pipe" else path.mkdir(0o700)
    assert not machine_code().cached
    assert machine_code().cached == (kind != "folder")


def test_where_files_have_no_owners_the_folder_is_in_the_profile(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cache.os, "geteuid", raising=False)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "somebody"))
    assert not machine_code().cached
    assert not machine_code().cached
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert not machine_code().cached
    assert machine_code().cached


def test_an_object_that_does_not_load_is_made_again(folder: Path) -> None:
    """Its digest is right, so it is what was kept; but it is no code, or not this one."""
    machine_code()
    (path,) = folder.glob("*.o")
    code = cache.read(path.stem)
    assert code is not None
    for other in (b"", b"no code", code[: len(code) // 2]):
        cache.write(path.stem, other)
        assert cache.read(path.stem) == other
        assert not machine_code().cached
        assert cache.read(path.stem) == code
        assert machine_code().cached


def test_the_folder_is_not_looked_through_at_each_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    known = cache._make_room

    def noting(place: Path, most: int) -> None:
        looks.append(place)
        known(place, most)

    monkeypatch.setattr(cache, "_make_room", noting)
    monkeypatch.setattr(cache, "MOST_BYTES", 1 << 20)
    for i in range(400):
        cache.write(cache.key_of(str(i)), bytes(8000))
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 1 << 20
    assert 0 < len(looks) <= 400 * 8 // (1024 // 8) + 1  # an eighth of the bound lies between


def test_the_folder_stays_below_its_bound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_code(0.5)
    size = next(folder.iterdir()).stat().st_size
    monkeypatch.setattr(cache, "MOST_BYTES", int(2.5 * size))
    for i, constant in enumerate((0.25, 0.125, 0.5, 0.0625)):
        for path in folder.iterdir():
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
        assert machine_code(constant).cached == (constant == 0.5 and i == 3)
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 2.5 * size
    left_over = folder / f"new-{cache.key_of('interrupted')}-x7_q0abc"
    left_over.write_bytes(b"half")
    os.utime(left_over, (0, 0))
    machine_code(0.03125)
    assert not left_over.exists()


def test_files_of_others_are_neither_counted_nor_deleted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    key = cache.key_of("something")
    names = [
        "notes.txt", "new-document", "new-interrupted", "model.o", f"{key}.obj", f"{key}", f"{key[1:]}.o",
        f"{key.upper()}.o", f"new-{key[1:]}-abcdefgh", f"my-{key}.o",
    ]  # fmt: skip
    for name in names:
        (folder / name).write_bytes(b"mine" * 10_000)
        os.utime(folder / name, (0, 0))
    (folder / "below").mkdir()
    monkeypatch.setattr(cache, "MOST_BYTES", 20_000)  # a file of code is smaller, the foreign ones are larger
    machine_code()
    assert machine_code().cached
    monkeypatch.setattr(cache, "MOST_BYTES", 0)
    machine_code(0.25)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "below", "valuegrad-written"])
    assert all((folder / name).read_bytes() == b"mine" * 10_000 for name in names)


def test_two_processes_fill_one_cache(folder: Path) -> None:
    code = (
        "import autograd, numpy as np\n"
        "for k in range(5):\n"
        "    f = autograd.compile(lambda x: x * (k + 0.5) + 1.0, backend='machine')\n"
        "    assert f(np.ones(3)).tolist() == [k + 1.5] * 3\n"
    )
    for process in [run(code), run(code)]:
        output_of(process)
    assert len(list(folder.glob("*.o"))) == 5
    assert not list(folder.glob("new-*"))
    third = run(code + "    assert f.report().programs[0].cached\n")
    output_of(third)
