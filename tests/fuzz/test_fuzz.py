"""Every reader, tried with some hundreds of bent texts, or with 100,000 in `make thorough`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

if not Path("/proc/self/statm").exists():
    pytest.skip("the limit on memory is set as Linux has it", allow_module_level=True)
pytest.importorskip("sympy", reason="derivations are SymPy's")

from tests.fuzz.readers import READERS

ROOT = Path(__file__).parents[2]
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
CASES = dict.fromkeys(READERS, 300) | {"derivation": 60}
CASES_IF_THOROUGH = 100_000
#: In how many processes: SymPy takes some hundredths of a second for a derivation.
PARTS = dict.fromkeys(READERS, 1) | ({"derivation": 4} if THOROUGH else {})


def fuzzed(name: str, cases: int, code: str = "", part: int = 0, parts: int = 1) -> subprocess.CompletedProcess[str]:
    """The outcome of a process that tries a reader, after some code."""
    arguments = [name, *map(str, (cases, part, parts))]
    run = f"import sys; sys.argv[1:] = {arguments}; from tests.fuzz import __main__, readers\n"
    command = [sys.executable, "-W", "error", "-c", f"{run}{code}\n__main__.main()"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in READERS for part in range(PARTS[name])])
def test_a_bent_text_is_read_or_refused_in_a_line_without_much_time_or_memory(name: str, part: int) -> None:
    cases = CASES_IF_THOROUGH // PARTS[name] if THOROUGH else CASES[name]
    outcome = fuzzed(name, cases, "", part, PARTS[name])
    assert outcome.returncode == 0, outcome.stderr[-3000:]
    done = int(outcome.stdout.removeprefix(f"{name}: ").removesuffix(" cases\n"))
    assert done >= cases


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("bytearray(1 << 30)", "MemoryError"),
        ("while True: pass", "more than 1 s"),
        ("raise KeyError(text)", "KeyError"),
        ("raise readers.ModelFileError('m.json: ' + '…' * 500)", "508 characters"),
        ("raise readers.ModelFileError(chr(27))", r"\x1b"),
    ],
)
def test_a_reader_that_is_no_good_is_found(fault: str, said: str) -> None:
    code = f"""
def read(text):
    if len(text) > 100:
        {fault}
readers.READERS["model"] = readers.READERS["model"]._replace(read=read)
__main__.SECONDS = 1.0
"""
    outcome = fuzzed("model", 20, code)
    assert outcome.returncode
    assert said in outcome.stderr
