"""Pictures of a training as PNG. The one file that imports Matplotlib, and that only when something is drawn.

Figures are made without pyplot, so nothing depends on a screen or on what another figure was set to.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nn import files
from nn.interrupts import shielded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Told apart by people with any colour vision (Okabe and Ito, 2008), after two that also print well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#8C6D31", "#444444", "#B5BD61")

#: Points of the grid along each axis, on which a model is asked for its regions.
GRID = 140

_INK = "#1f2328"


class Rows(Protocol):
    """What is drawn as points: rows of numbers, each with its target, the index of a class or a quantity."""

    @property
    def rows(self) -> Sequence[Sequence[float]]:
        """The numbers of each point."""

    @property
    def targets(self) -> Sequence[float]:
        """The target of each point."""


class Predictor(Protocol):
    """What regions are drawn of: a model that knows the names of its features and of what it predicts."""

    @property
    def feature_names(self) -> Sequence[str]:
        """What the axes are called."""

    @property
    def target_name(self) -> str:
        """What is predicted."""

    @property
    def classes(self) -> Sequence[str] | None:
        """The names of the classes; None for a quantity."""

    def probabilities(self, rows: Sequence[Sequence[float]]) -> list[list[float]]:
        """One probability per class for each row."""

    def predict(self, rows: Sequence[Sequence[float]]) -> list[Any]:
        """The class or the quantity of each row."""


def is_available() -> bool:
    """Whether Matplotlib can be imported."""
    try:
        import matplotlib.figure  # noqa: F401 - to see whether it works
    except ImportError:
        return False
    return True


class Picture(NamedTuple):
    """A picture as the bytes of a PNG; a notebook shows it."""

    png: bytes

    def _repr_png_(self) -> bytes:
        return self.png


def loss_curve(
    losses: Sequence[float],
    path: str | os.PathLike[str] | None = None,
    *,
    loss: str = "",
    title: str = "loss",
    validation: Sequence[float] = (),
) -> Path | Picture:
    """The file with the mean loss of each epoch, and that of validation; without a path the picture itself.

    The axis is logarithmic where the losses span a factor of ten.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    content = io.BytesIO()
    with _figure(content, (6.4, 4.0)) as figure:
        axes = _axes(figure, title)
        named = [("training", list(losses)), *([("validation", list(validation))] if validation else [])]
        ends = _apart([numbers[-1] for _, numbers in named])
        for (name, numbers), colour, shift in zip(named, COLOURS, ends, strict=False):
            epochs = range(1, len(numbers) + 1)
            marker = "o" if len(numbers) < 3 else ""
            axes.plot(epochs, numbers, color=colour, linewidth=1.8, marker=marker, clip_on=False)
            axes.annotate(
                f"{numbers[-1]:.3g}" + (f" {name}" if validation else ""),
                (len(numbers), numbers[-1]),
                xytext=(6, shift),
                textcoords="offset points",
                color=colour,
                va="center",
                annotation_clip=False,
            )
        shown = [*losses, *validation]
        low, high = min(shown), max(shown)
        if low > 0.0 and high > 10.0 * low:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 300.0 * low else (1.0,)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(1, max(2, len(losses)))
        axes.set_xlabel("epoch")
        what = "loss" if validation else "training loss"
        axes.set_ylabel(f"{what} ({_plain(loss)})" if loss else what)
        axes.grid(True, which="major", color="#d8dce2", linewidth=0.7)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if path is None:
        return Picture(content.getvalue())
    files.write(path, content.getvalue())
    return Path(path)


def _apart(ends: Sequence[float]) -> list[float]:
    """How far, in points, to move the texts at the ends of two curves, so that they can be read."""
    return [0.0] if len(ends) == 1 else [7.0, -7.0] if ends[0] >= ends[1] else [-7.0, 7.0]


def regions(model: Predictor, train: Rows, test: Rows, path: str | os.PathLike[str], *, title: str) -> Path:
    """The file with what a model of two features says over the plane, and the training and test rows on it.

    Classes have a colour each, mixed where the model is not sure, with a line where its decision changes. A quantity
    is a surface seen from above, the rows having the colour of their true value.

    Raises:
        ValueError: the model has not two features.
    """
    if len(model.feature_names) != 2:
        raise ValueError(f"regions need two features; the model has {len(model.feature_names)}")
    plane = _Plane(*(_ticks([row[axis] for row in (*train.rows, *test.rows)]) for axis in (0, 1)))
    content = io.BytesIO()
    with _figure(content, (7.2, 5.2)) as figure:
        axes = _axes(figure, title)
        draw = _classes if model.classes is not None else _surface
        draw(figure, axes, model, (train, test), plane)
        axes.set_xlim(*plane.extent[:2])
        axes.set_ylim(*plane.extent[2:])
        axes.set_xlabel(_plain(model.feature_names[0]))
        axes.set_ylabel(_plain(model.feature_names[1]))
    files.write(path, content.getvalue())
    return Path(path)


class _Plane(NamedTuple):
    """The points at which a model is asked, by the columns and the rows of the picture."""

    xs: list[float]
    ys: list[float]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top."""
        return self.xs[0], self.xs[-1], self.ys[0], self.ys[-1]

    def over(self, function: Callable[[list[list[float]]], list[Any]]) -> list[list[Any]]:
        """The results of a function of rows at each point, as rows of the picture."""
        results = function([[x, y] for y in self.ys for x in self.xs])
        return [results[start : start + len(self.xs)] for start in range(0, len(results), len(self.xs))]


def _classes(figure: Figure, axes: Axes, model: Predictor, parts: tuple[Rows, Rows], plane: _Plane) -> None:
    from matplotlib.colors import to_rgb

    classes = model.classes or ()
    colours = [to_rgb(COLOURS[i % len(COLOURS)]) for i in range(len(classes))]
    grid = plane.over(model.probabilities)
    image = [[_mixture(point, colours) for point in row] for row in grid]
    axes.imshow(image, origin="lower", extent=plane.extent, aspect="auto", interpolation="bilinear", zorder=0)
    for i in range(len(classes)):
        lead = [[point[i] - max(p for j, p in enumerate(point) if j != i) for point in row] for row in grid]
        if min(map(min, lead)) < 0.0 < max(map(max, lead)):
            axes.contour(plane.xs, plane.ys, lead, levels=[0.0], colors=[_INK], linewidths=1.0, alpha=0.7, zorder=1)
    for part, style in zip(parts, _STYLES, strict=True):
        for i, colour in enumerate(colours):
            rows = [row for row, target in zip(part.rows, part.targets, strict=True) if target == i]
            x, y = _columns(rows)
            axes.scatter(x, y, color=[colour], **style)
    numbers = all(name.lstrip("-").replace(".", "").isdigit() for name in classes)  # which say nothing by themselves
    prefix = f"{model.target_name} = " if numbers else ""
    _legend(figure, [_plain(prefix + name) for name in classes], colours)


def _surface(figure: Figure, axes: Axes, model: Predictor, parts: tuple[Rows, Rows], plane: _Plane) -> None:
    grid = plane.over(model.predict)
    targets = [target for part in parts for target in part.targets]
    low, high = min(targets), max(targets)
    colours: dict[str, Any] = {"vmin": low, "vmax": high, "cmap": "viridis"}
    image = axes.imshow(grid, origin="lower", extent=plane.extent, aspect="auto", interpolation="bilinear", **colours)
    if min(map(min, grid)) < max(map(max, grid)):
        axes.contour(plane.xs, plane.ys, grid, levels=8, colors=["white"], linewidths=0.6, alpha=0.6)
    for part, style in zip(parts, _STYLES, strict=True):
        x, y = _columns(part.rows)
        axes.scatter(x, y, c=part.targets, **colours, **style)
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_label(_plain(model.target_name), color=_INK)
    bar.outline.set_visible(False)
    _legend(figure, [], [])


#: Training rows, then test rows.
_STYLES: tuple[dict[str, Any], dict[str, Any]] = (
    {"marker": "o", "s": 26, "edgecolors": "white", "linewidths": 0.6, "zorder": 2},
    {"marker": "D", "s": 34, "edgecolors": "black", "linewidths": 1.0, "zorder": 3},
)


def _legend(figure: Figure, names: list[str], colours: list[Any]) -> None:
    from matplotlib.lines import Line2D

    def point(label: str, marker: str, colour: Any, edge: str) -> Line2D:
        look: dict[str, Any] = {"markersize": 6.5, "markerfacecolor": colour, "markeredgecolor": edge}
        return Line2D([], [], linestyle="", marker=marker, label=label, **look)

    handles = [point(name, "s", colour, "none") for name, colour in zip(names, colours, strict=True)]
    handles += [point("training rows", "o", "#9aa0a8", "white"), point("test rows", "D", "#9aa0a8", "black")]
    look: dict[str, Any] = {"frameon": False, "fontsize": 9, "labelcolor": _INK}
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5), **look)


def _mixture(probabilities: Sequence[float], colours: Sequence[Sequence[float]]) -> list[float]:
    """The colours mixed as the classes are likely, on white."""
    mixed = [sum(p * colour[channel] for p, colour in zip(probabilities, colours, strict=True)) for channel in range(3)]
    return [min(1.0, 0.58 + 0.42 * channel) for channel in mixed]


def _ticks(numbers: Sequence[float]) -> list[float]:
    """The points of the grid along one axis, a little beyond the numbers on both sides."""
    low, high = min(numbers), max(numbers)
    margin = 0.08 * (high - low) or 0.5 * abs(low) or 0.5
    low, width = low - margin, high - low + 2.0 * margin
    return [low + width * i / (GRID - 1) for i in range(GRID)]


def _columns(rows: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    return [row[0] for row in rows], [row[1] for row in rows]


def _plain(text: str) -> str:
    """A name of the user's as it can be drawn: on one line, of bounded length, not mistaken for mathematics."""
    line = " ".join(text.split())
    line = line if len(line) <= 32 else line[:31] + "…"
    return ("\N{NO-BREAK SPACE}" if line.startswith("_") else "") + line.replace("$", r"\$")


def _axes(figure: Figure, title: str) -> Axes:
    axes = figure.add_subplot()
    axes.set_title(title.replace("$", r"\$"), fontsize=11, color=_INK, loc="left", pad=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#8a8f98")
    axes.tick_params(colors="#4a4f57", labelsize=9)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    return axes


@contextmanager
def _figure(content: io.BytesIO, size: tuple[float, float]) -> Iterator[Figure]:
    """A figure to draw on, which is then written there as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=150, layout="constrained", facecolor="white")
    yield figure
    with shielded(warnings.catch_warnings()):
        # A class name may hold characters that the font lacks; a box is drawn for each, and that is enough said.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(content, format="png")
