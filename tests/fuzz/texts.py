"""Texts bent out of shape: right ones changed here and there, as Hypothesis chooses."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st


def words(text: str) -> list[str]:
    """The words between blanks."""
    return text.split()


def bent(texts: tuple[str, ...], insertions: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One of the texts, with pieces of it left out, repeated, or replaced by an insertion or by anything."""
    pieces = st.one_of(st.sampled_from(insertions), st.text(max_size=4), st.sampled_from((0, 2, 3, 50, 1000)))
    changes = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 40), pieces), max_size=5)
    return st.tuples(st.sampled_from(texts), changes).map(_bent)


def _bent(case: tuple[str, list[tuple[int, int, str | int]]]) -> str:
    text, changes = case
    for place, length, piece in changes:
        first = len(text) * place // 1000
        old = text[first : first + length]
        new = piece if isinstance(piece, str) else old * piece
        text = (text[:first] + new + text[first + length :])[:20_000]
    return text


#: What a file of JSON may hold in the place of anything else.
NASTY = (
    *(-(10**9), 10**9, 10**400, -1, 0, 1, 2, 1e308, 1e-320, None, True, "", "1", "é\u202e\0", "\x1b[31m", "\ud800"),
    *([], [1], {}, {"width": 2}, [[]] * 50, "k" * 5000, [[[[[[[[[[0]]]]]]]]]], list(range(1000))),
)


def changed_json(texts: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One of the texts, JSON, in which some items are missing, others, repeated, or have another name."""
    changes = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 5), st.sampled_from(NASTY)), max_size=4)
    return st.tuples(st.sampled_from(texts), changes).map(_changed)


def _changed(case: tuple[str, list[tuple[int, int, Any]]]) -> str:
    document = json.loads(case[0])
    for path, how, nasty in case[1]:
        inside = document
        while len(inside):
            keys = list(inside) if isinstance(inside, dict) else range(len(inside))
            path, place = divmod(path, len(keys))
            key = keys[place]
            if isinstance(inside[key], dict | list) and inside[key] and path % 4:
                inside = inside[key]
                continue
            if how == 0:
                del inside[key]
            elif how == 1 and isinstance(inside, list):
                inside += [copy.deepcopy(inside[key]) for _ in range(300)]
            elif how == 2 and isinstance(inside, dict):
                inside[str(nasty)] = copy.deepcopy(inside[key])
            else:
                inside[key] = copy.deepcopy(nasty)
            break
    return json.dumps(document)


#: How a formula is made of one before, and a number.
_SHAPES = ("({0})**{1}", "({0})**2 + ({0})**{1}", "({0})*({0} + {1})", "1/(1 + ({0}))", "tanh({0})")
_NUMBERS = words("2 3 -1 0.5 40 -40 1000 16000 1000000000 1e300 x w")


def powers() -> st.SearchStrategy[str]:
    """Formulas that may grow when they are multiplied out, or hold numbers that grow."""
    starts = st.sampled_from(("x", "w", "x + w", "2*x", "x/3 + 1", "sqrt(3*x)", "exp(x)", "1 - w"))
    steps = st.lists(st.tuples(st.sampled_from(_SHAPES), st.sampled_from(_NUMBERS)), min_size=1, max_size=3)
    return st.tuples(starts, steps).map(_powers)


def _powers(case: tuple[str, list[tuple[str, str]]]) -> str:
    text, steps = case
    for shape, number in steps:
        text = shape.format(text, number)
    return f"{text} + 0*x*w"
