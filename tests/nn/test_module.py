"""Modules: every parameter is found, by a name that leads to it."""

import math
from typing import Any

import pytest

import autograd
from autograd import Value
from nn import MLP, Layer, Module, Neuron


def test_the_name_of_a_parameter_is_the_way_to_it() -> None:
    model = MLP(2, [3, 1])
    for name, parameter in model.named_parameters():
        assert eval(f"model.{name}") is parameter
    assert [p for _, p in model.named_parameters()] == model.parameters()


def test_a_module_finds_parameters_in_whatever_holds_them() -> None:
    class Odd(Module):
        def __init__(self) -> None:
            self.direct = Value(1.0)
            self.by_name = {"left": Value(2.0), "right": [Value(3.0)]}
            self.pair = (Neuron(1), "text")
            self.again = self.direct
            self.myself = self
            self.count = 3

    module = Odd()
    names = [name for name, _ in module.named_parameters()]
    assert names == ["direct", "by_name['left']", "by_name['right'][0]", "pair[0].w[0]", "pair[0].b"]
    assert repr(module) == "Odd(5 parameters)"
    with pytest.raises(NotImplementedError):
        module([1.0])


def test_a_trace_that_a_module_keeps_adds_no_parameters() -> None:
    class Watched(Module):
        def __init__(self) -> None:
            self.network = MLP(2, [2, 1])

        def __call__(self, x: Any) -> Any:
            self.trace = self.network.trace(x)
            return self.trace.output

    model = Watched()
    model([Value(1.0), 2.0]).backward()
    assert model.parameters() == model.network.parameters()


def test_zero_grad() -> None:
    model = MLP(2, [2, 1])
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_reprs_count_parameters() -> None:
    assert repr(MLP(2, [16, 16, 1])) == "MLP(2 → 16 → 16 → 1, 'tanh', output 'linear', 337 parameters)"
    assert repr(MLP(2, [1], output="sigmoid")) == "MLP(2 → 1, output 'sigmoid', 3 parameters)"
    assert repr(Layer(3, 2, "relu")) == "Layer(3 → 2, 'relu', 8 parameters)"
    assert repr(Neuron(1)) == "Neuron(1 input, 'linear', 2 parameters)"


def test_learnable_activations_are_parameters_too() -> None:
    class Leaky(Module):
        def __init__(self) -> None:
            self.slope = Value(0.1, "slope")

        def __call__(self, z: Any) -> Any:
            return autograd.maximum(z, self.slope * z)

    model = MLP(1, [2, 1], [Leaky(), "linear"])
    assert [p.label for p in model.parameters()].count("slope") == 1
    assert model.predict([[2.0]]) == [model([2.0]).data]


def test_the_state_of_any_module() -> None:
    neuron = Neuron(2, seed=3)
    kept = neuron.state_dict()
    assert kept == {"w[0]": neuron.w[0].data, "w[1]": neuron.w[1].data, "b": 0.0}
    other = Neuron(2, seed=4)
    other.load_state_dict(kept)
    assert other.state_dict() == kept
    assert isinstance(other.w[0], Value)


def test_a_wrong_state_writes_nothing() -> None:
    neuron = Neuron(1)
    before = neuron.state_dict()
    for wrong in ({"w[0]": 5.0}, {"w[0]": 5.0, "b": math.inf}, {"w[0]": 5.0, "b": 1.0, "c": 1.0}):
        with pytest.raises(ValueError, match="parameter"):
            neuron.load_state_dict(wrong)
        assert neuron.state_dict() == before


def test_a_value_that_is_held_twice_comes_once_by_its_first_path() -> None:
    """In one list, in two, in a list of a list, beside what is no Value."""
    a, b, c, d = (Value(float(i)) for i in range(4))

    class Holder(Module):
        def __init__(self) -> None:
            self.twice = [a, b, a]
            self.again = (b, c)
            self.mixed = [c, 1.0, {"d": d}, [a, d]]
            self.same = self.twice

    expected = {"twice[0]": a, "twice[1]": b, "again[1]": c, "mixed[2]['d']": d}
    assert dict(Holder().named_parameters()) == expected
    assert Holder().parameters() == [*expected.values()]
