"""Sum up the catalog's models in every format and context for ``memfit fit``: writes ``src/memfit/fit/_sizes.bin``.

    python tools/generate_sizes.py     # all models, some minutes

To be run after a card, a preset, a scheme, an engine or the compute tables change; ``tests/fit`` says when.
"""

from __future__ import annotations

import sys
import zlib

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Models
from memfit.engine.records import Deployment, with_slots
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.fit.formats import form_of, formats_of
from memfit.fit.sizes import (
    BASE_TOKENS,
    FILE,
    PROGRAM,
    ContextSizes,
    EngineSizes,
    FormatProfile,
    FormatSizes,
    ModelSizes,
    Table,
    contexts_of,
    served,
)
from memfit.footprint.predict import predict
from memfit.footprint.records import Footprint
from memfit.model._build import card_shape
from memfit.model.cards import CARDS, Card
from memfit.model.schemes import in_scheme
from memfit.model.shape import ModelShape
from memfit.precision._scheme import Scheme
from memfit.speed.touched import Profile, profile
from memfit.units import GIB

# its GPU is told to nobody, so no format is refused: that is for each board to say
ANY_BOARD = Device(name="a board", unified=True, capacity_bytes=1024 * GIB, grade="stated", source="for a table")


def main() -> None:
    """Write the table."""
    models = {}
    for number, key in enumerate(CARDS.keys(), 1):
        models[key] = sizes(CARDS.get(key))
        print(f"\r{number} of {len(CARDS.keys())}: {key:<40}", end="", file=sys.stderr, flush=True)
    data = zlib.compress(msgspec.msgpack.encode(Table(models=models)), 9)
    FILE.write_bytes(data)
    print(f"\n{FILE}: {len(data)} bytes", file=sys.stderr)


def sizes(card: Card) -> ModelSizes:
    """Everything about one model."""
    shapes = _shapes(card)
    profiles = {format: profile(shape) for format, shape in shapes.items()}
    one = next(iter(profiles.values()))
    shape = shapes["F16"]
    engines = {}
    for engine, _ in ENGINES.items():
        found = _engine(card, shapes, engine, shape.context_trained_tokens)
        if found is not None:
            engines[engine] = found
    return ModelSizes(
        parameters=shape.parameters,
        parameters_active=shape.parameters_active,
        trained_tokens=shape.context_trained_tokens,
        profiles={format: _profile(shapes[format], summed) for format, summed in profiles.items()},
        caches=tuple((c.key_elements, c.value_elements, c.window, c.readers, c.owners) for c in one.caches),
        scores=tuple((s.width, s.window, s.layers) for s in one.scores),
        state_bytes=one.state_bytes,
        layers=one.layers,
        expert_layers=one.expert_layers,
        engines=engines,
    )


def _shapes(card: Card) -> dict[str, ModelShape]:
    """The model in every format that some engine takes it in."""
    wide = card_shape(card, "F16")
    shapes: dict[str, ModelShape] = {}
    for format in dict.fromkeys(format for engine, _ in ENGINES.items() for format in formats_of(engine)):
        try:
            form = form_of(format)
            shapes[format] = in_scheme(wide, form) if isinstance(form, Scheme) else card_shape(card, format)
        except UsageError:
            continue  # rows that do not divide into its blocks
    return shapes


def _profile(shape: ModelShape, summed: Profile) -> FormatProfile:
    return FormatProfile(
        weights=shape.weights_bytes,
        stored=summed.format,
        dense_bytes=summed.dense_bytes,
        dense_numbers=summed.dense_numbers,
        tables=summed.tables,
        experts=tuple((e.share, e.bytes, e.numbers) for e in summed.experts),
        output_numbers=summed.output_numbers,
    )


def _engine(card: Card, shapes: dict[str, ModelShape], engine: str, trained: int) -> EngineSizes | None:
    formats: dict[str, FormatSizes] = {}
    for format in formats_of(engine):
        if format in shapes:
            found = footprint(card, shapes[format], engine, format, BASE_TOKENS)
            if found is not None:
                formats[format] = _of_format(found, engine)
    if not formats:
        return None
    format = next(iter(formats))
    contexts: dict[int, ContextSizes] = {}
    for tokens in contexts_of(trained):
        found = footprint(card, shapes[format], engine, format, tokens)
        if found is not None:
            of_format = _of_format(found, engine)
            base = formats[format]
            contexts[tokens] = ContextSizes(
                kept=of_format.kept_rest - base.kept_rest, likely=of_format.likely - base.likely
            )
    return EngineSizes(formats=formats, contexts=contexts) if contexts else None


def footprint(card: Card, shape: ModelShape, engine: str, format: str, tokens: int) -> Footprint | None:
    """As ``memfit estimate`` says on a board with a GPU; None where the engine does not take it."""
    runtime = ENGINES.get(engine)
    backend = "cpu" if runtime.on_the_processor else "cuda"
    options = msgspec.structs.replace(with_slots(served(engine), 1), context_tokens=tokens, backend=backend)
    deployment = Deployment(model=card.name, engine=engine, format=format, options=options)
    try:
        return predict(ANY_BOARD, Models(model=shape), deployment, profile=PROGRAM, source="formula")
    except UsageError:
        return None


def _of_format(found: Footprint, engine: str) -> FormatSizes:
    likely_here, high_here = ENGINES.get(engine).of_device(ANY_BOARD)  # added again for each device
    terms = [term for term in found.terms if term.name != "peak_headroom"]
    return FormatSizes(
        kept_weights=sum(term.high_bytes - term.evictable_bytes for term in terms if term.name == "weights"),
        kept_rest=sum(term.high_bytes - term.evictable_bytes for term in terms if term.name != "weights") - high_here,
        evictable=found.evictable_bytes,
        working=found.working_set_bytes,
        likely=found.likely_bytes - likely_here,
    )


if __name__ == "__main__":
    main()
