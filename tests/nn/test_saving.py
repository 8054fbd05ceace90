"""Models in files: what is written comes back to the last bit, and nothing else comes back at all."""

import json
import math
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import MLP, Activation, Layer, ModelFileError, Sequential, load, load_with_extras
from nn.model_files import damaged
from nn.tables.models import TableModel

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=9, max_size=9))
def test_every_float_survives_exactly(numbers: list[float]) -> None:
    model = MLP(1, [2, 1, 1, 1])
    for parameter, number in zip(model.parameters(), numbers, strict=False):
        parameter.data = number
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "m.json"))
        loaded = load(Path(folder, "m.json"))
    kept, came = model.state_dict(), loaded.state_dict()
    assert list(map(repr, came.values())) == list(map(repr, kept.values()))  # the sign of zero counts


def test_the_architecture_and_the_extras_survive(tmp_path: Path) -> None:
    model = MLP(3, [4, 2], activation="arctan", output="sigmoid", seed=7)
    extras = {"classes": ["a", "ä"], "numbers": [0.1, 1e-300], "nothing": None}
    model.save(tmp_path / "m.json", extras)
    loaded, kept = load_with_extras(str(tmp_path / "m.json"))
    assert kept == extras
    assert repr(loaded) == repr(model) == "MLP(3 → 4 → 2, 'atan', output 'sigmoid', 26 parameters)"
    assert [p.label for p in loaded.parameters()] == [p.label for p in model.parameters()]
    x = [0.1, -0.2, 0.3]
    assert [v.data for v in loaded(x)] == [v.data for v in model(x)]
    assert loaded.layers[0].neurons[0](x).data == model.layers[0].neurons[0](x).data
    assert loaded.predict([x]) == model.predict([x])


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    MLP(2, [1]).save(tmp_path / "m.json")
    document = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert (document["format"], document["version"]) == ("valuegrad model", 1)
    assert document["architecture"] == {"kind": "MLP", "inputs": 2, "layers": [{"width": 1, "activation": "linear"}]}
    assert list(document["parameters"]) == [
        "layers[0].neurons[0].w[0]",
        "layers[0].neurons[0].w[1]",
        "layers[0].neurons[0].b",
    ]


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    with pytest.raises(TypeError, match="the activation '<lambda>' of layer 1 is a function of your own"):
        MLP(1, [1, 1], lambda z: z).save(path)
    with pytest.raises(TypeError, match=r"layer 2 is <function .*>, which a file cannot hold"):
        Sequential(Layer(1, 1), lambda a: a).save(path)
    model = MLP(1, [1])
    model.layers[0].neurons[0].b.data = math.nan
    with pytest.raises(ValueError, match=r"the parameter layers\[0\].neurons\[0\].b is nan"):
        model.save(path)
    with pytest.raises(TypeError):
        MLP(1, [1]).save(path, {"x": object()})
    with pytest.raises(OSError, match="No such file or directory"):
        MLP(1, [1]).save(tmp_path / "none" / "m.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_already_there_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.json"
    MLP(1, [1], seed=1).save(path)
    MLP(1, [1], seed=2).save(path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="No space left"):
        MLP(1, [1], seed=3).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def layers_of(inputs: Any, *widths: Any, kind: str = "MLP") -> dict[str, Any]:
    layers = [{"width": width, "activation": "linear"} for width in widths]
    return {"architecture": {"kind": kind, "inputs": inputs, "layers": layers}}


def document(**changes: Any) -> dict[str, Any]:
    parameters = {"layers[0].neurons[0].w[0]": 1.0, "layers[0].neurons[0].b": 2}
    layers = [{"width": 1, "activation": "linear"}]
    whole = {
        "format": "valuegrad model",
        "version": 1,
        "architecture": {"kind": "MLP", "inputs": 1, "layers": layers},
        "parameters": parameters,
        "extras": {},
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not ...}


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps(document()), encoding="utf-8")
    assert load(tmp_path / "m.json").predict([[3.0]]) == [5.0]


W, B = "layers[0].neurons[0].w[0]", "layers[0].neurons[0].b"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "this is not JSON, or it was cut off"),
        ('{"format": "valuegrad mod', "this is not JSON, or it was cut off"),
        (b"\xff\xfe{}", "this is not JSON"),
        ("[" * 100_000, "this is not JSON"),
        ("[]", "this is not a valuegrad model"),
        ('"text"', "this is not a valuegrad model"),
        ({"weights": []}, "this is not a valuegrad model; its 'format' does not say so"),
        (document(format="onnx"), "this is not a valuegrad model"),
        (document(version=2), "the file has version 2; this valuegrad reads up to 1. Install a later valuegrad"),
        (document(version="1"), "the version is '1'"),
        (document(version=0), "the version is 0"),
        (document(version=...), "the version is None"),
        (document(architecture=...), "'architecture' is missing; is the file damaged"),
        (document(parameters=...), "'parameters' is missing"),
        (document(extras=...), "'extras' is missing"),
        (document(extras=[]), "the extras are not an object"),
        (document(architecture=[]), "is the file damaged"),
        (document(architecture={"kind": "CNN"}), "unknown kind 'CNN'"),
        (document(architecture={"kind": "MLP", "inputs": 1, "layers": []}), "at least one layer"),
        (
            document(architecture={"kind": "MLP", "inputs": 0, "layers": [{"width": 1, "activation": "linear"}]}),
            "inputs must be an int from 1 on; it is 0",
        ),
        (document(architecture={"kind": "MLP", "inputs": 1, "layers": [{"width": 1}]}), "'activation' is missing"),
        (
            document(architecture={"kind": "MLP", "inputs": 1, "layers": [{"width": "1", "activation": "tanh"}]}),
            "damaged",
        ),
        (
            document(architecture={"kind": "MLP", "inputs": 1, "layers": [{"width": 1, "activation": "tahn"}]}),
            "'tahn' is unknown",
        ),
        (
            document(architecture={"kind": "MLP", "inputs": 1, "layers": [{"width": 10**9, "activation": "tanh"}]}),
            "the architecture has 2000000000 parameters, and the file 2",
        ),
        (document(**layers_of(1, -(10**9), 10**9)), "the width of layer 1 must be an int from 1 on; it is -1000000000"),
        (document(**layers_of(1, [1], 1)), "the width of layer 1 must be an int from 1 on; it is [1]"),
        (document(**layers_of(1, 1.0)), "it is 1.0"),
        (document(**layers_of(1, True)), "it is True"),
        (
            document(**layers_of(1, None, kind="Sequential")),
            "the width of layer 1 must be an int from 1 on; it is None",
        ),
        (document(**layers_of(10**400, 1)), "the architecture has 1000000000000000000000000000"),
        (document(**layers_of(10**400, 1.5)), "the width of layer 1 must be"),
        (document(**layers_of(None, 1, kind="Sequential")), "inputs must be an int from 1 on; it is None"),
        (document(**layers_of([], 1)), "inputs must be an int from 1 on; it is []"),
        (document(**layers_of(99, 99_000), parameters={}), "the architecture has 9900000 parameters, and the file 0"),
        (document(architecture={"kind": "MLP", "inputs": 1, "layers": {"width": 1}}), "the layers are {'width': 1}"),
        (document(architecture={"kind": "MLP", "inputs": 1, "layers": [1]}), "layer 1 is 1, not an object"),
        (document(architecture={"kind": ["MLP"], "inputs": 1, "layers": [1]}), "unknown kind ['MLP']"),
        (document(version=[[1] * 1000] * 1000), "the version is [[1, 1, 1, 1, 1, 1, ...], [1"),
        (document(parameters={W: 1.0, "\x1b[31m" * 1000: 1.0}), f"no number for the parameter {B}"),
        (document(parameters={W: 1.0, B: 2.0, "\x1b[31m\ud800\n": 1.0}), "and the file 3"),
        (document(parameters={W: 1.0, B: "\x1b" * 1000}), f"the parameter {B} is '\\x1b"),
        (document(parameters={W: 1.0, B: [[[[[[[[["x" * 1000]]]]]]]]]}), f"the parameter {B} is [[[...]]]"),
        (document(parameters={W: 1.0}), "the architecture has 2 parameters, and the file 1"),
        (document(parameters={W: 1.0, B: 2.0, "c": 1.0}), "the architecture has 2 parameters, and the file 3"),
        (document(parameters={W: 1.0, "c": 2.0}), f"no number for the parameter {B}"),
        (document(parameters={W: 1.0, B: "2.0"}), f"the parameter {B} is '2.0', not a number"),
        (document(parameters={W: 1.0, B: True}), f"the parameter {B} is True"),
        (document(parameters={W: 1.0, B: 10**400}), f"the parameter {B} is "),
        (document(parameters=[1.0]), "the parameters or the extras are not an object"),
        (json.dumps(document(parameters={W: math.nan, B: 0.0})), "NaN is not a number"),
        (json.dumps(document()).replace("1.0", "1e999"), f"the parameter {W} is inf"),
    ],
)
def test_broken_foreign_and_later_files(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "m.json"
    content = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelFileError) as caught:
        load(path)
    complaint = str(caught.value)
    assert complaint.startswith(f"{path}: ")
    assert message in complaint
    assert len(complaint) < 500
    assert complaint.isprintable()
    with pytest.raises(ModelFileError):
        TableModel.load(path)


@pytest.mark.parametrize(
    ("field", "found"),
    [("columns", ["k" * 10**6] * 3), ("classes", ["\x1b[31m", [[]]]), ("inputs", {"means": ["\x1b"]})],
)
def test_what_is_said_of_a_broken_table_is_short_and_can_be_printed(tmp_path: Path, field: str, found: Any) -> None:
    path = tmp_path / "m.json"
    numbers = {"means": [0.0], "deviations": [1.0]}
    table = {"columns": [{"name": "a", "categories": None}], "target": "c", "classes": None, "inputs": numbers}
    path.write_text(json.dumps(document(extras={"table": {**table, "outputs": numbers, field: found}})))
    with pytest.raises(ModelFileError) as caught:
        TableModel.load(path)
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_what_a_file_announces_is_not_built(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(document(**layers_of(99, 9_900), parameters={})))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="990000 parameters, and the file 0"):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_an_error_is_short_and_can_be_printed_whatever_it_tells() -> None:
    said = str(damaged("a\x1b\u202e.json", "of\n" + "\x1b" * 10**5))
    assert said.startswith("a\\x1b\\u202e.json: of \\x1b\\x1b")
    assert said.endswith("…; is the file damaged?")
    assert len(said) < 500
    assert said.isprintable()


@given(st.data())
def test_a_file_cut_off_anywhere_is_refused(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.json")
        MLP(1, [1]).save(path)
        content = path.read_bytes()
        path.write_bytes(content[: data.draw(st.integers(0, len(content) - 2))])
        with pytest.raises(ModelFileError):
            load(path)


def test_a_missing_file() -> None:
    with pytest.raises(FileNotFoundError):
        load("no such file.json")


def test_a_chain_with_activation_layers_of_their_own(tmp_path: Path) -> None:
    model = Sequential(Layer(2, 3, seed=1), Activation("relu"), Layer(3, 2, "tanh", seed=2), Activation("arctan"))
    model.save(tmp_path / "m.json")
    loaded = load(tmp_path / "m.json")
    assert type(loaded) is Sequential
    assert repr(loaded) == repr(model) == "Sequential(2 → 3, relu, 3 → 2, tanh, atan, 17 parameters)"
    assert loaded.predict([[0.5, -1.0]]) == model.predict([[0.5, -1.0]])
    assert [p.label for p in loaded.parameters()] == [p.label for p in model.parameters()]
