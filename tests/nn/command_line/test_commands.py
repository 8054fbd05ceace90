"""The command ``valuegrad``: whatever goes wrong ends with one line and a status, never with a traceback."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nn.command_line import table_commands
from nn.tables.models import TableModel
from tests.nn.command_line.running import ROOT, TABLE, process, table


@pytest.mark.parametrize("arguments", [[], ["trian"], ["train"]])
def test_how_it_was_called(run: Any, arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert "--help" in outcome.complaint()
    assert outcome.status == 2


@pytest.mark.parametrize("name", ["\x1b[2J.json", "a\tb\x07.json", "/".join(["k" * 200] * 15)])
def test_a_message_is_a_line_that_a_terminal_may_be_sent(run: Any, name: str) -> None:
    complaint = run("predict", name, "t.csv").complaint()
    assert complaint.isprintable()
    assert len(complaint) < 2100


def test_ctrl_c_anywhere_else(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(table_commands, "train_test_split", interrupt)
    outcome = run("train", "iris")
    assert outcome.complaint() == "valuegrad train: interrupted"
    assert outcome.status == 130


def test_a_disk_that_is_full(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "model.json")

    monkeypatch.setattr(TableModel, "save", full)
    complaint = run("train", table(tmp_path), "--target", "kind", "--epochs", "1").complaint()
    assert complaint == "valuegrad train: model.json: No space left on device"


def test_no_traceback_from_the_program(tmp_path: Path) -> None:
    table(tmp_path, TABLE + "1,x,a\n")
    outcome = process("train", "t.csv", "--target", "kind", cwd=tmp_path)
    assert outcome.complaint().startswith("valuegrad train: t.csv, line 22, column 'width': 'x' is not a number")
    assert outcome.status == 1


def test_a_terminal_that_lacks_characters(tmp_path: Path) -> None:
    table(tmp_path, "größe,y\n1,0.5\n2,1.5\n3,2.5\n4,3.25\n", name="größe.csv")
    outcome = process(
        "train", "größe.csv", "--target", "y", "--epochs", "1", cwd=tmp_path, PYTHONIOENCODING="ascii:strict"
    )
    assert (outcome.status, outcome.err) == (0, "")


def test_output_that_nobody_reads(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = f'"{sys.executable}" -m nn train moons --epochs 1 | true'
    result = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert result.stderr == b""


def test_version(run: Any) -> None:
    assert run("--version").out == "valuegrad 0.1.0\n"


def test_help(run: Any) -> None:
    assert "train" in run("--help").out
    outcome = run("train", "--help")
    assert outcome.status == 0
    assert "default: 100" in " ".join(outcome.out.split())


def test_no_line_of_ours_is_told_to_a_user_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    options = ("--activation", "log", "--hidden", "3", "--epochs", "2", "--quiet")
    complaint = process("train", "t.csv", "--target", "kind", *options, cwd=tmp_path).complaint()
    assert "log needs a positive argument" in complaint
    assert not re.search(r"\w+:\d+\)", complaint)
