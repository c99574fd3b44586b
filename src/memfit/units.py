"""Quantities: bytes and tokens in, text out. Everywhere else memfit holds plain ``int`` bytes."""

from __future__ import annotations

import re

from memfit.errors import UnitError

KIB = 1024
MIB = 1024**2
GIB = 1024**3

_BINARY = {"kib": KIB, "mib": MIB, "gib": GIB, "tib": 1024**4}
_DECIMAL = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_SHORT = {"k": KIB, "m": MIB, "g": GIB, "t": 1024**4}
# no quantity has more digits, and Python itself refuses to read more than 4,300 of them
_QUANTITY = re.compile(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([a-zA-Z]*)\s*")


def parse_bytes(text: str, *, short: str | None = None) -> int:
    """Read a size such as ``7.4GiB``, ``512MiB``, ``8GB`` or ``1048576``; returns bytes.

    ``4G`` may mean 4 GiB or 4 GB, which differ by 7 %: it is refused unless ``short`` says which reading
    this field takes (``"binary"`` or ``"decimal"``).

    Raises:
        UnitError: no number, an unknown unit, an ambiguous one, or a size that is not whole bytes.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UnitError(f"not a size: {text!r}", hint="write it like 7.4GiB, 512MiB or 8GB")
    number, unit = match.group(1), match.group(2).lower()
    scale = _scale(text, number, unit, short)
    whole, _, fraction = number.partition(".")
    # integers all the way: a float would round sizes above 2^53 and turn "0.1GiB" into a guess
    size, rest = divmod(int(whole + fraction) * scale, int(10 ** len(fraction)))
    if scale == 1 and rest:
        raise UnitError(f"not a whole number of bytes: {text!r}", hint="give a unit, as in 7.4GiB")
    return size


def _scale(text: str, number: str, unit: str, short: str | None) -> int:
    if unit in ("", "b"):
        return 1
    if unit in _BINARY:
        return _BINARY[unit]
    if unit in _DECIMAL:
        return _DECIMAL[unit]
    if unit in _SHORT:
        if short == "binary":
            return _SHORT[unit]
        if short == "decimal":
            return _DECIMAL[unit + "b"]
        letter = unit.upper()
        raise UnitError(
            f"{text.strip()!r} can be read in two ways",
            hint=f"write {number}{letter}iB (1024-based) or {number}{letter}B (1000-based)",
        )
    raise UnitError(f"unknown unit {match_unit(text)!r} in {text!r}", hint="known units: KiB MiB GiB TiB, kB MB GB TB")


def match_unit(text: str) -> str:
    """The letters of a quantity as they were written, for messages."""
    return re.sub(r"[^a-zA-Z]", "", text)


def parse_tokens(text: str) -> int:
    """Read a count of tokens such as ``8192``, ``8k`` or ``128K``; k is 1024, as every engine's documentation uses it.

    Raises:
        UnitError: no number, a fraction of a token, or an unknown suffix.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match.group(2).lower() not in ("", "k", "m"):
        raise UnitError(f"not a count of tokens: {text!r}", hint="write it like 8192 or 8k (k is 1024)")
    scale = {"": 1, "k": KIB, "m": MIB}[match.group(2).lower()]
    whole, _, fraction = match.group(1).partition(".")
    count, rest = divmod(int(whole + fraction) * scale, int(10 ** len(fraction)))
    if rest:
        raise UnitError(f"not a whole count of tokens: {text!r}", hint="write it like 8192 or 8k (k is 1024)")
    return count


_SECONDS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


def parse_seconds(text: str) -> float:
    """Read a length of time such as ``90``, ``90s``, ``10m``, ``10min`` or ``1.5h``; returns seconds.

    Raises:
        UnitError: no number, or an unknown unit.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match.group(2).lower() not in _SECONDS:
        raise UnitError(f"not a length of time: {text!r}", hint="write it like 90s, 10m or 1.5h")
    return float(match.group(1)) * _SECONDS[match.group(2).lower()]


def format_bytes(size: int) -> str:
    """Text for people, in MiB below 10 GiB and GiB above: ``1918.4 MiB``, ``14.97 GiB``."""
    if abs(size) >= 10 * GIB:
        return f"{size / GIB:.2f} GiB"
    if abs(size) >= MIB // 10 or size == 0:
        return f"{size / MIB:.1f} MiB"
    return f"{size / KIB:.1f} KiB"


def format_tokens(count: int) -> str:
    """``8k`` for round counts, digits otherwise."""
    return f"{count // KIB}k" if count and count % KIB == 0 else str(count)
