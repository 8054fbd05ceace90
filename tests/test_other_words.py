"""The words of other engines: each says what to write, and that can be written."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value
from autograd.other_words import OtherWords, _Word

WORDS = {name: word for name, word in vars(OtherWords).items() if isinstance(word, _Word)}


def test_the_words_of_micrograd_and_pytorch_are_among_them() -> None:
    assert set(WORDS) >= {"_backward", "_children", "children", "op", "item", "numpy", "requires_grad", "zero_grad"}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_is_read_or_written_says_what_to_write(name: str) -> None:
    word = WORDS[name]
    for value in (Value(1.0, "v"), Value(1.0) * 2.0):
        assert not hasattr(value, name)
        with pytest.raises(AttributeError) as read:
            getattr(value, name)
        assert str(read.value).endswith(f" has no {name}; write {word.to_read}")
        with pytest.raises(AttributeError) as written:
            setattr(value, name, ())
        assert str(written.value).startswith(f"{name} of ")
        assert str(written.value).endswith(f" cannot be set; write {word.to_write}")


USES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "_backward()": (lambda v: v._backward(), r"write backward\(\) .* or .* node\(data, parents, partials\)"),
    "_backward =": (lambda v: setattr(v, "_backward", print), r"write node\(data, parents, partials\)"),
    "children": (lambda v: v.children, "write parents, or _prev"),
    "op": (lambda v: v.op, "or _op for its symbol"),
    "item()": (lambda v: v.item(), r"write value\.data"),
    "zero_grad()": (lambda v: v.zero_grad(), r"write value\.grad = 0\.0, or zero_grad\(values\)"),
    "requires_grad =": (lambda v: setattr(v, "requires_grad", False), r"write detach\(\) for a constant"),
}


@pytest.mark.parametrize("case", USES)
def test_the_remedy_is_named(case: str) -> None:
    use, words = USES[case]
    with pytest.raises(AttributeError, match=words):
        use(Value(1.0, "v"))


def test_copies_and_pickles_do_without_them() -> None:
    x = Value(2.0, "x")
    for other in (copy.copy(x * x), copy.deepcopy(x * x), pickle.loads(pickle.dumps(x * x))):
        assert other.data == 4.0
