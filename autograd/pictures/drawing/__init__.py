"""Graphs and networks drawn: scenes, their layout, and the files that they are written to."""
