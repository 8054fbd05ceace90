"""LLVM instructions as a number system: the emitter, and the kernels of functions that processors do not have."""
