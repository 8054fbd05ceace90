"""The words of the interpreter's code: its operations, and how a word names an operand.

A word of code that names an operand is ``4 * place + 1`` for a row of the block, and ``4 * place`` for a number that
all samples share, which fills a vector there; a place counts vectors. Inside of a loop, ``4 * place + 3`` is a
row that moves on with each step.
"""

from __future__ import annotations

#: Samples of a block, unless columns of loops would take too much memory.
SAMPLES = 64

END, LOAD, KEEP, DOT, GATHER, LAYER, OUTER, PRODUCT, MOVE, REPEAT, NEXT = range(11)

#: Products that ``gather`` adds at a time.
GATHERED = 8
#: Neurons that ``layer`` and ``outer`` take at a time.
NEURONS = 4
