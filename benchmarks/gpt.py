"""A GPT of scalars, one document a step as in microgpt: 16 numbers a token, 4 heads, 1 layer, a context of 16; root
mean square norms, no biases, relu, Adam. Names are learnt letter by letter.

The same program runs on the peer of tuples and slots and on our Values; in the words of the library (``dot``,
``softmax``, ``take``) it is recorded too, once for all names, which are padded to one length.
"""

from __future__ import annotations

import gc
import itertools
import math
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import slots
from benchmarks.replaying import best, on_one_core

WIDTH, HEADS, CONTEXT = 16, 4, 16
LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: The token that begins and ends a name.
END = len(LETTERS)
STEPS = 1000


def names() -> list[list[int]]:
    """Names as tokens, in an order drawn once."""
    found = (Path(__file__).parent / "names.txt").read_text("utf-8").split()
    random.Random(42).shuffle(found)
    return [[END, *map(LETTERS.index, name), END] for name in found]


class Weights:
    """The matrices of the model, drawn from a normal distribution, as numbers of an engine."""

    def __init__(self, value: Callable[[float], Any]) -> None:
        chance = random.Random(1)

        def matrix(rows: int, columns: int) -> list[list[Any]]:
            return [[value(chance.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.tokens, self.places = matrix(END + 1, WIDTH), matrix(CONTEXT, WIDTH)
        self.query, self.key, self.value, self.joined = (matrix(WIDTH, WIDTH) for _ in range(4))
        self.wide, self.narrow = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        self.letters = matrix(END + 1, WIDTH)

    def parameters(self) -> list[Any]:
        """All numbers of all matrices."""
        return [x for matrix in vars(self).values() for row in matrix for x in row]


class Plain:
    """The words of the program as a few lines of sums, products and powers: they run on any engine."""

    @staticmethod
    def dot(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
        return sum(x * y for x, y in zip(xs, ys, strict=True))

    @staticmethod
    def softmax(xs: Sequence[Any]) -> list[Any]:
        largest = max(x.data for x in xs)
        powers = [(x - largest).exp() for x in xs]
        total = sum(powers)
        return [power / total for power in powers]

    @staticmethod
    def relu(x: Any) -> Any:
        return x.relu()

    @staticmethod
    def row(rows: Sequence[Any], index: int) -> Any:
        return rows[index]

    @classmethod
    def surprise(cls, xs: Sequence[Any], token: int) -> Any:
        return -cls.softmax(xs)[token].log()


def ours() -> Any:
    """The same words as one node each, for tokens that are numbers or Values."""
    import autograd

    class Words:
        dot = staticmethod(autograd.dot)
        softmax = staticmethod(autograd.softmax)
        relu = staticmethod(autograd.relu)
        row = staticmethod(autograd.take)

        @staticmethod
        def surprise(xs: Sequence[Any], token: Any) -> Any:
            return autograd.logsumexp(xs) - autograd.take(xs, token)

    return Words


def norm(words: Any, xs: Sequence[Any]) -> list[Any]:
    """The numbers, scaled so that their root mean square is 1."""
    scale = (words.dot(xs, xs) * (1.0 / len(xs)) + 1e-5) ** -0.5
    return [x * scale for x in xs]


def surprises(words: Any, w: Weights, tokens: Sequence[Any]) -> list[Any]:
    """How surprising each token of a document is after those before it."""
    keys: list[list[Any]] = []
    values: list[list[Any]] = []
    part = WIDTH // HEADS
    all_of_them = []

    def through(matrix: Sequence[Sequence[Any]], xs: Sequence[Any]) -> list[Any]:
        return [words.dot(row, xs) for row in matrix]

    for place, (token, following) in enumerate(itertools.pairwise(tokens[: CONTEXT + 1])):
        x = norm(words, [a + b for a, b in zip(words.row(w.tokens, token), w.places[place], strict=True)])
        before, x = x, norm(words, x)
        query = through(w.query, x)
        keys.append(through(w.key, x))
        values.append(through(w.value, x))
        found = []
        for first in range(0, WIDTH, part):
            head = slice(first, first + part)
            scores = [words.dot(query[head], key[head]) * (1.0 / math.sqrt(part)) for key in keys]
            shares = words.softmax(scores)
            found += [words.dot(shares, [value[i] for value in values]) for i in range(first, first + part)]
        x = [a + b for a, b in zip(through(w.joined, found), before, strict=True)]
        before, x = x, norm(words, x)
        x = through(w.narrow, [words.relu(number) for number in through(w.wide, x)])
        x = [a + b for a, b in zip(x, before, strict=True)]
        all_of_them.append(words.surprise(through(w.letters, x), following))
    return all_of_them


class Adam:
    """Adam in plain Python over the ``data`` and ``grad`` of any engine (Kingma and Ba, 2015)."""

    def __init__(self, parameters: Sequence[Any]) -> None:
        self.parameters = parameters
        self.means, self.squares = [0.0] * len(parameters), [0.0] * len(parameters)
        self.step = 0

    def __call__(self) -> None:
        self.step += 1
        for i, p in enumerate(self.parameters):
            self.means[i] = 0.85 * self.means[i] + 0.15 * p.grad
            self.squares[i] = 0.99 * self.squares[i] + 0.01 * p.grad**2
            mean, square = self.means[i] / (1.0 - 0.85**self.step), self.squares[i] / (1.0 - 0.99**self.step)
            p.data -= 0.01 * mean / (square**0.5 + 1e-8)
            p.grad = 0.0


def learning(words: Any, value: Callable[[float], Any]) -> Callable[[Sequence[int]], float]:
    """A step over one document, the whole of it upon the engine's numbers."""
    weights = Weights(value)
    move = Adam(weights.parameters())

    def step(tokens: Sequence[int]) -> float:
        each = surprises(words, weights, tokens)
        output = sum(each) * (1.0 / len(each))
        output.backward()
        move()
        return float(output.data)

    return step


def recorded() -> Any:
    """The same, recorded: one line more than the model, its loss and its optimizer. What comes after the end of a
    document counts nothing."""
    import autograd
    import nn

    words = ours()

    class Gpt(Weights, nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            Weights.__init__(self, autograd.Value)

        def __call__(self, tokens: Any) -> Any:
            return surprises(words, self, tokens)

    def loss(each: Sequence[Any], count: Any) -> Any:
        return autograd.sum([autograd.where(i < count, one, 0.0) for i, one in enumerate(each)]) / count

    model = Gpt()
    return nn.compiled_step(model, loss, nn.Adam(model.parameters(), 0.01, betas=(0.85, 0.99)))


def padded(tokens: Sequence[int], length: int) -> tuple[list[int], int]:
    """A document of this many tokens, and of how many of them it is asked."""
    return [*tokens, *[END] * (length - len(tokens))], len(tokens) - 1


def run(runs: int = 3) -> dict[str, float]:
    """The figures; ``all`` is of 1,000 steps over names of all lengths, with the recording; the peer's is reckoned
    from its first fifty."""
    on_one_core()
    import numpy as np

    from autograd import Value

    documents = names()
    longest = max(documents, key=len)
    rows, counts = zip(*[padded(one, len(longest)) for one in documents], strict=True)
    X, y = np.array(rows, float), np.array(counts, float)
    at = documents.index(longest)
    found: dict[str, float] = {}
    steps = {"tuples": learning(Plain, slots.Value), "same": learning(Plain, Value), "ours": learning(ours(), Value)}
    step = recorded()
    for _ in range(2):
        losses = [one(longest) for one in steps.values()] + [step(X[at : at + 1], y[at : at + 1])]
        assert max(losses) - min(losses) < 1e-9
    for resting in (False, True):
        works: dict[str, Callable[[], object]] = {name: partial(one, longest) for name, one in steps.items()}
        if resting:
            gc.disable()
        took = best(works, seconds=2.0, least=runs)
        gc.enable()
        suffix = "_gc_off" if resting else ""
        found |= {f"{name}{suffix}_s": seconds for name, seconds in took.items()}
        found |= {f"{name}{suffix}_ratio": took["tuples"] / took[name] for name in ("same", "ours")}
    found["step_s"] = best({"step": lambda: step(X[at : at + 1], y[at : at + 1])}, least=runs)["step"]
    found["step_ratio"] = found["tuples_s"] / found["step_s"]
    start = time.perf_counter()
    step = recorded()
    for i in range(STEPS):
        i %= len(X)
        step(X[i : i + 1], y[i : i + 1])
    found["all_s"] = time.perf_counter() - start
    start = time.perf_counter()
    for one in documents[:50]:
        steps["tuples"](one)
    found["all_ratio"] = (time.perf_counter() - start) * STEPS / 50 / found["all_s"]
    return found
