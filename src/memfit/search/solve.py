"""Which format each tensor gets: an integer program, solved by HiGHS.

One of its formats is chosen for every tensor. What is added up is what each is predicted to cost in divergence and in
bytes; one of the two is made as small as possible, and the other is bounded.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import msgspec

from memfit.errors import EngineMissing

_GAP = 1e-4  # of the objective: below what predictions are good for
_MOST_S = 20.0


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A format for a tensor: what it takes in the file, and what it costs in nats a token."""

    format: str
    bytes: int
    divergence: float


def least_divergence(choices: Sequence[Sequence[Option]], most_bytes: int) -> list[Option] | None:
    """The options with the least divergence whose bytes stay within; None where even the smallest do not.

    Raises:
        EngineMissing: the solver is not installed.
    """
    pruned = [_frontier(options) for options in choices]
    if sum(options[0].bytes for options in pruned) > most_bytes:
        return None
    scale = max((option.divergence for options in pruned for option in options), default=0.0) or 1.0
    return _solve(
        pruned,
        [[o.divergence / scale for o in one] for one in pruned],
        [[o.bytes for o in one] for one in pruned],
        most_bytes,
    )


def least_bytes(choices: Sequence[Sequence[Option]], most_divergence: float) -> list[Option] | None:
    """The options with the fewest bytes whose divergence stays within; None where even the best do not.

    Raises:
        EngineMissing: the solver is not installed.
    """
    pruned = [_frontier(options) for options in choices]
    if sum(options[-1].divergence for options in pruned) > most_divergence:
        return None
    scale = max(most_divergence, 1e-12)
    return _solve(
        pruned,
        [[o.bytes / 1e6 for o in one] for one in pruned],
        [[o.divergence / scale for o in one] for one in pruned],
        1.0,
    )


def _frontier(options: Sequence[Option]) -> list[Option]:
    """Options that no other beats in both, fewest bytes first."""
    kept: list[Option] = []
    for option in sorted(options, key=lambda one: (one.bytes, one.divergence)):
        if not kept or option.divergence < kept[-1].divergence:
            kept.append(option)
    return kept


def _solve(
    options: Sequence[Sequence[Option]],
    costs: Sequence[Sequence[float]],
    weights: Sequence[Sequence[float]],
    most: float,
) -> list[Option] | None:
    highspy = _highspy()
    # the class below ``Highs``, which prints its name and licence when it is made, into the middle of --json
    model: Any = highspy._Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("mip_rel_gap", _GAP)
    model.setOptionValue("time_limit", _MOST_S)
    model.setOptionValue("random_seed", 0)
    model.setOptionValue("threads", 1)  # the same answer each time
    first: list[int] = []
    column = 0
    for row in costs:
        first.append(column)
        for cost in row:
            model.addVar(0.0, 1.0)
            model.changeColCost(column, cost)
            model.changeColIntegrality(column, highspy.HighsVarType.kInteger)
            column += 1
    for start, row in zip(first, costs, strict=True):
        columns = list(range(start, start + len(row)))
        model.addRow(1.0, 1.0, len(columns), columns, [1.0] * len(columns))
    flat = [weight for row in weights for weight in row]
    model.addRow(-highspy.kHighsInf, most, len(flat), list(range(len(flat))), flat)
    model.run()
    values = model.getSolution().col_value
    if not values or model.getInfo().primal_solution_status != 2:  # kSolutionStatusFeasible
        return None
    return [
        row[max(range(len(row)), key=lambda index, start=start: values[start + index])]  # type: ignore[misc]
        for start, row in zip(first, options, strict=True)
    ]


def _highspy() -> Any:
    try:
        return importlib.import_module("highspy")
    except ImportError:
        raise EngineMissing(
            "the solver HiGHS is not installed, without which no mix of formats can be searched",
            hint="pip install 'memfit[search]', or take the best preset: --ladder",
        ) from None
