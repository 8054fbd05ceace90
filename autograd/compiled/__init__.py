"""Functions recorded once and replayed over batches: on NumPy, on an interpreter, as machine code."""
