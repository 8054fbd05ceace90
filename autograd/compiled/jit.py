"""Text of LLVM instructions in, functions that can be called out. The one file of the back ends that calls llvmlite.

Code is compiled for this processor, kept on disk as an object file (``cache``), and loaded with addresses of this
process; nothing that is kept holds an address.
"""

from __future__ import annotations

import ctypes
import threading
import time
from functools import cache as once
from typing import Any, NamedTuple

import llvmlite
import llvmlite.binding as llvm

from autograd.compiled import cache

_LOCK = threading.Lock()


class Library(NamedTuple):
    """Loaded code."""

    engine: Any
    #: Seconds that compiling took; of code from the cache, that loading took.
    seconds: float
    cached: bool

    def function(self, name: str, *arguments: Any) -> Any:
        """A function of the code that returns nothing; Python's lock is released while it runs."""
        address = self.engine.get_function_address(name)
        if not address:
            raise LookupError(f"the compiled code has no function {name}")
        made = ctypes.CFUNCTYPE(None, *arguments)(address)
        made.library = self  # as long as the function lives, so does its code
        return made


@once
def _target() -> tuple[Any, str]:
    """The machine to compile for, and all that the code depends on besides its text."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=cpu, features=features, opt=1, jit=True)
    version = ".".join(map(str, llvm.llvm_version_info))
    return machine, "\n".join([machine.triple, cpu, features, version, llvmlite.__version__])


def load(text: str) -> Library:
    """The code of a module, from the cache if it is there.

    Raises:
        RuntimeError: the text is no valid module.
    """
    with _LOCK:
        start = time.perf_counter()
        machine, circumstances = _target()
        key = cache.key_of(text, circumstances)
        code = cache.read(key)
        if code is not None:
            return Library(_loaded(code, machine), time.perf_counter() - start, True)
        module = llvm.parse_assembly(text)
        module.verify()
        code = machine.emit_object(module)
        engine = _loaded(code, machine)
        cache.write(key, code)
        return Library(engine, time.perf_counter() - start, False)


def _loaded(code: bytes, machine: Any) -> Any:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine
