"""Threads that work for a recording: those that it starts, and others while they do what it hands to them.

A thread does not know for whom it works. So while a function is recorded, what starts threads, submits to pools and
puts into queues notes who asks; and where other threads run, what is made for the recording is marked, so that it is
known however it comes to them.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import LifoQueue, PriorityQueue, Queue
from typing import Any

from autograd.eager import nodes
from autograd.eager.operands import Condition
from autograd.eager.watching import Watch

#: What stands in the place of an attribute: its owner, its name, and that.
Replacement = tuple[Any, str, Any]


def others_run() -> bool:
    """Whether there are threads besides this one."""
    return _thread._count() > (threading.current_thread() is not threading.main_thread())


def replacements(watch: Watch, of_others: bool) -> list[Replacement]:
    """What notes who works for a recording, ``of_others`` also of threads that were there before."""
    found = [
        (threading.Thread, "start", _noting(watch, threading.Thread.start)),
        (_thread, "start_new_thread", _handing(watch, _thread.start_new_thread)),
        (ThreadPoolExecutor, "submit", _submitting(watch, ThreadPoolExecutor.submit)),
    ]
    if of_others:
        found += [*_of_pools(watch), *_of_queues(watch), (Condition, "__init__", _marking(watch, Condition.__init__))]
    return found


def mark(watch: Watch) -> nodes.Hook:
    """A hook that marks what is made for the recording."""

    def mark_node(node: Any) -> None:
        if watch.is_ours():
            node._grad = watch.mark

    return mark_node


def _marking(watch: Watch, init: Callable[..., None]) -> Callable[..., None]:
    def marking(condition: Condition, *parts: Any) -> None:
        init(condition, *parts)
        if watch.is_ours():
            condition._grad = watch.mark

    return marking


def _noting(watch: Watch, start: Callable[..., None]) -> Callable[..., None]:
    def noting(thread: threading.Thread) -> None:
        if watch.is_ours():
            watch.started[thread] = watch.branches()
        start(thread)

    return noting


def _handing(watch: Watch, start: Callable[..., Any]) -> Callable[..., Any]:
    def handing(work: Callable[..., Any], *others: Any) -> Any:
        return start(_working(watch, work), *others)

    return handing


def _submitting(watch: Watch, submit: Callable[..., Any]) -> Callable[..., Any]:
    def submitting(pool: Any, work: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
        return submit(pool, _working(watch, work), *args, **keywords)

    return submitting


def _working(watch: Watch, work: Callable[..., Any]) -> Callable[..., Any]:
    """The same work, for the recording if that asks for it."""
    if not watch.is_ours():
        return work
    within = watch.branches()

    def working(*args: Any, **keywords: Any) -> Any:
        thread = threading.current_thread()
        before = watch.started.get(thread)
        watch.started[thread] = within
        try:
            return work(*args, **keywords)
        finally:
            if before is None:
                del watch.started[thread]
            else:
                watch.started[thread] = before

    return working


def _of_pools(watch: Watch) -> list[Replacement]:
    """Of ``multiprocessing.pool``, if anybody uses it."""
    module = sys.modules.get("multiprocessing.pool")
    if module is None:
        return []
    ThreadPool = module.ThreadPool

    def submitting(submit: Callable[..., Any]) -> Callable[..., Any]:
        def submitted(pool: Any, func: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
            return submit(pool, _working(watch, func) if isinstance(pool, ThreadPool) else func, *args, **keywords)

        return submitted

    owner = module.Pool
    names = ("apply_async", "_map_async", "imap", "imap_unordered")
    return [(owner, name, submitting(vars(owner)[name])) for name in names]


def _of_queues(watch: Watch) -> list[Replacement]:
    """Whoever takes what the recording put into a queue works for it, until it asks for something else."""
    #: What was put into each queue and not yet taken, and the branches in which it was.
    inside: dict[Any, list[tuple[Any, Any]]] = {}
    working = set[threading.Thread]()

    def putting(put: Callable[..., None]) -> Callable[..., None]:
        def noted(queue: Any, item: Any) -> None:
            if watch.is_ours():
                inside.setdefault(queue, []).append((item, watch.branches()))
            put(queue, item)

        return noted

    def taking(take: Callable[..., Any]) -> Callable[..., Any]:
        def noted(queue: Any) -> Any:
            item = take(queue)
            for place, (handed, within) in enumerate(inside.get(queue, ())):
                if handed is item:
                    del inside[queue][place]
                    if not watch.is_ours():
                        thread = threading.current_thread()
                        watch.started[thread] = within
                        working.add(thread)
                    break
            return item

        return noted

    def asking(ask: Callable[..., Any]) -> Callable[..., Any]:
        def noted(queue: Any, *options: Any, **named: Any) -> Any:
            thread = threading.current_thread()
            if thread in working:
                working.discard(thread)
                del watch.started[thread]
            return ask(queue, *options, **named)

        return noted

    owners = (Queue, LifoQueue, PriorityQueue)
    return [
        (Queue, "get", asking(Queue.get)),
        *[(owner, "_put", putting(vars(owner)["_put"])) for owner in owners],
        *[(owner, "_get", taking(vars(owner)["_get"])) for owner in owners],
    ]
