"""From the number in a file's header to its variant, without importing a whole catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from memfit.catalog import Catalog

T = TypeVar("T")


def by_number(catalog: Catalog[T], number: int, number_of: Callable[[T], int], *, order: str) -> T | None:
    """The variant whose number that is, None where there is none.

    The variants know their numbers, so the sure way is to look into each. ``order`` saves that: the keys where the
    numbers 0, 1, 2 ... are most likely found, a dash for those that were withdrawn. It is a guess that is checked
    and no register: a variant that it misses, or has wrong, is found all the same, at the price of importing all.
    """
    keys = order.split()
    if 0 <= number < len(keys) and keys[number] in catalog.keys():  # noqa: SIM118 "in catalog" would load every alias
        likely = catalog.get(keys[number])
        if number_of(likely) == number:
            return likely
    return next((variant for variant in catalog if number_of(variant) == number), None)
