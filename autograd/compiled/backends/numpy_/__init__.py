"""Replay on NumPy: one call for all instructions that can run together."""
