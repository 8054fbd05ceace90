"""How files of the user are written and read: as ``autograd`` does."""

from autograd.files import read, write

__all__ = ["read", "write"]
