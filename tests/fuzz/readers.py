"""All that reads text from outside: what it is given, and what it is to do with it.

What comes out is a result or the error that the reader promises, in a short line that a terminal may be sent.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import re
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import autograd
from autograd import DomainError, GuardError, RecordingError, StaleGraphError, Value, copying, unpickling, where
from autograd.compiled.function import Compiled
from autograd.compiled.objective import Objective
from autograd.compiled.recording import recordings, trace
from autograd.pictures.mathematics import algebra, derivation, matrices, verification
from nn import MLP, Activation, Layer, ModelFileError, Sequential, Standardisation, load, model_files, saving
from nn.command_line import commands, formula_commands, formulas, options
from nn.tables import cells, models, reading
from nn.tables.table import Column
from tests.fuzz.texts import bent, changed_json, powers, words


class Reader(NamedTuple):
    """One that reads; ``files`` are its modules, in which Hypothesis is led to where more lines are reached."""

    texts: st.SearchStrategy[Any]
    read: Callable[[Any], object]
    errors: tuple[type[Exception], ...]
    files: tuple[Any, ...] = ()
    #: What the message of an error is shorter than.
    characters: int = 500


def _models() -> tuple[str, ...]:
    """Some models as they are saved."""
    inputs = Standardisation((0.0,) * 3, (1.0,) * 3)
    columns = Column("a"), Column("b", ("x", "y"))
    made = (
        models.TableModel(MLP(3, [2, 1]), columns, "c", ("no", "yes"), inputs, None),
        MLP(1, [1]),
        Sequential(Layer(2, 2), Activation("relu"), Layer(2, 1)),
        Sequential(Activation("tanh")),
    )
    with tempfile.TemporaryDirectory() as folder:
        for number, model in enumerate(made):
            model.save(Path(folder, str(number)))
        return tuple(Path(folder, str(number)).read_text("utf-8") for number in range(len(made)))


def _from_a_file(read: Callable[[str], object]) -> Callable[[str], object]:
    def read_text(text: str) -> object:
        Path("m.json").write_bytes(text.encode("utf-8", "surrogatepass"))
        return read("m.json")

    return read_text


_SAVED = _models()
_TEXTS_OF_MODELS = st.one_of(
    changed_json(_SAVED), bent(_SAVED, ("-", "[", "{", '"', "9" * 5000, "NaN", "\\u0000", ","))
)

_TABLES = (
    "height,width,kind\n1.5,2,a\n3,4,b\n1,1,a\n2,2,b\n",
    'x;"y ""z""";kind\r\n1;red;0\r\n2;red;1\r\n-.5e3;blue;0\r\n4.;blue;1\r\n',
    "x\tkind\n1\t2\n2\t3\n3\t3\n4\t2\n",
    "kind\n1\n",
)
_CELLS = (
    *(",", ";", "\t", "\n", "\r", '"', '""', " ", "\0", "\ufeff", "0" * 500, "1" * 500 + "x", "\udc80"),
    *words("nan inf 1e999 1_0 ٣ 1,5 kind . + e5 é a b"),
)


def _read_table(case: tuple[str, Any, tuple[str, ...], str | None]) -> object:
    text, task, categories, delimiter = case
    content = text.encode("utf-8", "surrogatepass")
    return reading.parse_csv(content, target="kind", task=task, categories=categories, delimiter=delimiter)


def _read_rows(text: str) -> object:
    columns = Column("x"), Column("kind", ("a", "b", "1", "2"))
    return reading.encoded(cells.read_cells(text.encode("utf-8", "surrogatepass")), columns)


_FORMULAS = (
    "z = w*x + b; tanh(z)",
    "-x**2 / (1 + exp(-w)) + 0*b",
    "where(x > 0, log(x), b) // 2 % w",
    "max(x, w, 1e-3) + min(b)",
    "leaky_relu(x, 0.1) + clip(w, -1, 1)*b",
    "logsumexp(x, w, b)",
    "x",
)
_WORDS = (
    *("\n", "\t", "\0", "ﬁ", "\ud800", " and ", "lambda x:", "import os", "f'{x}'", "9" * 400, "b" * 101),
    *words("( ) * ** // - ~ ; = := x w [0] .a 1e999 0x1f 1j 's' if < == where( dot( exp( # \\ ٣ e pi x:int *x x=1"),
    *words("1000000000 (( )) ... @ None True ! softmax("),
)
_OF_FORMULAS = (formulas.FormulaError, DomainError, OverflowError)


def _read_formula(text: str) -> object:
    formulas.graph_of(text, {"x": 0.5, "w": -2.0, "b": 3.0})
    return formulas.last_expression(text)


def _derive(text: str) -> object:
    output, names = formulas.graph_of(text, {"x": 0.5, "w": 0.25})
    output.label = "y"
    return str(autograd.derive(output, names["x"]))


_OF_MATRICES = (
    "∂C/∂W = ∂C/∂Y · Xᵀ",
    "∂C/∂X = Wᵀ ∂C/∂Y",
    "∂C/∂Y = 2/n (Y − T)",
    "∂C/∂W = (∂C/∂Y ⊙ σ′(Y)) · X^T + 0*W",
    "∂C/∂Y = -Y * 1.5e2",
)
_SIGNS = (
    *(" ", "\0", "\ud800", "9" * 400),
    *words("∂ ∂C/∂ ( ) · ⊙ / * + − = ᵀ ^T .T ′ σ W X Y T n C 1e999 1.2.3 tanh( ² _"),
)


def _read_matrices(text: str) -> object:
    x, w = [Value(0.5), Value(-1.0)], [[Value(1.0), Value(2.0)]]
    y = w[0][0] * x[0] + w[0][1] * x[1]
    given = {"C": (y - 1.0) ** 2, "W": w, "X": x, "Y": [y], "T": [1.0], "n": 1.0}
    return verification.verification(text, given)


_ARGUMENTS = (
    *("", "\0", "\ud800", "\x1b[31m", "k" * 3000, "1" * 200, "9" * 5000),
    *words("draw derive step train predict demo doctor -x -omega*t --wrt x x=1 x= =1 -o a.svg -oa.svg --out a.html"),
    *words("--hidden 16,8 none -1 --epochs 1e3 --test nan --activation relu,tanh --learning-rate inf --help"),
    *words("--version -- iris --format latex --partials=1"),
)


def _read_arguments(arguments: list[str]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            commands._parser().parse_args(formula_commands.protected(arguments))
            status: Any = 0
        except SystemExit as end:
            status = end.code
    assert status in (0, 2)
    assert len(said.getvalue().splitlines()) <= 1


def _at_the_top(x: Any) -> Any:
    return where(x > 0.5, x * _W, lambda: x.log()) * 3.0 if x < 9.0 else x


_W = Value(0.5, "w")


def _pickles() -> tuple[str, ...]:
    """Graphs, the parameters of a model and recorded functions as pickles of words."""
    x, y = Value(0.5, "x"), Value(-2.0)
    z = where(x > y, x * y + 3.0, x.exp())
    dot = autograd.dot([x, y, z], [1.0, x, y])
    dot.backward()
    compiled = autograd.compile(_at_the_top, wrt=0, backend="numpy")
    compiled.value_and_grad(np.array([0.25, 0.5, 2.0]))
    looping = autograd.compile(
        lambda x: autograd.scan(lambda c, e: (c * e, c), x, [x] * 9, unroll=False)[0], backend="numpy"
    )
    looping(np.array([0.25, 0.5]))
    objective = autograd.objective(lambda v: v[0] * v[1] + _W, backend="numpy")
    objective([1.0, 2.0])
    made = x, [z, dot, x], MLP(1, [2, 1], seed=0).parameters(), compiled, looping, objective
    return tuple(pickle.dumps(one, protocol=0).decode("latin-1") for one in made)


_PICKLES = _pickles()
#: What the pickles name, beside which nothing is looked up: a pickle may call anything.
_NAMED = {tuple(name) for text in _PICKLES for name in re.findall(r"c([\w.]+)\n(\w+)\n", text)}
_OF_PICKLES = (
    *("I0\n", "I1\n", "I-1\n", "I-2\n", "I7\n", "I99999999\n", "L9999999999999L\n", "F1e999\n", "Fnan\n", "Vtext\n"),
    *("N", "(", "t", "l", "d", "0", "2", ".", "R", "b", "s", "a", "I01\n", "g0\n", "g1\n", "g5\n", "g9\n", "p3\n"),
)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMED:
            raise pickle.UnpicklingError(f"{module}.{name} is not looked up here")
        return super().find_class(module, name)


class _RefusedError(Exception):
    """An error that a pickle may give: pickle's own, or one of ours that says what is damaged."""


def _unpickle(text: str) -> None:
    try:
        found = _Unpickler(io.BytesIO(text.encode("latin-1", "replace"))).load()
    except Exception as error:
        frames = {
            frame.f_globals["__name__"] + "." + frame.f_code.co_name
            for frame, _ in traceback.walk_tb(error.__traceback__)
        }
        ours = {name for name in frames if name.startswith("autograd.")}
        if ours and not isinstance(error, ValueError | TypeError) and "autograd.primitives._find" not in ours:
            raise
        raise _RefusedError(str(error) if ours else f"pickle: {type(error).__name__}") from error
    for one in found if isinstance(found, list) else [found]:
        _use(one)


def _use(found: Any) -> None:
    """What came out of a pickle is right, so it can be used; nothing else than ours is."""
    with contextlib.suppress(ArithmeticError, DomainError, GuardError, RecordingError, StaleGraphError):
        if isinstance(found, Value) and hasattr(found, "label"):
            repr(found)
            found.backward()
        elif isinstance(found, Compiled):
            found(np.array([0.25, 0.5, 2.0]))
        elif isinstance(found, Objective):
            found([1.0, 2.0])


READERS = {
    "model": Reader(_TEXTS_OF_MODELS, _from_a_file(load), (ModelFileError,), (model_files, saving)),
    "table model": Reader(_TEXTS_OF_MODELS, _from_a_file(models.TableModel.load), (ModelFileError,), (models,)),
    "table": Reader(
        st.tuples(
            bent(_TABLES, _CELLS),
            st.sampled_from((None, "classification", "regression")),
            st.sampled_from(((), ("x",), ("height", "kind"), ("width",))),
            st.sampled_from((None, ",", ";")),
        ),
        _read_table,
        (cells.TableError,),
        (cells, reading),
        2000,  # the names of twenty columns
    ),
    "rows": Reader(bent(_TABLES, _CELLS), _read_rows, (cells.TableError,), (cells, reading), 2000),
    "formula": Reader(bent(_FORMULAS, _WORDS), _read_formula, _OF_FORMULAS, (formulas,), 1000),
    "derivation": Reader(powers(), _derive, (*_OF_FORMULAS, ValueError), (algebra, derivation), 1000),
    "matrices": Reader(bent(_OF_MATRICES, _SIGNS), _read_matrices, (ValueError,), (matrices, verification), 12_000),
    "pickle": Reader(
        bent(_PICKLES, _OF_PICKLES), _unpickle, (_RefusedError,), (copying, unpickling, recordings, trace), 1000
    ),
    "arguments": Reader(
        st.lists(st.sampled_from(_ARGUMENTS), max_size=6), _read_arguments, (), (options, formula_commands)
    ),
}
