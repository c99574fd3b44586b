"""Axes: from bytes to places, and the round values in between."""

from __future__ import annotations

import math

from memfit.units import GIB, KIB, MIB, format_bytes


def ticks(top_bytes: int, most: int) -> tuple[int, ...]:
    """Round values from 0 up to ``top_bytes``, at most ``most + 1`` of them, a power of two apart.

    Powers of two because the labels are MiB and GiB: 512 MiB, 1 GiB, 2 GiB; never 0.93 GiB.
    """
    step = KIB
    while top_bytes > step * most:
        step *= 2
    return tuple(range(0, top_bytes + 1, step))


def tick_text(size: int) -> str:
    """A tick's label: ``512 MiB``, ``1.5 GiB``, ``8 GiB``."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return "0"


def even_ticks(top: float, most: int) -> tuple[float, ...]:
    """Round values from 0 up to ``top``: two to ``most + 1`` of them, 1, 2 or 5 times a power of ten apart.

    ``most`` is 3 or more; with fewer none but 0 may be round enough.
    """
    rough = top / most
    if not rough > 1e-12:  # values are rounded to as many digits
        return (0.0,)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough * (1 - 1e-9))
    return tuple(round(index * step, 12) for index in range(int(top / step * (1 + 1e-9)) + 1))


def amount_ticks(top: float, most: int, unit: str) -> tuple[float, ...]:
    """Round values of a unit: of bytes a power of two apart."""
    return ticks(int(top), most) if unit == "bytes" else even_ticks(top, most)


def amount_text(amount: float, unit: str) -> str:
    """A figure with its unit as people write it: ``1.25 GiB``, ``5.97 W``, ``48.9 °C``, ``1.73 GHz``, ``99 %``."""
    if unit == "bytes":
        size = int(amount)
        return f"{size / GIB:.2f} GiB" if abs(size) >= GIB else format_bytes(size)
    scale, sign = _SIGNS.get(unit, (1.0, unit.replace("_per_", "/").replace("_", " ")))
    whole = scale == 1.0 and amount == int(amount) and abs(amount) < 1e6
    return f"{int(amount) if whole else _three_digits(amount * scale)} {sign}".rstrip()


def time_text(seconds: float) -> str:
    """A length of time: ``0 s``, ``12.5 s``, ``10 min``, ``2.5 h``; tenths, as meters are read."""
    unit, name = _time_unit(seconds)
    return f"{seconds / unit:.3g} {name}" if unit > 1 else f"{seconds:.1f}".removesuffix(".0") + " s"


def time_ticks(length_s: float, most: int) -> tuple[tuple[float, str], ...]:
    """Round moments from 0 up to ``length_s``, with labels of one unit; ``most`` as for ``even_ticks``."""
    unit, name = _time_unit(length_s)
    return tuple((tick * unit, f"{tick:g} {name}") for tick in even_ticks(length_s / unit, most))


def _time_unit(seconds: float) -> tuple[int, str]:
    return (3600, "h") if seconds >= 7200 else (60, "min") if seconds >= 120 else (1, "s")


def _three_digits(amount: float) -> str:
    size = abs(amount)
    if size >= 1e6:
        return f"{amount:.2e}"
    return f"{amount:.0f}" if size >= 100 or not size else f"{amount:.1f}" if size >= 10 else f"{amount:.2f}"


_SIGNS = {
    "mw": (1e-3, "W"),
    "c": (1.0, "°C"),
    "hz": (1e-9, "GHz"),
    "ratio": (100.0, "%"),
    "count": (1.0, ""),
    "tokens_per_s": (1.0, "tokens/s"),
}


def apportion(sizes: tuple[int, ...], cells: int) -> tuple[int, ...]:
    """Whole cells for each size, adding up to ``cells``, at least one for whatever is not zero.

    Largest remainder; where there are fewer cells than sizes, the smallest go without.
    """
    whole = sum(sizes)
    if whole <= 0:
        return (0,) * len(sizes)
    ideal = [size * cells / whole for size in sizes]
    given = [max(int(share), 1 if size else 0) for share, size in zip(ideal, sizes, strict=True)]
    order = sorted(range(len(sizes)), key=lambda index: ideal[index] - given[index])
    while sum(given) > cells:
        # take back where most was given beyond the share, and only then from those that have a single cell
        index = next((index for index in order if given[index] > 1), next(index for index in order if given[index]))
        given[index] -= 1
        order.sort(key=lambda index: ideal[index] - given[index])
    for index in reversed(order):
        if sum(given) < cells and sizes[index]:
            given[index] += 1
    return tuple(given)


def text_width(text: str, size: float) -> float:
    """About how wide a sans-serif font sets this text, in the unit of ``size``; errs on the wide side.

    Classes of advance widths as in Helvetica (Adobe's AFM files: digits 0.556 em, most letters 0.5-0.56, ``W`` 0.94).
    """
    return size * sum(_advance(letter) for letter in text)


def _advance(letter: str) -> float:
    if letter in " .,:;'|!iljtfI()[]/·":
        return 0.33
    if letter in "mwMW@%—…":
        return 0.95
    if ord(letter) > 0x2E80:
        return 1.05
    return 0.7 if letter.isupper() else 0.58
