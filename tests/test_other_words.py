"""The words of other engines: each says what to write, and that can be written."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest

import autograd
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
    "pow()": (lambda v: v.pow(2), r"write x \*\* y"),
    "max()": (lambda v: v.max(), r"write maximum\(x, y\) of two, or max\(values\)"),
    "sum()": (lambda v: v.sum(), r"write autograd\.sum\(values\)"),
    "softmax()": (lambda v: v.softmax(), r"write softmax\(values\)"),
    "T": (lambda v: v.T, r"zip\(\*rows\)"),
}


@pytest.mark.parametrize("case", USES)
def test_the_remedy_is_named(case: str) -> None:
    use, words = USES[case]
    with pytest.raises(AttributeError, match=words):
        use(Value(1.0, "v"))


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"retain_graph": True}, "the graph is always kept"),
        ({"create_graph": True}, r"write gradients\(output, wrt\)"),
        ({"gradient": 2.0}, r"write backward\(seed\)"),
        ({"inputs": []}, "by some nodes"),
        ({"other": 1}, "it takes a seed"),
    ],
)
def test_a_keyword_of_another_backward_is_told_what_to_write(given: dict[str, Any], remedy: str) -> None:
    x = Value(3.0)
    y = x * x
    with pytest.raises(TypeError, match=rf"^backward\(\) takes no {next(iter(given))}; .*{remedy}"):
        y.backward(**given)
    assert x.grad == 0.0


@pytest.mark.parametrize("name", [*autograd.TABLE, "norm", "softmax", "log_softmax"])
def test_each_primitive_is_a_method_or_a_word_that_says_how_it_is_written(name: str) -> None:
    assert hasattr(Value, name)
    assert hasattr(Value(1.0), name) != (name in WORDS)
    if name in WORDS:
        called = re.match(r"(?:autograd\.)?(\w+)\(", WORDS[name].to_read)
        assert called is None or callable(getattr(autograd, called.group(1)))
        if called is None:
            assert autograd.TABLE[name].symbol in WORDS[name].to_read.split() or name == "neg"


def test_copies_and_pickles_do_without_them() -> None:
    x = Value(2.0, "x")
    for other in (copy.copy(x * x), copy.deepcopy(x * x), pickle.loads(pickle.dumps(x * x))):
        assert other.data == 4.0
