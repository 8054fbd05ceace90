"""Optimizers, taken step by step with given gradients."""

from hypothesis import strategies as st

from nn.optimizers import Optimizer

gradients = st.lists(st.tuples(*[st.floats(-10.0, 10.0)] * 2), min_size=1, max_size=12)


def run(optimizer: Optimizer, steps: list[tuple[float, float]]) -> list[list[float]]:
    """Where the parameters are after each step with these gradients."""
    places = []
    for step in steps:
        for parameter, gradient in zip(optimizer.parameters, step, strict=True):
            parameter.grad = gradient
        optimizer.step()
        places.append([p.data for p in optimizer.parameters])
    return places
