"""Axes: from bytes to places, and the round values in between."""

from __future__ import annotations

from memfit.units import GIB, KIB, MIB


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
