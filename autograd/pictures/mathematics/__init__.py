"""Derivatives as mathematics: derivations, explanations, and a textbook's formulas verified."""
