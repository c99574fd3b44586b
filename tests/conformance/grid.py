"""The grid of deployments that formula and engine must agree on, to the byte."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from memfit.engine._llama_cpp.buffers import output_bytes
from memfit.engine._llama_cpp.cache import kv_bytes, state_bytes
from memfit.engine._llama_cpp.graph_table import check_graph_table
from memfit.engine._llama_cpp.oracle import Described, reserve
from memfit.engine._llama_cpp.reservation import Refused, Reserved
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine._llama_cpp.weights import place
from memfit.engine.records import Options
from memfit.errors import EngineFailed, MemfitError, UsageError
from memfit.model import ModelShape, find_model
from memfit.model.cards import Card

KV_TYPES = ("F16", "Q8_0", "Q4_0", "F32", "BF16", "Q5_1", "IQ4_NL")
PRESETS = ("Q4_K_M", "Q8_0", "F16", "Q4_0", "Q2_K", "IQ4_XS")


def corners() -> list[Options]:
    """Every kind of setting once, the ones that went wrong in other tools first."""
    base = Options(load_mode="none", context_tokens=8192)
    change = msgspec.structs.replace
    return [
        base,
        change(base, context_tokens=10000, slots=3),
        change(base, context_tokens=10000, slots=3, unified_kv=True),
        change(base, full_window_cache=False, slots=4, unified_kv=True, output_rows=4),
        change(base, full_window_cache=False, ubatch_tokens=128),
        change(base, flash_attention=False),
        change(base, flash_attention=False, full_window_cache=False, kv_type_k="Q8_0"),
        change(base, kv_type_k="Q8_0", kv_type_v="Q8_0"),
        change(base, kv_type_k="Q4_0", kv_type_v="Q4_0", slots=2),
        change(base, context_tokens=300, batch_tokens=512, ubatch_tokens=512, repack=False),
        change(base, rollback_tokens=2, slots=2),
    ]


def drawn(count: int, seed: int) -> list[Options]:
    """Random settings, the same for the same seed."""
    rng = random.Random(seed)
    return [_draw(rng) for _ in range(count)]


def _draw(rng: random.Random) -> Options:
    flash = rng.random() < 0.7
    kind = rng.choice(KV_TYPES)
    slots = rng.choice((1, 1, 2, 3, 4, 7))
    return Options(
        context_tokens=rng.choice((256, 512, 1000, 4096, 10000, 32768, 65536)),
        slots=slots,
        unified_kv=rng.random() < 0.4,
        batch_tokens=rng.choice((256, 512, 2048)),
        ubatch_tokens=rng.choice((32, 64, 512, 1024)),
        kv_type_k=kind,
        kv_type_v=kind if flash else rng.choice(("F16", "F32")),
        flash_attention=flash,
        full_window_cache=rng.random() < 0.5,
        output_rows=rng.choice((0, slots)),
        load_mode="none",
        repack=rng.random() < 0.7,
        rollback_tokens=rng.choice((0, 0, 0, 2)),
    )


@dataclass
class Result:
    """What came of one card: settings compared, refused by both, and every difference in words."""

    compared: int = 0
    refused: int = 0
    aborted: int = 0
    tiles: bool = False  # the engine's CPU computes in tile registers (AMX)
    differences: list[str] = field(default_factory=list)


def check(card: Card, preset: str, options: list[Options]) -> Result:
    """Hold the formulas for one card against the engine under every one of ``options``."""
    try:
        shape = find_model(card.name, format=preset)
    except UsageError:
        return Result(refused=len(options))  # a preset that the engine has no recipe for, on this model
    model = Described(
        metadata=card.header(), tensors=[(tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors]
    )
    result = Result()
    for wanted, context, instructions in _asked(shape, model, options, result):
        formula = _formula(shape, wanted, instructions)
        if isinstance(context, Refused):
            if formula is None:
                result.refused += 1
            else:
                result.differences.append(f"the engine refuses what the formula computes: {context.why} {wanted}")
        elif formula is None:
            result.differences.append(f"the formula refuses what the engine takes: {wanted}")
        else:
            result.compared += 1
            result.tiles = "amx_int8" in instructions
            engine = {
                "kv_cache": context.kv_bytes,
                "recurrent_state": context.state_bytes,
                "output_buffer": context.output_bytes,
                "weights": context.model_bytes,
            }
            result.differences += [
                f"{name}: {formula[name]} by formula, {size} by the engine, {wanted}"
                for name, size in engine.items()
                if formula[name] != size
            ]
    return result


def _asked(
    shape: ModelShape, model: Described, options: list[Options], result: Result
) -> Iterator[tuple[Options, Reserved | Refused, tuple[str, ...]]]:
    try:
        answer = reserve(model, options, memory_bytes=8 << 30)
    except EngineFailed as failure:
        if "SIGABRT" not in failure.message or len(options) == 1:
            if "SIGABRT" not in failure.message:
                raise
            # it aborts in any real run too, and there is nothing to compare
            if refuses(shape, options[0]):
                result.refused += 1
            else:
                result.aborted += 1
            return
        half = len(options) // 2
        yield from _asked(shape, model, options[:half], result)
        yield from _asked(shape, model, options[half:], result)
        return
    yield from zip(options, answer.contexts, itertools.repeat(answer.engine.instructions))


def _formula(shape: ModelShape, options: Options, instructions: tuple[str, ...]) -> dict[str, int] | None:
    if refuses(shape, options):
        return None
    try:
        placement = place(shape, options, instructions)
        return {
            "kv_cache": kv_bytes(shape, options),
            "recurrent_state": state_bytes(shape, options),
            "output_buffer": output_bytes(shape, resolve(shape, options)),
            # a table that is read lazily stays mapped in a real run; the engine plans it with the rest
            "weights": placement.unevictable_bytes + placement.mapped_bytes,
        }
    except MemfitError:
        return None


def refuses(shape: ModelShape, options: Options) -> bool:
    """Whether memfit says that the engine aborts on this: its table of tensors is too small for the graph."""
    try:
        check_graph_table(shape, options)
    except UsageError:
        return True
    return False
