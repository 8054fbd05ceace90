"""Which parameters of a model an optimizer moves."""

from __future__ import annotations

from autograd import Value
from nn.module import Module
from nn.optimizers import Optimizer


def parameters_to_move(model: Module, optimizer: Optimizer) -> tuple[dict[Value, str], list[Value]]:
    """The parameters that the optimizer moves, with their paths in the model, and all parameters of this.

    Raises:
        ValueError, TypeError: there are none, it is no optimizer, or it was built over others.
    """
    paths = {parameter: path for path, parameter in model.named_parameters()}
    if not paths:
        raise ValueError(f"{model!r:.200} has no parameters to train")
    held = getattr(optimizer, "parameters", None)
    if not isinstance(held, list) or not hasattr(optimizer, "step"):
        raise TypeError(
            f"optimizer must be one such as SGD(model.parameters(), learning_rate=0.1), not {optimizer!r:.200}"
        )
    foreign = [parameter for parameter in held if parameter not in paths]
    if foreign:
        which = "none of its parameters is" if len(foreign) == len(held) else f"{foreign[0]!r} is not"
        raise ValueError(
            f"the optimizer was built over other parameters than the model's: {which} in the model. "
            "Build it over model.parameters(), after the model"
        )
    return {parameter: paths[parameter] for parameter in held}, list(paths)
