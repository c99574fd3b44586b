"""Values that somebody asks of a knob, read as what the knob takes."""

from __future__ import annotations

from memfit.errors import UnitError, UsageError
from memfit.units import parse_bytes


def size_of(knob: str, value: str, takes: str, *, least_bytes: int = 1) -> int:
    """A size in bytes, with its unit.

    Raises:
        UsageError: it is none, it says no unit, or it is less than ``least_bytes``.
    """
    try:
        found = parse_bytes(value)
    except UnitError as error:
        raise UsageError(f"{knob}={value}: {error.message}", hint=f"{error.hint}; it takes {takes}") from error
    if value.strip().isdigit() or found < least_bytes:
        raise no_such(knob, value, takes)
    return found


def number_of(knob: str, value: str, takes: str, *, least: int, most: int) -> int:
    """A whole number.

    Raises:
        UsageError: it is none, or out of bounds.
    """
    text = value.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and least <= int(text) <= most):
        raise no_such(knob, value, takes)
    return int(text)


def no_such(knob: str, value: str, takes: str) -> UsageError:
    """The refusal of a value that has no meaning."""
    return UsageError(f"{knob}={value}: it is no value for this knob", hint=f"it takes {takes}")
