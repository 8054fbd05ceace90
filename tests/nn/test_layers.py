"""Neurons, layers, networks: the formulas of the textbooks, names that lead to parameters, errors that help."""

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value
from nn import ACTIVATIONS, INITIALIZERS, MLP, Activation, Layer, Module, Neuron, Sequential
from nn.activations import activation_name, resolve
from nn.initializers import he, lecun, xavier

numbers = st.floats(-3.0, 3.0)


def sigma(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z))


def sigma_prime(z: float) -> float:
    return sigma(z) * (1.0 - sigma(z))


@given(numbers, numbers, numbers, numbers, numbers, st.floats(0.0, 1.0))
def test_the_two_layer_sigmoid_network_has_the_gradients_a_and_b(
    x: float, w1: float, b1: float, w2: float, b2: float, y: float
) -> None:
    model = MLP(1, [1, 1], activation="sigmoid", output="sigmoid")
    first, second = model.layers[0].neurons[0], model.layers[1].neurons[0]
    first.w[0].data, first.b.data, second.w[0].data, second.b.data = w1, b1, w2, b2
    cost = 0.5 * (y - model([x])) ** 2
    cost.backward()
    z1 = w1 * x + b1
    a1 = sigma(z1)
    z2 = w2 * a1 + b2
    a2 = sigma(z2)
    assert cost.data == pytest.approx(0.5 * (y - a2) ** 2, rel=1e-12, abs=1e-15)
    assert second.w[0].grad == pytest.approx(a1 * sigma_prime(z2) * (a2 - y), rel=1e-9, abs=1e-14)  # (A)
    expected = x * sigma_prime(z1) * (a2 - y) * sigma_prime(z2) * w2  # (B)
    assert first.w[0].grad == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert second.b.grad == pytest.approx(sigma_prime(z2) * (a2 - y), rel=1e-9, abs=1e-14)
    assert first.b.grad == pytest.approx(sigma_prime(z1) * (a2 - y) * sigma_prime(z2) * w2, rel=1e-9, abs=1e-14)


def test_a_weighted_sum_is_one_node() -> None:
    neuron = Neuron(3, "tanh")
    output = neuron([1.0, 2.0, 3.0])
    assert output.primitive is not None
    assert output.primitive.name == "tanh"
    (z,) = output.parents
    assert z.primitive.name == "dot"
    assert z.parents == (*neuron.w, 1.0, 2.0, 3.0, neuron.b)


def test_weights_and_biases_are_where_people_look_for_them() -> None:
    model = MLP(2, [16, 16, 1])
    assert [len(layer.neurons) for layer in model.layers] == [16, 16, 1]
    weights: list[Value] = model.layers[0].neurons[3].w
    assert [w.label for w in weights] == ["w1[3,0]", "w1[3,1]"]
    assert model.layers[2].neurons[0].b.label == "b3[0]"
    assert model.layers[2].neurons[0].b.data == 0.0
    assert len(model.parameters()) == 337
    assert (model.nin, model.nout) == (2, 1)


def test_every_label_is_one_parameters() -> None:
    labels = [p.label for p in MLP(3, [11, 12, 2]).parameters()]
    assert len(set(labels)) == len(labels)


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


# --- the width of what comes out ----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2])
def test_a_layer_of_width_1_returns_a_list_too(width: int) -> None:
    for activation in ("linear", "tanh"):
        assert [type(v) for v in Layer(2, width, activation)([1.0, 2.0])] == [Value] * width
    assert isinstance(Layer(1, 1)(Layer(2, 1)([1.0, 2.0])), list)


def test_a_model_of_width_1_returns_its_value() -> None:
    assert isinstance(MLP(2, [1, 1])([1.0, 2.0]), Value)
    assert [type(v) for v in MLP(2, [1, 2])([1.0, 2.0])] == [Value, Value]


def test_too_few_inputs_are_an_error_with_both_lengths() -> None:
    for maker, who in ((Neuron(3), "a neuron"), (Layer(3, 2), "the layer"), (MLP(3, [2, 1]), "the layer")):
        with pytest.raises(ValueError, match=f"{who} has 3 inputs, but was given 2 numbers"):
            maker([1.0, 2.0])
        with pytest.raises(ValueError, match=f"{who} has 3 inputs, but was given 4 numbers"):
            maker([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="has 1 input, but was given 2 numbers"):
        MLP(1, [1]).predict([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"has 2 inputs, but was given 1 number$"):
        MLP(2, [1]).trace([1.0])


@pytest.mark.parametrize("given", [(1.0, 2.0), [1, 2], [Value(1.0), Value(2.0)]])
def test_inputs_may_be_any_sequence_of_numbers(given: Any) -> None:
    model = MLP(2, [3, 1])
    assert model(given).data == model([1.0, 2.0]).data


def test_numpy_rows_are_inputs() -> None:
    numpy = pytest.importorskip("numpy")
    model = MLP(2, [3, 2])
    X = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    assert [v.data for v in model(X[0])] == [v.data for v in model([1.0, 2.0])]
    assert model.predict(X) == model.predict(X.tolist())
    assert [v.data for v in Layer(2, 2)(numpy.float32([1.0, 2.0]))] == [v.data for v in Layer(2, 2)([1.0, 2.0])]


# --- other passes -------------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.floats(-100.0, 100.0), min_size=3, max_size=3), min_size=1, max_size=4), st.integers(0, 99))
def test_predict_equals_a_call_bit_for_bit(X: list[list[float]], seed: int) -> None:
    for model in (MLP(3, [5, 2], "tanh", "sigmoid", seed=seed), MLP(3, [4, 1], "relu", seed=seed)):
        called = [model(x) for x in X]
        assert model.predict(X) == [[v.data for v in o] if isinstance(o, list) else o.data for o in called]


def test_predict_builds_no_graph() -> None:
    (outputs,) = MLP(2, [3, 2]).predict([[1.0, 2.0]])
    assert [type(x) for x in outputs] == [float, float]
    assert type(MLP(2, [3, 1], lambda z: z * z).predict([[1.0, 2.0]])[0]) is float


def test_trace_holds_every_z_and_a() -> None:
    model = MLP(2, [3, 1], activation="relu", output="sigmoid")
    trace = model.trace((0.5, -1.0))
    assert trace.output.data == model([0.5, -1.0]).data
    assert trace.x == [0.5, -1.0]
    assert [v.data for v in trace.Z[0]] == [v.data for v in model.layers[0].linear([0.5, -1.0])]
    assert [v.data for v in trace.A[0]] == [max(0.0, v.data) for v in trace.Z[0]]
    assert [v.label for v in (*trace.Z[0], *trace.A[1])] == ["z1[0]", "z1[1]", "z1[2]", "a2[0]"]
    trace.output.backward()
    (z2,), (a2,) = trace.Z[1], trace.A[1]
    assert z2.grad == pytest.approx(a2.data * (1.0 - a2.data), rel=1e-14)


def test_without_an_activation_a_is_z() -> None:
    trace = MLP(1, [2]).trace([1.0])
    assert trace.A[0] is trace.Z[0]
    assert trace.output is trace.Z[0]
    assert [z.label for z in trace.Z[0]] == ["z1[0]", "z1[1]"]


# --- activations --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_can_be_used_by_name(name: str) -> None:
    function = resolve(name)
    neuron = Neuron(1, name)
    place = 0.5 if function is None or autograd.TABLE[name].domain(0.5) else 1.5
    neuron.w[0].data, neuron.b.data = 0.0, place
    if function is None:
        assert neuron([2.0]).data == place
    else:
        assert neuron([2.0]).data == function(place)
        assert activation_name(function) == name


def test_aliases_and_functions() -> None:
    assert Layer(1, 1, "arctan").activation.name == "atan"
    assert Layer(1, 1, "identity").activation.function is None
    assert Layer(1, 1, autograd.identity).activation.name == "linear"
    assert MLP(1, [2, 1], autograd.relu).layers[0].activation.name == "relu"
    assert MLP(1, [2, 1], lambda z: z * z)([3.0]).primitive is not None


@pytest.mark.parametrize(
    ("name", "hint"),
    [("tahn", "did you mean .*tanh"), ("arctn", "arctan"), ("dot", "did you mean|there are"), ("", "there are")],
)
def test_an_unknown_activation(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"no activation is called '{name}'; .*{hint}"):
        MLP(1, [1, 1], name)


@pytest.mark.parametrize("name", ["add", "clip", "where", "detach", "less", "sum"])
def test_what_is_no_function_of_one_number_is_no_activation(name: str) -> None:
    assert name not in ACTIVATIONS
    with pytest.raises(ValueError, match="no activation is called"):
        Neuron(1, name)


def test_an_activation_of_the_wrong_kind() -> None:
    with pytest.raises(TypeError, match="an activation is a name such as 'tanh', or a function; not 3"):
        Neuron(1, 3)  # type: ignore[arg-type]


# --- first weights ------------------------------------------------------------------------------------------


def data(model: Module) -> list[float]:
    return [p.data for p in model.parameters()]


def test_a_seed_means_one_network() -> None:
    assert data(MLP(2, [4, 1], seed=3)) == data(MLP(2, [4, 1], seed=3)) == data(MLP(2, [4, 1], seed=Random(3)))
    assert data(MLP(2, [4, 1], seed=3)) != data(MLP(2, [4, 1], seed=4))
    with pytest.raises(TypeError, match="seed must be an int; it is None"):
        MLP(2, [1], seed=None)  # type: ignore[arg-type]


def test_no_two_neurons_start_alike() -> None:
    weights = [w.data for layer in MLP(2, [16, 16, 1]).layers for neuron in layer.neurons for w in neuron.w]
    assert len(set(weights)) == len(weights)


@pytest.mark.parametrize(
    ("draw", "bound"),
    [(xavier, math.sqrt(6 / 50)), (he, math.sqrt(6 / 20)), (lecun, math.sqrt(3 / 20))],
)
def test_the_scale_of_first_weights(draw: Any, bound: float) -> None:
    generator = Random(0)
    drawn = [draw(20, 30, generator) for _ in range(5000)]
    assert all(-bound <= w <= bound for w in drawn)
    assert math.fsum(w * w for w in drawn) / 5000 == pytest.approx(bound * bound / 3, rel=0.05)
    assert abs(math.fsum(drawn)) / 5000 < 0.05 * bound


@pytest.mark.parametrize(
    ("activation", "bound"),
    [
        ("tanh", math.sqrt(6 / 60)),
        ("linear", math.sqrt(6 / 60)),
        ("relu", math.sqrt(6 / 30)),
        ("selu", math.sqrt(3 / 30)),
    ],
)
def test_the_scale_suits_the_activation(activation: str, bound: float) -> None:
    largest = max(abs(w.data) for neuron in Layer(30, 30, activation).neurons for w in neuron.w)
    assert 0.98 * bound < largest <= bound


def test_only_random_is_drawn_upon() -> None:
    class Strict(Random):
        def getrandbits(self, k: int, /) -> int:
            raise AssertionError("a stream that is not promised")

    assert data(MLP(2, [2, 1], seed=Strict(5))) == data(MLP(2, [2, 1], seed=5))


def test_an_initializer_can_be_chosen() -> None:
    model = MLP(2, [2, 1], initializer=lambda inputs, outputs, generator: inputs + 0.1 * outputs)
    assert [w.data for w in model.layers[0].neurons[0].w] == [2.2, 2.2]
    assert model.layers[1].neurons[0].w[0].data == 2.1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MLP(2, []), ValueError, "at least one layer"),
        (lambda: MLP(0, [1]), ValueError, "nin must be at least 1; it is 0"),
        (lambda: MLP(2, [3, 0]), ValueError, "nout must be at least 1; it is 0"),
        (lambda: MLP(2, [2.0]), TypeError, "nout must be an int; it is 2.0"),
        (lambda: Neuron(True), TypeError, "nin must be an int; it is True"),
        (lambda: Neuron(-1), ValueError, "nin must be at least 1; it is -1"),
    ],
)
def test_widths_that_cannot_be(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# --- activations and initializers by name, function and layer -------------------------------------------------


def test_a_list_of_activations_has_one_for_each_layer() -> None:
    model = MLP(2, [3, 3, 1], ["relu", autograd.sin, lambda z: 2.0 * z])
    assert [layer.activation.name for layer in model.layers] == ["relu", "sin", "<lambda>"]
    assert repr(model) == "MLP(2 → 3 → 3 → 1, 'relu', 'sin', output '<lambda>', 25 parameters)"
    with pytest.raises(ValueError, match="there are 2 layers, but 3 activations; give one for each layer"):
        MLP(2, [3, 1], ["relu", "relu", "relu"])
    with pytest.raises(ValueError, match="leave output out"):
        MLP(2, [3, 1], ["relu", "relu"], output="tanh")
    with pytest.raises(TypeError, match="an activation is a name such as 'tanh', or a function; not None"):
        MLP(2, [3, 1], None)  # type: ignore[arg-type]


@given(st.lists(numbers, min_size=2, max_size=2))
def test_activation_layers_of_their_own_are_the_activations_inside(x: list[float]) -> None:
    apart = Sequential(
        Layer(2, 3, seed=1, initializer="he"),
        Activation("relu"),
        Layer(3, 2, seed=2),
        Activation("sigmoid"),
        Layer(2, 1, seed=3),
        Activation("arctan"),
    )
    inside = Sequential(Layer(2, 3, "relu", seed=1), Layer(3, 2, "sigmoid", seed=2), Layer(2, 1, "atan", seed=3))
    assert apart(x).data == inside(x).data == apart.predict([x])[0] == inside.predict([x])[0]
    a, b = apart.trace(x), inside.trace(x)
    assert [[z.data for z in layer] for layer in a.Z] == [[z.data for z in layer] for layer in b.Z]
    assert [[z.data for z in layer] for layer in a.A] == [[z.data for z in layer] for layer in b.A]
    assert a.A[2][0] is a.output
    assert (apart.nin, apart.nout, len(apart.parameters())) == (2, 1, 20)


def test_a_layers_halves() -> None:
    layer = Layer(2, 3, "tanh", seed=1)
    z = layer.linear([0.5, -1.0])
    assert [a.data for a in layer.activation(z)] == [a.data for a in layer([0.5, -1.0])]
    assert layer.activation(0.5) == math.tanh(0.5)
    assert Activation("linear")([1.0]) == [1.0]
    assert Activation("linear")(2.0) == 2.0


def test_what_a_chain_refuses() -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        Sequential()
    with pytest.raises(TypeError, match=r"layer 1 is 'relu', which cannot be called; write Activation\('relu'\)"):
        Sequential(Layer(1, 1), "relu")
    with pytest.raises(ValueError, match="layer 2 has 3 inputs, but the layer before it 2 outputs"):
        Sequential(Layer(1, 2), Activation("relu"), Layer(3, 1))
    doubled = Sequential(Layer(1, 2, initializer="zeros"), lambda a: [*a, 1.0], Layer(2, 1))
    assert doubled.layers[1]([1.0]) == [1.0, 1.0]


def test_learnable_activations_are_parameters_too() -> None:
    class Leaky(Module):
        def __init__(self) -> None:
            self.slope = Value(0.1, "slope")

        def __call__(self, z: Any) -> Any:
            return autograd.maximum(z, self.slope * z)

    model = MLP(1, [2, 1], [Leaky(), "linear"])
    assert [p.label for p in model.parameters()].count("slope") == 1
    assert model.predict([[2.0]]) == [model([2.0]).data]


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_by_name(name: str) -> None:
    model, again, other = (MLP(4, [3, 1], seed=seed, initializer=name) for seed in (5, 5, 6))
    assert model.state_dict() == again.state_dict()
    weights = [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    if name == "zeros":
        assert set(weights) == {0.0}
    else:
        assert model.state_dict() != other.state_dict()
        assert len(set(weights)) == len(weights)
    by_function = MLP(4, [3, 1], seed=5, initializer=INITIALIZERS[name])
    assert by_function.state_dict() == model.state_dict()


def test_an_unknown_initializer() -> None:
    with pytest.raises(ValueError, match="no initializer is called 'best'; there are xavier, glorot, he, lecun"):
        MLP(1, [1], initializer="best")
