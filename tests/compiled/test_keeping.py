"""Compiled code on disk, compiled functions in pickles and in other processes, and what is missing."""

import gc
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import autograd
import nn
from autograd import RecordingError, Value
from autograd.compiled.backends import choice
from autograd.compiled.backends.native import cache
from autograd.compiled.function import Compiled
from tests.compiled.replays import BACKENDS

X = np.array([1.0, 2.0, 3.0])
ROOT = Path(__file__).resolve().parents[2]


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

    for module, name in ((cache.tempfile, "mkstemp"), (cache.os, "utime"), (cache.os, "replace")):
        monkeypatch.setattr(module, name, refuse)
    assert machine_code().cached
    assert not machine_code(0.25).cached
    assert len(list(folder.iterdir())) == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="only POSIX has these permissions")
def test_a_folder_that_others_can_write_is_not_trusted(folder: Path) -> None:
    machine_code()
    folder.chmod(0o777)
    assert not machine_code().cached
    folder.chmod(0o755)
    assert machine_code().cached


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
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "below"])
    assert all((folder / name).read_bytes() == b"mine" * 10_000 for name in names)


def run(code: str, **environment: str) -> Any:
    """A new process of Python that runs some code here."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def output_of(process: Any) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return str(out).strip()


def test_two_processes_fill_one_cache(folder: Path) -> None:
    code = (
        "import autograd, numpy as np\n"
        "for k in range(5):\n"
        "    f = autograd.compile(lambda x: x * (k + 0.5) + 1.0, backend='machine')\n"
        "    assert f(np.ones(3)).tolist() == [k + 1.5] * 3\n"
    )
    for process in [run(code), run(code)]:
        output_of(process)
    assert len(list(folder.glob("*.o"))) == len(list(folder.iterdir())) == 5
    third = run(code + "    assert f.report().programs[0].cached\n")
    output_of(third)


# Pickles.

SHARED = Value(2.0, "shared")


def at_the_top(x: Value) -> Any:
    return SHARED * x * x if x > 0 else SHARED * x


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pickle_has_programs_and_leaves(backend: str) -> None:
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x, params=[w], backend=backend, reduce="sum")
    step.value_and_grad(X)
    again = pickle.loads(pickle.dumps(step))
    value, grads = again.value_and_grad(X)
    assert (value, grads.tolist(), again.recordings) == (3.0, [6.0], 1)
    again.params[0].data = 2.0
    assert again.value_and_grad(X)[0] == 12.0
    assert step.value_and_grad(X)[0] == 3.0
    with pytest.raises(RecordingError, match=r"could not be pickled with its recordings.*top of a module"):
        again(np.ones((2, 2)))
    objective = autograd.objective(lambda x: w * x[0] * x[1], backend=backend)
    objective([1.0, 2.0])
    value, gradient = pickle.loads(pickle.dumps(objective))([3.0, 4.0])
    assert (value, gradient.tolist()) == (6.0, [2.0, 1.5])


def test_a_pickle_keeps_count() -> None:
    step = autograd.compile(lambda x: 2.0 * x if x > 1.5 else x, backend="numpy")
    step(X[1:])
    step(X[:1])
    again = pickle.loads(pickle.dumps(step))
    assert again(X[1:]).tolist() == step(X[1:]).tolist() == [4.0, 6.0]
    assert str(again.report()).splitlines()[0] == str(step.report()).splitlines()[0]
    assert str(again.report()).startswith("2 recordings of <lambda>, 2 guards missed\n  values: ")


@pytest.mark.parametrize("look", [Compiled.report, pickle.dumps], ids=["report", "pickle"])
def test_who_looks_waits_for_a_call_that_is_under_way(look: Any) -> None:
    called, proceed = threading.Event(), threading.Event()

    def f(x: Value) -> Value:
        called.set()
        assert proceed.wait(60)
        return 2.0 * x

    step = autograd.compile(f, backend="numpy")
    looked: list[Any] = []
    threads = [threading.Thread(target=step, args=(X,)), threading.Thread(target=lambda: looked.append(look(step)))]
    threads[0].start()
    assert called.wait(60)
    threads[1].start()
    threads[1].join(0.05)
    assert not looked  # it would have been there, 0.05 s being a hundred times what it takes
    proceed.set()
    for thread in threads:
        thread.join(60)
    found = looked[0] if look is Compiled.report else pickle.loads(looked[0])
    assert found.recordings == 1


def test_what_was_never_called_pickles_if_its_function_does() -> None:
    again = pickle.loads(pickle.dumps(autograd.compile(at_the_top)))
    assert again(X).tolist() == [2.0, 8.0, 18.0]
    with pytest.raises(RecordingError, match="could not be pickled"):
        pickle.loads(pickle.dumps(autograd.compile(lambda x: x)))(X)


def test_leaves_of_a_pickle_and_of_the_code_are_never_mixed() -> None:
    step = autograd.compile(at_the_top, params=[SHARED])
    step.value_and_grad(X)
    again = pickle.loads(pickle.dumps(step))
    assert again.value_and_grad(X)[1].tolist() == [14 / 3]
    with pytest.raises(RecordingError, match=r"came back from a pickle with leaves of its own.*'shared'"):
        again.value_and_grad(-X)


def test_models_come_back_with_their_parameters() -> None:
    model = nn.MLP(1, [2, 1])
    scores = autograd.compile(model)
    before = scores(X[:, None])
    again, other = pickle.loads(pickle.dumps((scores, model)))
    assert again(X[:, None]).tolist() == before.tolist()
    for parameter in other.parameters():
        parameter.data = 0.0
    assert again(X[:, None]).tolist() == [0.0] * 3
    assert again([1.0]) == 0.0  # recorded anew, for other arguments


def test_a_pickle_runs_in_a_new_process(tmp_path: Path) -> None:
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x, params=[w], reduce="sum")
    step.value_and_grad(X)
    path = tmp_path / "step"
    path.write_bytes(pickle.dumps(step))
    code = (
        "import pickle, numpy as np\n"
        f"with open({str(path)!r}, 'rb') as file:\n    step = pickle.load(file)\n"
        "print(step.value_and_grad(np.array([1.0, 2.0, 3.0]))[0], step.report().programs[0].cached)"
    )
    assert output_of(run(code)) == "3.0 True"


def works_in_a_worker(step: Any) -> Any:
    return step.value_and_grad(np.arange(5000.0))[0]


def test_worker_processes() -> None:
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x, params=[w], threads=2)
    here = works_in_a_worker(step)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        # A worker that cannot read its task says nothing.
        assert pool.apply_async(works_in_a_worker, (step,)).get(timeout=60) == here


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX forks")
def test_a_forked_process_has_threads_of_its_own() -> None:
    code = (
        "import os, warnings, autograd, numpy as np\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "x = np.arange(5000.0)\n"
        "f = autograd.compile(lambda x: x * 2.0, threads=2, backend='machine')\n"
        "f(x)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if f(x)[4999] == 9998.0 else 1)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    assert output_of(run(code)) == "0"


# What is missing.


@pytest.fixture
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not warned yet."""
    monkeypatch.setattr(choice, "_SAID", set())


def says_once_and_runs_on_numpy(pattern: str) -> Any:
    """The report of a function that ran on NumPy, after the warning for a function before it, at the line called."""
    f = autograd.compile(lambda x: x * 2.0)
    with pytest.warns(RuntimeWarning, match=pattern) as said:
        assert f(X).tolist() == [2.0, 4.0, 6.0]
    (warning,) = said
    line = Path(__file__).read_text().splitlines()[warning.lineno - 1]
    assert (warning.filename, line.strip()) == (__file__, "assert f(X).tolist() == [2.0, 4.0, 6.0]")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = autograd.compile(lambda x: x * 3.0)
        assert g(X).tolist() == [3.0, 6.0, 9.0]
        assert autograd.objective(lambda x: x[0] * x[0])([3.0])[0] == 9.0
    return g.report().programs[0]


@pytest.mark.usefixtures("nothing_said")
def test_without_llvmlite_numpy_does_it_and_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    report = says_once_and_runs_on_numpy(r"^llvmlite is not installed.*pip install 'valuegrad\[fast\]'")
    assert (report.backend, report.reason) == ("numpy", "llvmlite is not installed")
    for backend in ("interpreter", "machine"):
        needed = rf"^the back end '{backend}' needs llvmlite, which is not installed: pip install 'valuegrad\[fast\]'"
        with pytest.raises(ModuleNotFoundError, match=needed):
            autograd.compile(lambda x: x * 2.0, backend=backend)(X)


@pytest.mark.parametrize("failure", [OSError("libLLVM.so: invalid ELF header"), ImportError("no symbol")])
@pytest.mark.usefixtures("nothing_said")
def test_a_broken_llvmlite_is_as_good_as_none(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise failure

    monkeypatch.setattr(choice.importlib, "import_module", fail)
    text = f"llvmlite is installed but cannot be loaded ({type(failure).__name__}: {failure})"
    report = says_once_and_runs_on_numpy(f"^{re.escape(text)}, so .* on NumPy: pip install --force-reinstall llvmlite$")
    assert (report.backend, report.reason) == ("numpy", text)
    assert autograd.compile(lambda x: x * 2.0, backend="numpy")(X).tolist() == [2.0, 4.0, 6.0]
    for backend in ("interpreter", "machine"):
        needed = f"^the back end '{backend}' needs llvmlite, which is installed but .*: pip install"
        with pytest.raises(ImportError, match=needed) as raised:
            autograd.compile(lambda x: x * 2.0, backend=backend)(X)
        assert raised.value.__cause__ is failure


@pytest.mark.parametrize(
    "broken",
    ["raise OSError('libLLVM.so: invalid ELF header')", "from llvmlite import nothing_of_this_name"],
    ids=["OSError", "ImportError"],
)
def test_a_package_that_breaks_when_it_is_imported(broken: str, tmp_path: Path) -> None:
    package = tmp_path / "llvmlite"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "binding.py").write_text(broken)
    script = tmp_path / "model.py"
    script.write_text(
        "import autograd, nn, numpy as np\n"
        "model = nn.MLP(2, [3, 1], seed=0)\n"
        "optimizer = nn.SGD(model.parameters(), learning_rate=0.1)\n"
        "nn.fit(model, np.ones((8, 2)), np.ones(8), loss='mse', optimizer=optimizer, epochs=2)\n"
        "print(autograd.compile(lambda x: x * 2.0)(np.ones(2)).tolist())\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    found = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-1] == "[2.0, 2.0]"
    assert f"{script}:4: RuntimeWarning: llvmlite is installed but cannot be loaded" in found.stderr
    assert found.stderr.count("RuntimeWarning") == 1


def test_numpy_alone_imports_no_llvmlite() -> None:
    code = (
        "import sys; sys.modules['llvmlite'] = None\n"
        "import autograd, numpy as np\n"
        "f = autograd.compile(lambda x: x * 2.0, backend='numpy')\n"
        "print(f(np.ones(2)).tolist())"
    )
    assert output_of(run(code)) == "[2.0, 2.0]"


def test_without_numpy_the_remedy_is_named() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import autograd\n"
        "for make in (autograd.compile, autograd.objective):\n"
        "    try:\n"
        "        make(lambda x: x)\n"
        "    except ModuleNotFoundError as error:\n"
        "        print(error)"
    )
    found = output_of(run(code))
    assert found.count("pip install 'valuegrad[fast]'") == 2


# Memory.


def resident_bytes() -> int:
    """What the process has in memory, native code's share included; 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.exists() else 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_stays_flat_over_many_calls(backend: str) -> None:
    """Python counts its blocks, and the process is weighed: tracing allocations would take four times as long."""
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x * x, params=[w], backend=backend)
    turning = autograd.compile(lambda x: w * x if x > 0 else x * x, wrt=0, backend=backend)
    objective = autograd.objective(lambda x: w * x[0] if x[0] > 0 else x[0] * x[0], backend=backend)
    rows = [np.ones(100), np.ones(200)]

    def call(times: int) -> None:
        for i in range(times // 4):
            w.data = w.data * 0.5 + 0.25
            step.value_and_grad(rows[i % 3 % 2])  # the same arrays once more, and others
            step(rows[0])
            objective([1.0 - i % 4])  # one way and the other
            turning.value_and_grad(1.0 - i % 4)

    call(1000)
    gc.collect()
    blocks, resident = sys.getallocatedblocks(), resident_bytes()
    call(min(100_000, 1000 * settings().max_examples))  # 20,000, and 100,000 in the thorough profile
    gc.collect()
    # Caches of the interpreter fill up, by 160 blocks at most, and the allocator takes memory by some megabytes at a
    # time; one block, or 84 bytes, for each of 100,000 calls would be more than either.
    assert sys.getallocatedblocks() - blocks < 500
    assert resident_bytes() - resident < 1 << 23
