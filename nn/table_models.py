"""A network for a table: rows in the units of the file go in, class names or quantities of the file come out.

`TableModel` is what `valuegrad train` makes, keeps in `model.json`, and what can predict from that file alone.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from nn.layers import MLP
from nn.optimizers import Adam
from nn.preparation import Standardisation
from nn.saving import ModelFileError, load_with_extras, save
from nn.tables import Table, TableError
from nn.training import History, Report, fit


@dataclass(frozen=True, slots=True)
class Options:
    """How to train on a table; the defaults suit a few hundred rows."""

    hidden: tuple[int, ...] = (16, 16)
    activation: str = "tanh"
    epochs: int = 100
    learning_rate: float = 0.01
    batch_size: int = 16
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TableModel:
    """A network with what it takes to apply it to rows of a table.

    `inputs` standardises the features. `classes` are the names of the classes, or None for a quantity; then `outputs`
    standardises the target. Two classes share one logit, that of the second; more have one each.
    """

    network: MLP
    feature_names: tuple[str, ...]
    target_name: str
    classes: tuple[str, ...] | None
    inputs: Standardisation
    outputs: Standardisation | None

    @property
    def loss(self) -> str:
        """The name of the loss that fits the target."""
        if self.classes is None:
            return "mse"
        return "bce_with_logits" if len(self.classes) == 2 else "cross_entropy"

    def logits(self, rows: Sequence[Sequence[float]]) -> list[list[float]]:
        """One logit per class for each row."""
        outputs = self.network.predict(self.inputs.apply(rows))
        return [[0.0, output] for output in outputs] if self.loss == "bce_with_logits" else outputs

    def probabilities(self, rows: Sequence[Sequence[float]]) -> list[list[float]]:
        """One probability per class for each row: the softmax of the logits."""
        results = []
        for logits in self.logits(rows):
            largest = max(logits)
            powers = [math.exp(logit - largest) for logit in logits]
            total = math.fsum(powers)
            results.append([power / total for power in powers])
        return results

    def predict(self, rows: Sequence[Sequence[float]]) -> list[Any]:
        """The index of the likeliest class for each row, the first at a tie; or the quantity in the table's units."""
        if self.outputs is None:
            return [logits.index(max(logits)) for logits in self.logits(rows)]
        (mean,), (deviation,) = self.outputs.means, self.outputs.deviations
        return [mean + deviation * output for output in self.network.predict(self.inputs.apply(rows))]

    def right(self, table: Table) -> int:
        """How many rows of a table get their true class."""
        pairs = zip(self.predict(table.rows), table.targets, strict=True)
        return sum(predicted == target for predicted, target in pairs)

    def score(self, table: Table) -> float | None:
        """The accuracy, or R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)², None where all y are equal and R² means nothing."""
        if self.classes is not None:
            return self.right(table) / len(table)
        targets = self.standardised_targets(table)
        predictions = self.network.predict(self.inputs.apply(table.rows))
        middle = math.fsum(targets) / len(targets)
        scatter = math.fsum((y - middle) * (y - middle) for y in targets)
        rest = math.fsum((y - p) * (y - p) for y, p in zip(targets, predictions, strict=True))
        return 1.0 - rest / scatter if max(targets) > min(targets) else None

    def standardised_targets(self, table: Table) -> list[Any]:
        """The targets of a table as the loss wants them."""
        if self.outputs is None:
            return list(table.targets)
        return [target for (target,) in self.outputs.apply([[float(target)] for target in table.targets])]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write network, names, classes and standardisation to one file."""
        table = {
            "features": list(self.feature_names),
            "target": self.target_name,
            "classes": None if self.classes is None else list(self.classes),
            "inputs": self.inputs.to_dict(),
            "outputs": None if self.outputs is None else self.outputs.to_dict(),
        }
        save(self.network, path, {"table": table})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """What `save` wrote.

        Raises:
            ModelFileError: the file is damaged, of a later version, or holds a network without a table.
        """
        network, extras = load_with_extras(path)
        table = extras.get("table")
        if not isinstance(table, dict):
            raise ModelFileError(f"{os.fspath(path)}: this model was not trained on a table; use nn.load")
        try:
            classes = None if table["classes"] is None else _names(table["classes"])
            outputs = None if table["outputs"] is None else Standardisation.from_dict(table["outputs"])
            inputs, names = Standardisation.from_dict(table["inputs"]), _names(table["features"])
            made = cls(network, names, _names([table["target"]])[0], classes, inputs, outputs)
        except KeyError as error:
            raise ModelFileError(f"{os.fspath(path)}: {error} is missing; is the file damaged?") from None
        except TableError as error:
            raise ModelFileError(f"{os.fspath(path)}: {error}") from None
        widths = {"mse": 1, "bce_with_logits": 1, "cross_entropy": len(classes or ())}
        fits = network.nin == len(names) == len(inputs.means) and network.nout == widths[made.loss]
        if not fits or (classes is None) is not (outputs is not None and len(outputs.means) == 1):
            raise ModelFileError(f"{os.fspath(path)}: network and table do not fit each other; is the file damaged?")
        return made


def new_table_model(table: Table, options: Options) -> TableModel:
    """An untrained network for a table, standardised on these rows, which are those to train on."""
    classes = table.classes
    outputs = None if classes is not None else Standardisation.fit([[float(target)] for target in table.targets])
    width = len(classes) if classes is not None and len(classes) > 2 else 1
    network = MLP(len(table.feature_names), [*options.hidden, width], options.activation, seed=options.seed)
    inputs = Standardisation.fit(table.rows)
    return TableModel(network, table.feature_names, table.target_name, classes, inputs, outputs)


def train(model: TableModel, table: Table, options: Options, progress: bool | Report = False) -> History:
    """Train the network of a model on the rows of a table, with Adam."""
    return fit(
        model.network,
        model.inputs.apply(table.rows),
        model.standardised_targets(table),
        loss=model.loss,
        optimizer=Adam(model.network.parameters(), learning_rate=options.learning_rate),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        progress=progress,
    )


def _names(texts: Any) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise TableError(f"a list of names was expected, not {texts!r:.60}; is the file damaged?")
    return tuple(texts)
