"""Which layers of a plan machine code runs as loops, and where their weights lie: the decision, before any text.

``native.neurons`` finds the layers. Loops over neurons and inputs need weights whose rows, and sums whose places, can
be told from the numbers of the neuron and of the input; ``layer_loops`` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.backends.machine.elementwise import Run, runs_of
from autograd.compiled.backends.native.chains import chains
from autograd.compiled.backends.native.neurons import Neuron, layers_of, products_of_neurons
from autograd.compiled.backends.replay import Replay
from autograd.compiled.programs import loops

#: Weights from which on a layer is worth loops: smaller ones are as fast in registers.
LEAST_WEIGHTS = 100


class Axis(NamedTuple):
    """How places go up along neurons or inputs: by the same step each time, or as a table has it."""

    step: int
    table: tuple[int, ...] | None


class Grid(NamedTuple):
    """The place that belongs to neuron k and input i: ``first + down[k] + right[i]``."""

    first: int
    down: Axis
    right: Axis


class Layer(NamedTuple):
    """Neurons with the same inputs, and the uniform rows of their weights and starts."""

    neurons: tuple[int, ...]
    inputs: tuple[int, ...]
    weights: Grid
    starts: Grid | None


class Products(NamedTuple):
    """The products of cotangents and inputs that are summed, and the places of the sums."""

    cotangents: tuple[int, ...]
    inputs: tuple[int, ...]
    sums: Grid


class Layers:
    """The layers of a plan forward and backward, the products that their weights' gradients sum, and what is left."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        plan, program = replay.plan, replay.plan.program
        #: How often each slot is an operand or an output.
        self.uses: list[int] = _uses(program.operands, program.outputs, len(plan.varying))
        #: The first of the slots at the end that are products and nothing else.
        self.end = program.first_instruction + len(program) - plan.products
        #: By the neuron that comes first.
        self.layers: dict[int, Layer] = {}
        self.products: list[Products] = []
        #: The instructions that loops compute.
        self.inside: set[int] = set()
        self._place_of_column = {slot: i for i, slot in enumerate(replay.columns)}
        self._find_products()
        self._find_layers()
        #: What stands between layers, by the slot that comes first.
        self.runs: dict[int, Run] = {}
        self._find_runs()
        #: The columns of samples that layers put into memory, and the place of each among all columns.
        self.columns = self._columns_of_layers()

    @property
    def straight(self) -> int:
        """How many instructions that differ by sample are left for straight code. Beside layers, of which that is
        little, what is read from a column or kept for each sample counts as one."""
        replay, first = self._replay, self._replay.plan.program.first_instruction
        instructions = sum(replay.plan.varying[first:]) - len(self.inside) + len(self.runs)
        return instructions + (len(replay.columns) - len(self.columns) + len(replay.kept) if self.inside else 0)

    def _find_layers(self) -> None:
        program, varying = self._replay.plan.program, self._replay.plan.varying
        first, names = program.first_instruction, [primitive.name for primitive in program.primitives]
        name = [*[""] * first, *map(names.__getitem__, program.opcodes)].__getitem__
        starts, flat = program.starts, program.operands
        operands = {
            first + i: flat[starts[i] : starts[i + 1]].tolist()
            for i in np.flatnonzero(np.array(varying[first : self.end], np.uint8)).tolist()
        }

        sums, _ = chains(operands, name, lambda slot: self.uses[slot] == 1 and slot in operands)
        for inputs, neurons in layers_of(operands, sums, name, varying.__getitem__).items():
            layer = self._layer_of(inputs, neurons)
            if layer is not None:
                self.layers[layer.neurons[0]] = layer
                self.inside.update(layer.neurons)
        if self.layers:
            self.inside.update(self._parts(operands, sums))

    def _find_runs(self) -> None:
        """What is done with each neuron of a layer, or with each of its weights, as loops."""
        if not self.layers:
            return
        program, varying = self._replay.plan.program, self._replay.plan.varying
        first, starts, flat = program.first_instruction, program.starts, program.operands
        rows = [program.primitives[opcode] for opcode in program.opcodes]
        is_left: Any = np.array(varying[: self.end], bool)
        is_left[:first] = False
        inside = np.fromiter(self.inside, np.intp, len(self.inside))
        is_left[inside[inside < self.end]] = False
        left = [
            (slot, rows[slot - first], flat[starts[slot - first] : starts[slot - first + 1]].tolist())
            for slot in np.flatnonzero(is_left).tolist()
            if not rows[slot - first].n_ary and rows[slot - first].name not in loops.NAMES
        ]
        is_constant = range(program.inputs, first)
        found = runs_of(
            left,
            [layer.neurons for layer in self.layers.values()],
            is_shared=lambda slot: not varying[slot] and slot not in is_constant,
        )
        for run in found:
            self.runs[min(run.slots)] = run
            self.inside.update(run.slots)

    def products_left(self) -> list[int]:
        """The products at the end that are not those of layers."""
        end = self.end + self._replay.plan.products
        return [slot for slot in range(self.end, end) if slot not in self.inside]

    def _find_products(self) -> None:
        """The products at the end, as far as they are those of layers."""
        plan = self._replay.plan
        outputs = np.array(plan.program.outputs, np.int64)
        places = self._replay.places_of_summed[outputs >= self.end]
        # Each is one output, in order; not so where they are wanted for each sample.
        slots = outputs[outputs >= self.end]
        if not plan.products or (places < 0).any() or not np.array_equal(slots, self.end + np.arange(plan.products)):
            return
        factors = np.array(plan.program.operands[-2 * plan.products :], np.int64).reshape(-1, 2)
        varies: Any = np.frombuffer(plan.varying, bool)[factors].all(axis=1)
        by_inputs: dict[bytes, list[tuple[int, int]]] = {}
        for begin, stop in products_of_neurons(factors[:, 0], places):
            if varies[begin:stop].all():
                by_inputs.setdefault(factors[begin:stop, 1].tobytes(), []).append((begin, stop))
        for runs in by_inputs.values():
            begin, stop = runs[0]
            grid = _grid(np.array([places[i:j] for i, j in runs]))
            if grid is not None and len(runs) * (stop - begin) >= LEAST_WEIGHTS:
                cotangents = tuple(int(factors[i, 0]) for i, _ in runs)
                self.products.append(Products(cotangents, tuple(factors[begin:stop, 1].tolist()), grid))
                for i, j in runs:
                    self.inside.update(range(self.end + i, self.end + j))

    def _layer_of(self, inputs: tuple[int, ...], neurons: dict[int, Neuron]) -> Layer | None:
        """The neurons with these inputs as a layer, if they are many and their weights lie evenly."""
        if len(neurons) * len(inputs) < LEAST_WEIGHTS:
            return None
        row_of = self._replay.levels.row_of
        weights = _grid(row_of[np.array([neuron.weights for neuron in neurons.values()])])
        begun = [neuron.start for neuron in neurons.values() if neuron.start is not None]
        if weights is None or len(begun) not in (0, len(neurons)):
            return None
        starts = _grid(row_of[np.array(begun)].reshape(-1, 1)) if begun else None  # a column is always a grid
        return Layer(tuple(neurons), inputs, weights, starts)

    def _parts(self, operands: Mapping[int, Sequence[int]], sums: Mapping[int, Any]) -> set[int]:
        """The instructions that make up the chains of layers, besides their last ones."""
        found: set[int] = set()
        for layer in self.layers.values():
            for slot in layer.neurons:
                factors = {o for pair in sums[slot].pairs for o in pair} if slot in sums else set(operands[slot])
                waiting = [] if slot not in sums else [o for o in operands[slot] if o in operands]
                while waiting:
                    part = waiting.pop()
                    if part in factors or part == sums[slot].start:
                        continue
                    found.add(part)
                    waiting += [o for o in operands[part] if o in operands]
        return found

    def _columns_of_layers(self) -> dict[int, int]:
        inputs = [*(layer.inputs for layer in self.layers.values()), *(products.inputs for products in self.products)]
        found = {slot for slots in inputs if self.places_of_columns(slots) is not None for slot in slots}
        return {slot: self._place_of_column[slot] for slot in found}

    def places_of_columns(self, slots: Sequence[int]) -> Grid | None:
        """The places of inputs among the columns of samples; ``None`` if they are something else."""
        if not all(slot in self._place_of_column for slot in slots):
            return None
        return _grid(np.array([[self._place_of_column[slot] for slot in slots]]))


def axis_of(rows: Any) -> tuple[int, Axis]:
    """Places as the first one, and how they go up from there."""
    return int(rows[0]), _axis(rows - rows[0])


def _uses(operands: Any, outputs: Sequence[int], count: int) -> list[int]:
    every = np.concatenate([np.array(operands, np.int64), np.array(outputs, np.int64)])
    found: list[int] = np.bincount(every[every >= 0], minlength=count).tolist()
    return found


def _grid(places: Any) -> Grid | None:
    """Places ``(neurons, inputs)`` as a grid, if they are one."""
    first, down, right = int(places[0, 0]), places[:, 0] - places[0, 0], places[0] - places[0, 0]
    if not np.array_equal(places, first + down[:, None] + right):
        return None
    return Grid(first, _axis(down), _axis(right))


def _axis(offsets: Any) -> Axis:
    step = int(offsets[1]) if len(offsets) > 1 else 0
    is_even = np.array_equal(offsets, step * np.arange(len(offsets)))
    return Axis(step, None) if is_even else Axis(0, tuple(offsets.tolist()))
