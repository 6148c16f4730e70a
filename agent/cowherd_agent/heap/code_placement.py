"""Code that runs for requests is moved together, so that writes into it cost few pages.

From 3.11 on the interpreter adapts code while it runs (PEP 659). It writes specialized instructions
and counters into the code object itself, and keeps counting for as long as an instruction fits no
specialization (Python/specialize.c; `ADVANCE_ADAPTIVE_COUNTER` in Python/ceval_macros.h). Code
objects lie where their modules were loaded, between everything else, so each worker copies some 500
pages for 700 code objects of 300 bytes. Nothing in the mold can stop the writes. But copies of
these code objects that are made one after the other, when the heap has no holes left, lie side by
side.

A function runs the copy once its `__code__` is set to it; both compare equal. Playing warm-up
requests under a profile function finds the code that runs.
"""

from __future__ import annotations

import sys
import time
from types import CodeType, FrameType, FunctionType
from typing import Any

from cowherd_agent.heap.report import StepReport
from cowherd_agent.heap.seal import seal
from cowherd_agent.heap.seal_c_heap import seal_c_heap
from cowherd_agent.heap.trim import trim
from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.rollup import anonymous_bytes

# The original code objects: freed, they would leave the holes that are to be avoided.
_KEPT: list[CodeType] = []


class Recorder:
    """Within `with`, records all code that this thread runs. Records nothing while a profiler or
    debugger is active, which may keep its own data by code object."""

    def __init__(self) -> None:
        self.codes: dict[int, CodeType] = {}
        self._is_recording = False

    def __enter__(self) -> Recorder:
        self._is_recording = sys.getprofile() is None and sys.gettrace() is None
        if self._is_recording:
            sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_recording:
            sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            self.codes[id(frame.f_code)] = frame.f_code


def gather(codes: dict[int, CodeType]) -> StepReport:
    """Makes functions run copies of these code objects that lie together.

    Free memory is filled first, so that the copies do not land in it. The counts of the report:
    `codes` copied, and `functions` that run one of them.
    """
    started = time.perf_counter()
    anonymous_before = anonymous_bytes()
    if not codes:
        reason = "no warm-up request was recorded"
        return StepReport("gather code", time.perf_counter() - started, skipped=reason)
    copied = _with_nested(codes)
    # This frees the list of all objects before the holes, its own among them, are closed.
    functions = [
        each
        for each in rawgc.get_objects()
        if type(each) is FunctionType and id(each.__code__) in copied
    ]
    trim()
    seal(is_frozen=False)
    seal_c_heap()
    copies = _copies_of(codes)
    _KEPT.extend(copied.values())
    for function in functions:
        function.__code__ = copies[id(function.__code__)]
    return StepReport(
        name="gather code",
        seconds=time.perf_counter() - started,
        price_bytes=anonymous_bytes() - anonymous_before,
        counts={"codes": len(copies), "functions": len(functions)},
    )


def _with_nested(codes: dict[int, CodeType]) -> dict[int, CodeType]:
    """Adds the code of functions made inside of them, which is among their constants."""
    found: dict[int, CodeType] = {}
    stack = list(codes.values())
    while stack:
        code = stack.pop()
        if id(code) not in found:
            found[id(code)] = code
            stack.extend(each for each in code.co_consts if type(each) is CodeType)
    return found


def _copies_of(codes: dict[int, CodeType]) -> dict[int, CodeType]:
    """Copies by the id of the original; inner code first, as it is a constant of the outer one."""
    copies: dict[int, CodeType] = {}

    def copy(code: CodeType) -> CodeType:
        known = copies.get(id(code))
        if known is None:
            constants = tuple(
                copy(each) if type(each) is CodeType else each for each in code.co_consts
            )
            known = copies[id(code)] = code.replace(co_consts=constants)
        return known

    for code in codes.values():
        copy(code)
    return copies
