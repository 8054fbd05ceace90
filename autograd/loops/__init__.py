"""Loops that stay loops when they are recorded: ``scan`` and ``map``, and the node that a recorded loop is."""
