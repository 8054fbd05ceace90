"""Which function the user's code is calling at this moment: of ``math.sqrt(4.0) * math.exp(x)``, the one that runs.

The call is found by its place in the source, as the interpreter keeps it for each instruction: what is called was
loaded by an instruction that begins where the call begins. So no source is needed, and an alias is seen through: names
and attributes of modules are looked up, and nothing of the user's is run.
"""

from __future__ import annotations

from types import FrameType, ModuleType
from typing import Any

from autograd.provenance.lines import user_frame


def function_called() -> str:
    """``math.exp``: the function, not written in Python, that the user's code calls now; an empty text if it is not
    known. Within the module ``statistics``, the function of that module which was called."""
    frame, called = user_frame(), ""
    while frame is not None and frame.f_globals.get("__name__") == "statistics":
        called, frame = f"statistics.{frame.f_code.co_name}", frame.f_back
    return called or ("" if frame is None else _name_of(_called_in(frame)))


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", None)
    module = getattr(function, "__module__", None) or getattr(type(function), "__module__", None)
    return f"{module.partition('.')[0]}.{name}" if isinstance(name, str) and isinstance(module, str) else ""


#: Instructions between that of a function and that of its call which stand for nothing in the source.
_BESIDE = ("PUSH_NULL", "PRECALL", "KW_NAMES", "LOAD_CONST", "EXTENDED_ARG", "CACHE")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")


def _called_in(frame: FrameType) -> Any:
    """What the instruction that a frame has come to calls; ``None`` if it is no call, or too involved."""
    import dis  # 4 ms, wanted only when something went wrong

    run = [i for i in dis.get_instructions(frame.f_code) if i.offset <= frame.f_lasti and i.opname not in _BESIDE]
    if not run or not run[-1].opname.startswith("CALL"):
        return None
    begin, end = _span(run[-1])
    within = [at for at, i in enumerate(run) if _span(i)[0] == begin and _span(i)[1] < end]
    if None in begin or not within:
        return None
    loaded = within[-1]
    while run[loaded + 1].opname in _ATTRIBUTES:
        loaded += 1
    return _looked_up(frame, run, loaded)


def _span(instruction: Any) -> tuple[tuple[Any, Any], tuple[int, int]]:
    """Where the source of an instruction begins and ends."""
    place = instruction.positions
    if place is None:
        return (None, None), (0, 0)
    return (place.lineno, place.col_offset), (place.end_lineno or 0, place.end_col_offset or 0)


def _looked_up(frame: FrameType, run: list[Any], at: int) -> Any:
    """What a name stands for in a frame, or an attribute of a module."""
    kind, name = run[at].opname, run[at].argval
    if kind in _ATTRIBUTES:
        owner = _looked_up(frame, run, at - 1) if at else None
        return vars(owner).get(name) if isinstance(owner, ModuleType) else None
    if isinstance(name, tuple):  # two names loaded at once
        name = name[-1]
    if kind.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_NAME", "LOAD_GLOBAL")):
        for names in (frame.f_locals if kind != "LOAD_GLOBAL" else {}, frame.f_globals, frame.f_builtins):
            if name in names:
                return names[name]
    return None
