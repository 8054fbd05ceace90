"""Text of LLVM instructions in, functions that can be called out. The one file of the back ends that calls llvmlite.

Code is compiled for this processor, kept on disk as an object file (``cache``), and loaded with addresses of this
process; nothing that is kept holds an address.

llvmlite is called in one place, under a lock, and nothing interrupts it: an error raised amid of its calls would leave
its own lock taken, or free what it frees again. So code that is not used any more is given back at the next call here.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
import time
from functools import cache as once
from typing import Any
from weakref import ref

import llvmlite
import llvmlite.binding as llvm

from autograd.compiled.backends.native import cache
from autograd.interrupts import uninterrupted

#: A process is forked while nothing is compiled, or LLVM's own locks would be taken in it for ever.
_LOCK = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)
_NUMBERS = itertools.count()

#: How much LLVM's code generator tries, from 0 to 3; code in the cache is known by it too.
_OPTIMIZATION = 1


class Library:
    """Loaded code, of which some functions can be called, by their addresses."""

    def __init__(self, addresses: dict[str, int], seconds: float, *, cached: bool) -> None:
        self._addresses = addresses
        #: Seconds until it could be called, and whether it came from the disk.
        self.seconds = seconds
        self.cached = cached

    def address(self, name: str) -> int:
        """Where a function begins; it may be called as long as the library lives."""
        return self._addresses[name]

    def function(self, name: str, *arguments: Any, result: Any = None) -> Any:
        """A function of the code, of what it takes and what it returns; Python's lock is released while it runs."""
        made = ctypes.CFUNCTYPE(result, *arguments)(self._addresses[name])
        made.library = self  # type: ignore[attr-defined]  # as long as the function lives, so does its code
        return made


#: What keeps the code of each library in memory, and the libraries that are used no more. To note them takes a function
#: that is not Python's, into which nothing can break.
_HANDLES: dict[ref[Library], Any] = {}
_UNUSED: list[ref[Library]] = []


@once
def _target() -> tuple[Any, str]:
    """The machine to compile for, and all that the code depends on besides its text."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=cpu, features=features, opt=_OPTIMIZATION, jit=True)
    version = ".".join(map(str, llvm.llvm_version_info))
    level = f"optimization {_OPTIMIZATION}"
    return machine, "\n".join([machine.triple, cpu, features, level, version, llvmlite.__version__])


def circumstances() -> str:
    """All that code depends on besides its text: the processor, its features, and what compiles."""
    with _LOCK, uninterrupted():
        return _target()[1]


@once
def processor() -> str:
    """The processor's name, as LLVM has it."""
    with _LOCK, uninterrupted():
        return str(llvm.get_host_cpu_name())


@once
def has_wide_registers() -> bool:
    """Whether the processor has registers of eight numbers (AVX-512)."""
    with _LOCK, uninterrupted():
        return bool(llvm.get_host_cpu_features().get("avx512f", False))


@once
def _linker() -> Any:
    """What puts code into memory; one for the process."""
    return llvm.create_lljit_compiler(_target()[0])


def load(text: str, *functions: str, keep: bool = True) -> Library:
    """The code of a module, from the cache if it is there, of which these functions can be called.

    Args:
        keep: keep code that is new in the cache.

    Raises:
        RuntimeError: the text is no valid module.
    """
    with _LOCK, uninterrupted():
        while _UNUSED:
            del _HANDLES[_UNUSED.pop()]
        start = time.perf_counter()
        machine, around = _target()
        key = cache.key_of(text, around)
        code = cache.read(key)
        if code is not None:
            try:
                return _loaded(code, functions, start, cached=True)
            except RuntimeError:  # it is what was kept, and no code: it is made again
                pass
        with llvm.parse_assembly(text) as module:  # it is freed here, under the lock
            module.verify()
            code = machine.emit_object(module)
        library = _loaded(code, functions, start, cached=False)
        if keep:
            cache.write(key, code)
        return library


def _loaded(code: bytes, functions: tuple[str, ...], start: float, *, cached: bool) -> Library:
    builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    for function in functions:
        builder.export_symbol(function)
    handle = builder.link(_linker(), f"valuegrad {next(_NUMBERS)}")
    addresses = {function: handle[function] for function in functions}
    library = Library(addresses, time.perf_counter() - start, cached=cached)
    _HANDLES[ref(library, _UNUSED.append)] = handle
    return library
