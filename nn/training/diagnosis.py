"""``diagnose``: what keeps a network from learning, found in one pass over the samples before anything is trained.

For each layer with weights it measures ∂C/∂Z, the gradient that reaches the layer's sums, and the slope of its
activation at each unit and sample. The bounds are conventions, named below.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any, NamedTuple

from autograd import Value, find_nonfinite, gradients, mean
from nn.checks import listed, sample_rows
from nn.cost import LossFunction, find_loss

#: A unit is saturated where its activation's slope is below this on every sample; with a slope of zero it is dead.
SATURATED_SLOPE = 1e-3
#: A layer's gradient has vanished, or exploded, if it is this many times smaller, or larger, than the last layer's.
VANISHED, EXPLODED = 1e-4, 1e4
#: Gradients hold more than one backward pass if they are at least this many times the fresh ones, and parallel to them.
PILED_UP, PARALLEL = 1.5, 0.999


class LayerReport(NamedTuple):
    """One row of the table: a layer with weights, counted from 1.

    ``gradient`` is the root mean square of ∂C/∂Z over units and samples, C being the mean loss times the number of
    samples, so that it does not shrink with their number.
    """

    layer: int
    units: int
    dead: tuple[int, ...]
    saturated: tuple[int, ...]
    gradient: float


class Diagnosis(NamedTuple):
    """What was found: a row per layer, and one sentence per finding, worst first; none if all is well."""

    layers: tuple[LayerReport, ...]
    findings: tuple[str, ...]
    unreached: tuple[str, ...]

    def __str__(self) -> str:
        head = f"{'layer':>5} {'units':>5} {'dead':>5} {'saturated':>9} {'rms of ∂C/∂Z':>13}"
        rows = [
            f"{r.layer:>5} {r.units:>5} {len(r.dead):>5} {len(r.saturated):>9} {r.gradient:>13.3g}" for r in self.layers
        ]
        return "\n".join([head, *rows, "", *(self.findings or ("nothing stands in the way of learning",))])

    def _repr_html_(self) -> str:
        """The table and the findings, for a notebook."""
        head = "".join(f"<th>{name}</th>" for name in ("layer", "units", "dead", "saturated", "rms of ∂C/∂Z"))
        rows = "".join(
            f"<tr><td>{r.layer}</td><td>{r.units}</td><td>{len(r.dead)}</td><td>{len(r.saturated)}</td>"
            f"<td>{r.gradient:.3g}</td></tr>"
            for r in self.layers
        )
        found = "".join(f"<li>{html.escape(finding)}</li>" for finding in self.findings)
        return f"<table><tr>{head}</tr>{rows}</table><ul>{found or '<li>nothing found</li>'}</ul>"


def diagnose(model: Any, X: Any, y: Any, *, loss: str | LossFunction = "mse") -> Diagnosis:
    """Dead and saturated units, vanishing and exploding gradients, parameters out of reach, gradients that piled up.

    Nothing of the model is changed. It takes about three times one forward and backward pass over the samples.

    >>> import nn
    >>> model = nn.MLP(1, [2, 1], activation="relu")
    >>> for neuron in model.layers[0].neurons:
    ...     neuron.b.data = -100.0
    >>> print(nn.diagnose(model, [[0.5], [1.0]], [0.0, 1.0]).findings[0])
    layer 1: 2 of 2 units are dead (0, 1): no sample moves them. Use leaky_relu, a lower learning rate, or start anew

    Args:
        model: a network with ``layers`` and ``trace``, such as ``MLP`` or ``Sequential``.
        X, y: the samples, a few dozen are enough.
        loss: the name of a loss, or a function of output and target, that the network is trained with.

    Raises:
        TypeError: the model has no layers to look into.
        ValueError: no samples, or not as many targets.
    """
    if not hasattr(model, "trace"):
        raise TypeError(f"diagnose looks into networks with layers, such as MLP; {type(model).__name__} has no trace")
    rows, targets, function = sample_rows(X), listed(y), find_loss(loss)
    if not rows or len(rows) != len(targets):
        raise ValueError(f"diagnose needs samples and as many targets; there are {len(rows)} and {len(targets)}")
    if any(x != x or abs(x) == float("inf") for row in rows for x in row):
        raise ValueError("diagnose needs finite inputs; X holds nan or an infinity")
    traces = [model.trace(row) for row in rows]
    losses = [function(trace.output, target) for trace, target in zip(traces, targets, strict=True)]
    named = list(model.named_parameters())
    fresh = gradients(mean(losses), [parameter for _, parameter in named])
    layers = tuple(_layer_reports(traces, losses))
    unreached = tuple(_unreached(named, losses))
    findings = [
        *_of_nonfinite(losses, fresh),
        *_of_gradients(layers),
        *_of_units(layers),
        *([f"the loss does not depend on {_some(unreached)}: no training will move them"] if unreached else []),
        *_of_piled_up([p.grad for _, p in named], [g.data for g in fresh]),
    ]
    return Diagnosis(layers, tuple(findings), unreached)


def _layer_reports(traces: Sequence[Any], losses: Sequence[Any]) -> list[LayerReport]:
    by_sample = [gradients(loss, [trace.Z, trace.A]) for trace, loss in zip(traces, losses, strict=True)]
    reports = []
    for index in range(len(traces[0].Z)):
        units = range(len(traces[0].Z[index]))
        cotangents = [[cotangent.data for cotangent in of_z[index]] for of_z, _ in by_sample]
        slopes = [[_slope(trace.Z[index][unit], trace.A[index][unit]) for trace in traces] for unit in units]
        dead = tuple(unit for unit in units if all(slope == 0.0 for slope in slopes[unit]))
        saturated = tuple(
            unit for unit in units if unit not in dead and all(abs(slope) < SATURATED_SLOPE for slope in slopes[unit])
        )
        squares = [c * c for row in cotangents for c in row]
        reports.append(LayerReport(index + 1, len(units), dead, saturated, sqrt(sum(squares) / len(squares))))
    return reports


def _slope(z: Value, a: Value) -> float:
    """∂a/∂z: the slope of the activation where this sample is."""
    return 1.0 if a is z else float(gradients(a, z).data)


def _of_nonfinite(losses: Sequence[Any], fresh: Sequence[Value]) -> list[str]:
    """Where the first nan or infinity was born, if a loss or a gradient is one."""
    if all(isfinite(number.data) for number in (*losses, *fresh)):
        return []
    reports = ((i, find_nonfinite(loss)) for i, loss in enumerate(losses))
    return next(([f"X[{i}]: {report.births[0]}".replace("\n ", "")] for i, report in reports if report), [])


def _of_gradients(layers: Sequence[LayerReport]) -> list[str]:
    last = layers[-1].gradient
    found = []
    for report in layers[:-1]:
        ratio = report.gradient / last if last else 1.0
        at = f"layer {report.layer}: its gradient is {ratio:.1e} of the last layer's"
        if ratio <= VANISHED and len(report.dead) < report.units:  # dead units are a finding of their own
            found.append(f"{at}; it vanishes on the way. Use relu or another initializer, or fewer layers")
        elif ratio >= EXPLODED:
            found.append(f"{at}; it explodes on the way. Use smaller first weights, or clip the gradients")
    if last == 0.0:
        found.insert(0, "no gradient leaves the loss: it is flat at every sample (all margins met, say)")
    return found


def _of_units(layers: Sequence[LayerReport]) -> list[str]:
    found = []
    for report in layers:
        if report.dead:
            found.append(
                f"layer {report.layer}: {len(report.dead)} of {report.units} units are dead ({_some(report.dead)}): "
                "no sample moves them. Use leaky_relu, a lower learning rate, or start anew"
            )
        if report.saturated:
            found.append(
                f"layer {report.layer}: {len(report.saturated)} of {report.units} units are saturated "
                f"({_some(report.saturated)}) on every sample. Standardise the inputs, or use smaller first weights"
            )
    return found


def _unreached(named: Sequence[tuple[str, Value]], losses: Sequence[Any]) -> list[str]:
    """The names of the parameters that no loss was computed from."""
    met: set[Value] = set()
    stack = [loss for loss in losses if isinstance(loss, Value)]
    while stack:
        node = stack.pop()
        if node not in met:
            met.add(node)
            stack += [parent for parent in node.parents if isinstance(parent, Value) and parent not in met]
    return [name for name, parameter in named if parameter not in met]


def _of_piled_up(held: Sequence[float], fresh: Sequence[float]) -> list[str]:
    """Whether the gradients that the parameters hold are a sum over several backward passes."""
    along = sum(h * f for h, f in zip(held, fresh, strict=True))
    size, other = sqrt(sum(f * f for f in fresh)), sqrt(sum(h * h for h in held))
    if not size or not other or along < PARALLEL * size * other or other < PILED_UP * size:
        return []
    times = f"{other / size:.3g} times the gradient of these samples"
    return [f"the parameters hold {times}: gradients pile up. Call model.zero_grad() before each backward()"]


def _some(names: Sequence[Any]) -> str:
    shown = ", ".join(map(str, names[:4]))
    return shown if len(names) <= 4 else f"{shown}, … {len(names)} in all"
