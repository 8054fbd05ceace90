"""The comparison of random programs: a short run, and that it notices a wrong bit."""

from __future__ import annotations

import random

import pytest

from tests.differential import cases


def test_all_ways_agree_on_some_programs() -> None:
    source, report = random.Random(1), cases.Report()
    for _ in range(12):
        cases.compare(cases.drawn(source), source, report)
    assert report.cases > 2000
    assert not report.wrong, "\n".join(report.lines())


def test_one_wrong_bit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = cases._eagerly
    monkeypatch.setattr(cases, "_eagerly", lambda f, point: [x * (1 + 2**-52) for x in right(f, point) or [0.0] * 3])
    report = cases.Report()
    cases.compare(cases.RandomProgram((cases.Step("mul", (0, 1), ()),)), random.Random(0), report)
    assert report.wrong
    assert report.lines()[0].endswith(f"{len(report.wrong)} disagree")
