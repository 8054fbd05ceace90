"""Metrics: accuracy decides as the loss does."""

import nn


def test_accuracy_takes_targets_that_are_lists_of_one() -> None:
    assert nn.metrics.accuracy([3.0, -2.0], [[1], [0]], "bce_with_logits") == 1.0
