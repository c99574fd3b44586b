"""The graphs of one card in one variant, sampled at turned knobs, and their sizes explained."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from graph_trace.expressions import Expression, Unexplained, evaluate, explain
from graph_trace.probe import Prober, Refused, describe
from graph_trace.segments import Segment, cut
from graph_trace.turns import Turned, Variant, shrink, turn
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine._llama_cpp.symbols import graph_key, layer_roles, layer_values, model_values
from memfit.errors import MemfitError
from memfit.model.cards import Card

Role = str  # "prologue", or a layer's role; a prime where layers of one role differ
Places = tuple[tuple[str, int], ...]
CHECKS, THOROUGH_CHECKS, MOST_CHECKS = 3, 6, 40


class Different(Exception):
    """A turned knob changed the structure, not just the sizes."""


@dataclass
class Sampled:
    """One segment at one setting of the knobs."""

    segment: Segment
    symbols: dict[str, int]


@dataclass
class Knobs:
    """What can be turned, and by which factors; ``stuck`` is what the engine does not let turn."""

    names: list[str]
    factors: dict[str, tuple[Fraction, Fraction]] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)


@dataclass
class Explained:
    """A segment with an expression for every size."""

    segment: Segment
    sizes: list[Expression]
    work: list[tuple[str, str, tuple[Expression, ...]]]


class Study:
    """One card, shrunk to some layers, in one variant."""

    def __init__(
        self,
        prober: Prober,
        full: Card,
        count: int,
        variant: Variant,
        knobs: Knobs,
        counts: Sequence[int] = (),
        *,
        thorough: bool = True,
    ) -> None:
        self.prober, self.full, self.variant, self.knobs = prober, full, variant, knobs
        self.counts = (count, *counts)
        self.thorough = thorough
        self.card = shrink(full, count)
        self.graph = ""
        self._samples: dict[Places, dict[Role, Sampled]] = {}
        self._checks: list[dict[Role, Sampled]] | None = None
        self._related: dict[Role, dict[str, str]] = {}

    def sample(self, turned: Turned, factors: Mapping[str, Sequence[Fraction]] | None = None) -> dict[Role, Sampled]:
        """Every segment with the knobs turned.

        Raises:
            Refused: the engine does not take this setting.
        """
        key = tuple(sorted(turned.items()))
        if factors is None and key in self._samples:
            return self._samples[key]
        full = shrink(self.full, self.counts[turned["N"]]) if "N" in turned else self.card
        card, options = turn(full, self.variant, turned, factors or self.knobs.factors)
        try:
            shape = describe(card)
            settings = resolve(shape, options)
        except (MemfitError, ZeroDivisionError) as error:  # a size that memfit's own reader refuses
            raise Refused(str(error)) from error
        self.graph = graph_key(shape, options, settings) if not turned else self.graph
        lives = self.prober.ask(card, options)
        roles: dict[Role, Sampled] = {}
        base = model_values(shape, settings)
        parts = cut(lives)
        roles["prologue"] = Sampled(parts[0], base)
        for part, layer, name in zip(parts[1:], shape.trunk, layer_roles(shape), strict=True):
            sampled = Sampled(part, {**base, **layer_values(layer)})
            while name in roles and roles[name].segment.structure != part.structure:
                name += "'"
            roles.setdefault(name, sampled)
        if factors is None:
            self._samples[key] = roles
        return roles

    def _aliases(self, role: Role) -> dict[str, str]:
        """Symbols that always move together, each with the one to write."""
        if role not in self._related:
            base = self.sample({})[role].symbols
            turned = [self.sample({knob: 1})[role].symbols for knob in self.knobs.names]
            turned += [roles[role].symbols for roles in self.checks() if role in roles]
            moves: dict[tuple[Fraction, ...], list[str]] = {}
            for name, before in base.items():
                pattern = tuple(Fraction(symbols[name], before or 1) for symbols in turned)
                if before and any(ratio != 1 for ratio in pattern):
                    moves.setdefault(pattern, []).append(name)
            aliases: dict[str, str] = {}
            for group in moves.values():
                best = min(group, key=lambda name: (len(name), name))
                aliases.update({name: best for name in group if name != best})
            self._related[role] = aliases
        return self._related[role]

    def checks(self) -> list[dict[Role, Sampled]]:
        """Settings that explain nothing: knobs turned to places of their own, until no two have always moved together.

        Sizes that coincide in the model (a feed-forward of four times the width) would otherwise pass for each other.
        """
        if self._checks is None:
            self._checks = []
            rng = random.Random(1)
            # knobs not told apart yet; the empty name stands for one that never moves
            groups = [["", *self.knobs.names]]
            for _ in range(MOST_CHECKS):
                turned: set[str] = set()
                for group in groups:
                    others = [knob for knob in group if knob]
                    turned |= set(rng.sample(others, -(-len(others) // 2)))
                try:
                    roles = self.sample(dict.fromkeys(turned, 2))
                except Refused:
                    continue
                if set(roles) != set(self.sample({})):
                    continue
                self._checks.append(roles)
                groups = [half for group in groups for half in _split(group, turned) if half]
                apart = all(len(group) == 1 for group in groups)
                if (apart or not self.thorough) and len(self._checks) >= (THOROUGH_CHECKS if self.thorough else CHECKS):
                    break
            # a knob that no check turned could be missing from every expression without anyone noticing
            together = [knob for group in groups if "" in group for knob in group if knob]
            self._checks += [self.sample({knob: 2}) for knob in together]
            # the width of a rotation is a power of two: it follows a head length that is doubled, not one times three
            self._checks += [self.sample({knob: 1}) for knob in self.knobs.names if "key_length" in knob]
        return self._checks

    def gives(self, role: Role, known: Explained) -> bool:
        """Whether an explanation found elsewhere holds here too."""
        for roles in [self.sample({}), *self.checks()]:
            if role not in roles:
                continue
            segment, symbols = roles[role].segment, roles[role].symbols
            if segment.structure != known.segment.structure:
                return False
            work = [size for item in segment.work for size in item.sizes]
            told = [*known.sizes, *(size for item in known.work for size in item[2])]
            if not all(
                _gives(*pair) for pair in zip(told, [symbols] * len(told), [*segment.sizes, *work], strict=True)
            ):
                return False
        return True

    def explain(self, role: Role, pool: list[Expression]) -> Explained:
        """An expression for every size of a segment, from ``pool`` where one there fits.

        Raises:
            Unexplained, Different, Refused: see there.
        """
        base = self.sample({})[role]
        probes = [base] + [roles[role] for roles in self.checks() if role in roles]
        probes += [roles[role] for roles in (self.sample({"T": 1}),) if role in roles]
        for other in probes[1:]:
            if other.segment.structure != base.segment.structure:
                raise Different(f"{role}: {difference(base.segment, other.segment)}")
        sizes = [self._one(role, ("size", index), probes, pool) for index in range(len(base.segment.sizes))]
        work = [
            (
                item.op,
                item.source,
                tuple(self._one(role, ("work", index, at), probes, pool) for at in range(len(item.sizes))),
            )
            for index, item in enumerate(base.segment.work)
        ]
        return Explained(base.segment, sizes, work)

    def _one(self, role: Role, which: tuple[object, ...], probes: list[Sampled], pool: list[Expression]) -> Expression:
        wanted = [(sampled.symbols, _value(sampled.segment, which)) for sampled in probes]
        for expression in pool:
            if all(_gives(expression, symbols, value) for symbols, value in wanted):
                return expression

        def at(turned: frozenset[str]) -> tuple[Mapping[str, int], int]:
            roles = self.sample(dict.fromkeys(turned, 1))
            base = self.sample({})[role]
            if role not in roles or roles[role].segment.structure != base.segment.structure:
                other = f": {difference(base.segment, roles[role].segment)}" if role in roles else ""
                raise Different(f"{role}: {'&'.join(turned)} changes the structure{other}")
            return roles[role].symbols, _value(roles[role].segment, which)

        def holds(expression: Expression) -> bool:
            return all(_gives(expression, symbols, value) for symbols, value in wanted)

        try:
            expression = explain(at, self.knobs.names, self._aliases(role), holds)
        except Unexplained as error:
            label = probes[0].segment.labels[int(str(which[1]))] if which[0] == "size" else which
            raise Unexplained(f"{role} {label}: {error}") from None
        pool.append(expression)
        return expression


def _split(group: list[str], turned: set[str]) -> tuple[list[str], list[str]]:
    return [knob for knob in group if knob in turned], [knob for knob in group if knob not in turned]


def difference(one: Segment, other: Segment) -> str:
    """Where two structures part."""
    for name in ("imports", "labels", "decisions", "steps", "exports"):
        left, right = getattr(one, name), getattr(other, name)
        if left != right:
            return f"{name}: {left} against {right}"
    left, right = ({(item.op, item.source) for item in segment.work} for segment in (one, other))
    return f"work: {left ^ right}"


def _value(segment: Segment, which: tuple[object, ...]) -> int:
    if which[0] == "size":
        return segment.sizes[int(str(which[1]))]
    return segment.work[int(str(which[1]))].sizes[int(str(which[2]))]


def _gives(expression: Expression, symbols: Mapping[str, int], value: int) -> bool:
    try:
        return evaluate(expression, symbols) == value
    except (KeyError, ZeroDivisionError):
        return False
