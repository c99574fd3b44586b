"""Which knobs of a card the engine lets turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from graph_trace.probe import Prober, Refused, describe
from graph_trace.study import Knobs, Role, Sampled, Study
from graph_trace.turns import FACTORS, OPTION_KNOBS, SECOND_FACTORS, Variant, is_turned, knobs_of, shrink
from memfit.model.cards import Card
from memfit.model.shape import ModelShape


def study_of(
    prober: Prober, full: Card, counts: Sequence[int], variant: Variant, knobs: Knobs, *, thorough: bool = True
) -> Study:
    """A study with the metadata knobs given and the options that this variant has, of the first of ``counts`` layers.

    ``counts`` goes on with ``other_counts``. ``thorough`` tells every two sizes apart; the other variants of a card
    mostly meet expressions that were found so.
    """
    count, *others = counts
    metadata = [name for name in knobs.names if name not in OPTION_KNOBS]
    shape = describe(shrink(full, count))
    options = [name for name in OPTION_KNOBS if _applies(name, shape, variant, others)]
    return Study(prober, full, count, variant, replace(knobs, names=options + metadata), others, thorough=thorough)


def find_knobs(prober: Prober, full: Card, counts: Sequence[int], variant: Variant) -> Knobs:
    """Which knobs the engine lets turn, alone or in groups, and by which factors."""
    card = shrink(full, counts[0])
    study = study_of(prober, full, counts, variant, Knobs([]))
    names = study.knobs.names
    base = study.sample({})
    keys = knobs_of(card)
    knobs = Knobs(names)
    refused = []
    for key in keys:
        if not _try(study, knobs, key, base):
            refused.append(key)
    while refused:
        key = refused.pop(0)
        others = [*refused, *(other for other in keys if other not in refused and other != key)]
        groups = [*combinations(others, 1), *combinations(others[: len(refused) + 4], 2)]
        joined = next((group for group in groups if _try(study, knobs, "&".join((key, *group)), base)), None)
        if joined is None:
            knobs.stuck.append(key)
        refused = [other for other in refused if other not in (joined or ())]
    return knobs


def _applies(knob: str, shape: ModelShape, variant: Variant, counts: Sequence[int]) -> bool:
    if knob == "N":
        return len(counts) == 2
    if knob == "S":
        return variant.slots != "one"
    if knob == "W":
        return bool(shape.window_tokens)
    if knob == "R":
        return variant.rollback
    if knob in ("T", "O"):
        return not variant.token
    if knob == "C":
        return shape.memory != "none"
    return True


def _try(study: Study, knobs: Knobs, key: str, base: dict[Role, Sampled]) -> bool:
    found: list[Fraction] = []
    for factor in (*FACTORS[:1], *SECOND_FACTORS.get(key, ()), *FACTORS[1:]):
        if not is_turned(study.card, key, factor):
            continue
        try:
            roles = study.sample({key: 1}, {key: (factor,)})
        except (Refused, ZeroDivisionError, KeyError):
            continue
        if all(role in roles and roles[role].segment.structure == base[role].segment.structure for role in base):
            moved = any(roles[role].symbols != base[role].symbols for role in base)
            if not moved:
                return True  # no symbol depends on it
            found.append(factor)
            if len(found) == 2:
                knobs.names.append(key)
                knobs.factors[key] = (found[0], found[1])
                return True
    return False
