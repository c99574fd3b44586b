"""Why a program has ended, in the words of the record."""

from __future__ import annotations

import signal

from memfit.measure.course import Course, Ended
from memfit.measure.program import Program
from memfit.units import format_bytes

_MOST_SHOWN = 240  # characters of what it said last: garbage need not have lines
_SIGNAL_OF_SHELLS = 128  # a shell's exit code for a program that a signal ended is this and the signal


def ending_of(program: Program, course: Course) -> Ended:
    """What to record of a program that ended by itself before its work was done."""
    code = program.code
    where = course.place
    limit = course.killed_for_memory()
    if limit:
        charged = course.charged_bytes  # it kills when nothing of this can be dropped any more
        held = f", when it was charged with {format_bytes(charged)}" if charged else ""
        return Ended("killed", f"the kernel killed it for {limit} {where}{held}")
    last = _last_line(program.said.end)
    said = f": {last}" if last else ""
    if code is not None and (code < 0 or code > _SIGNAL_OF_SHELLS):
        number = -code if code < 0 else code - _SIGNAL_OF_SHELLS
        return Ended("failed", f"the engine was ended by {_name(number)} {where}{said}")
    return Ended("failed", f"the engine ended with code {code} {where}{said}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-_MOST_SHOWN:] if lines else ""


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
