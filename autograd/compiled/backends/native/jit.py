"""Text of LLVM instructions in, functions that can be called out. The one file of the back ends that calls llvmlite.

Code is compiled for this processor, kept on disk as an object file (``cache``), and loaded with addresses of this
process; nothing that is kept holds an address.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
import time
from functools import cache as once
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from autograd.compiled.backends.native import cache

_LOCK = threading.Lock()
_NUMBERS = itertools.count()

#: How much LLVM's code generator tries, from 0 to 3; code in the cache is known by it too.
_OPTIMIZATION = 1


class Library:
    """Loaded code."""

    def __init__(self, handle: Any, seconds: float, *, cached: bool) -> None:
        self._handle = handle
        #: Seconds until it could be called, and whether it came from the disk.
        self.seconds = seconds
        self.cached = cached

    def function(self, name: str, *arguments: Any, result: Any = None) -> Any:
        """A function of the code, of what it takes and what it returns; Python's lock is released while it runs."""
        made = ctypes.CFUNCTYPE(result, *arguments)(self._handle[name])
        made.library = self  # type: ignore[attr-defined]  # as long as the function lives, so does its code
        return made


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


@once
def has_wide_registers() -> bool:
    """Whether the processor has registers of eight numbers (AVX-512)."""
    return bool(llvm.get_host_cpu_features().get("avx512f", False))


@once
def _linker() -> Any:
    """What puts code into memory; one for the process."""
    return llvm.create_lljit_compiler(_target()[0])


def load(text: str, *functions: str) -> Library:
    """The code of a module, from the cache if it is there, of which these functions can be called.

    Raises:
        RuntimeError: the text is no valid module.
    """
    with _LOCK:
        start = time.perf_counter()
        machine, circumstances = _target()
        key = cache.key_of(text, circumstances)
        code = cache.read(key)
        cached = code is not None
        if code is None:
            module = llvm.parse_assembly(text)
            module.verify()
            code = machine.emit_object(module)
            cache.write(key, code)
        builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
        for function in functions:
            builder.export_symbol(function)
        handle = builder.link(_linker(), f"valuegrad {next(_NUMBERS)}")
        return Library(handle, time.perf_counter() - start, cached=cached)
