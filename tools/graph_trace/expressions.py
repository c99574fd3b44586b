"""Sizes observed at several settings turned into exact expressions in the settings' symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product

Symbols = Mapping[str, int]
# a term is a coefficient and its factors: symbols with their powers
Factors = tuple[tuple[str, int], ...]
Term = tuple[Fraction, Factors]
Expression = tuple[Term, ...]
Knobs = frozenset[str]
# the symbols and the size at a set of turned knobs
Sample = Callable[[Knobs], tuple[Symbols, int]]

POWERS = (1, 2, -1, 3)
MOST_ADDITIVE = 6
MOST_READINGS = 300


class Unexplained(Exception):
    """A size that no expression of this form gives."""


@dataclass
class _Reading:
    """One way to read the finite differences: powers of symbols, and symbols that enter additively by their knob."""

    powers: dict[str, int] = field(default_factory=dict)
    additive: dict[str, str] = field(default_factory=dict)


def evaluate(expression: Expression, symbols: Symbols) -> Fraction:
    """The value of an expression."""
    total = Fraction(0)
    for coefficient, factors in expression:
        value = coefficient
        for symbol, power in factors:
            value *= Fraction(symbols[symbol]) ** power
        total += value
    return total


def explain(
    sample: Sample, knobs: Sequence[str], aliases: Mapping[str, str], accept: Callable[[Expression], bool]
) -> Expression:
    """An expression for a size, from finite differences: the engine is noise-free, so they are exact.

    A knob whose ratio is a power of its symbol's ratio multiplies the whole; the others enter additively and are told
    apart by turning them together. Where a knob moves several symbols every reading is tried; ``accept`` decides, on
    settings that had no part in it.

    Args:
        sample: gives symbols and size with a set of knobs turned.
        knobs: the knobs.
        aliases: symbols that always move together, each with the one to write.
        accept: whether an expression holds elsewhere.

    Raises:
        Unexplained: the size moves with no symbol, or not like a polynomial.
    """
    _, base = sample(frozenset())
    if base == 0:
        if any(sample(frozenset({knob}))[1] for knob in knobs):
            raise Unexplained("zero at the base, not elsewhere")
        return ()
    tried = 0
    for reading in _readings(sample, list(knobs), aliases, _Reading()):
        for expression in _candidates(sample, reading):
            if accept(expression):
                return expression
            tried += 1
            if tried == MOST_READINGS:
                raise Unexplained(f"none of {tried} readings")
    raise Unexplained(f"none of {tried} readings")


def _readings(sample: Sample, knobs: list[str], aliases: Mapping[str, str], so_far: _Reading) -> Iterator[_Reading]:
    if not knobs:
        yield so_far
        return
    knob, rest = knobs[0], knobs[1:]
    symbols, base = sample(frozenset())
    turned, size = sample(frozenset({knob}))
    moved = {
        aliases.get(name, name): Fraction(turned[name], symbols[name])
        for name in symbols
        if symbols[name] and turned[name] != symbols[name]
    }
    ratio = Fraction(size, base)
    unknown = []
    for name in sorted(moved, key=lambda name: (len(name), name)):
        if name in so_far.powers:
            ratio /= moved[name] ** so_far.powers[name]
        elif name not in so_far.additive.values():
            unknown.append(name)
    settled = any(name in so_far.additive.values() for name in moved)
    for powers in _powers(unknown, moved, ratio):
        reading = _Reading({**so_far.powers, **powers}, dict(so_far.additive))
        yield from _readings(sample, rest, aliases, reading)
    if settled:
        yield from _readings(sample, rest, aliases, so_far)
    elif ratio != 1:
        for name in unknown:
            reading = _Reading({**so_far.powers, **dict.fromkeys(unknown, 0)}, {**so_far.additive, knob: name})
            del reading.powers[name]
            yield from _readings(sample, rest, aliases, reading)


def _powers(unknown: Sequence[str], moved: Mapping[str, Fraction], ratio: Fraction) -> Iterator[dict[str, int]]:
    """Powers of the unknown symbols that make up the ratio: none, one of them, or two."""
    still = dict.fromkeys(unknown, 0)
    if ratio == 1:
        yield still
        return
    for name in unknown:
        for power in POWERS:
            if moved[name] ** power == ratio:
                yield {**still, name: power}
    for one, other in combinations(unknown, 2):
        if moved[one] * moved[other] == ratio:
            yield {**still, one: 1, other: 1}


def _candidates(sample: Sample, reading: _Reading) -> Iterator[Expression]:
    symbols, base = sample(frozenset())
    outer = tuple(sorted((name, power) for name, power in reading.powers.items() if power))
    if not reading.additive:
        yield ((_without(Fraction(base), outer, symbols), outer),)
        return
    if len(reading.additive) > MOST_ADDITIVE:
        return
    # an additive symbol may be a common factor as well: state^2 + tokens * state
    names = sorted(set(reading.additive.values()))
    for powers in sorted(product((0, 1), repeat=len(names)), key=sum):
        common = tuple((name, power) for name, power in zip(names, powers, strict=True) if power)
        yield _polynomial(sample, reading.additive, outer + common)


def _without(value: Fraction, factors: Factors, symbols: Symbols) -> Fraction:
    for name, power in factors:
        value /= Fraction(symbols[name]) ** power
    return value


def _polynomial(sample: Sample, additive: Mapping[str, str], outer: Factors) -> Expression:
    """Multilinear interpolation over the corners: f = low + (x - x0) * slope, one knob at a time."""
    knobs = sorted(additive)
    subsets = [frozenset(group) for size in range(len(knobs) + 1) for group in combinations(knobs, size)]
    symbols, _ = sample(frozenset())
    parts: dict[Knobs, Fraction] = {}
    for subset in subsets:
        at, size = sample(subset)
        parts[subset] = _without(Fraction(size), outer, at)
    for knob in knobs:
        x0, x1 = symbols[additive[knob]], sample(frozenset({knob}))[0][additive[knob]]
        for subset in subsets:
            if knob in subset:
                continue
            low, high = parts[subset], parts[subset | {knob}]
            slope = (high - low) / (x1 - x0)
            parts[subset], parts[subset | {knob}] = low - slope * x0, slope
    terms = []
    for subset in subsets:
        if parts[subset]:
            factors = dict(outer)
            for knob in subset:
                factors[additive[knob]] = factors.get(additive[knob], 0) + 1
            terms.append((parts[subset], tuple(sorted(item for item in factors.items() if item[1]))))
    return tuple(terms)


__all__ = ["Expression", "Unexplained", "evaluate", "explain"]
