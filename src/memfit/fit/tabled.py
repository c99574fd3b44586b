"""What the table says of a model of the catalog in one format; and the one context that it may not say, predicted."""

from __future__ import annotations

from memfit.fit.candidates import Candidate
from memfit.fit.exact import Exact, sum_at
from memfit.fit.rows import Search
from memfit.fit.sizes import EngineSizes, Sum, add, profile_of
from memfit.footprint.predict import spelled
from memfit.speed.traffic import UNFUSED_ENGINES


def tabled(candidate: Candidate, search: Search, engine: str, format: str, sizes: EngineSizes) -> Exact:
    """One model in one format on one engine.

    What was asked for may lie between two contexts of the table. It is sized at the larger one where that fits; where
    only the smaller one does, the verdict hangs on what was asked for itself, which is then predicted.
    """
    model, of_format = candidate.sizes, sizes.formats[format]
    sums: dict[int, Sum] = {}
    fitting = 0
    for tokens, of_context in sizes.contexts.items():
        search.considered += 1
        sums[tokens] = add(engine, search.device, of_format, of_context)
        if sums[tokens].required > search.device.capacity_bytes:
            break
        fitting = tokens
    wanted = min(search.wish.context_tokens, model.trained_tokens)
    asked = next((one for one in sizes.contexts if one >= wanted), max(sizes.contexts))
    below = max((one for one in sizes.contexts if one < wanted), default=None)
    if wanted not in sizes.contexts and fitting == below:
        search.considered += 1
        itself = sum_at(candidate.name, search.device, search.wish, engine, format, wanted)
        if itself.required <= search.device.capacity_bytes:
            fitting = wanted
            sums[wanted] = itself
    shown = asked if fitting >= asked or not fitting else fitting
    if shown not in sums:
        sums[shown] = add(engine, search.device, of_format, sizes.contexts[shown])
    return Exact(
        engine=engine,
        format=spelled(format, engine),
        as_stored=False,
        tokens=shown,
        fitting_tokens=fitting,
        trained_tokens=model.trained_tokens,
        found=sums[shown],
        weights_bytes=model.profiles[format].weights,
        parameters=model.parameters,
        parameters_active=model.parameters_active,
        profile=profile_of(model, format, candidate.shape() if engine in UNFUSED_ENGINES else None),
        looked_at=0,
    )
