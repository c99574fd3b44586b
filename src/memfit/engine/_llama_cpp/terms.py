"""The ledger of one llama.cpp deployment: every term with its bounds, its formula and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from memfit.device.records import Device
from memfit.engine._llama_cpp.buffers import (
    Range,
    most_output_bytes,
    output_bytes,
    prompt_cache_bytes,
    table_bytes,
    tokenizer_bytes,
)
from memfit.engine._llama_cpp.cache import kv_bytes, state_bytes
from memfit.engine._llama_cpp.settings import Settings, resolve
from memfit.engine._llama_cpp.weights import Placement, place
from memfit.engine.records import Backend, Options, Part, Pool, Profile, Source, Term
from memfit.model.shape import ModelShape
from memfit.units import MIB


class Compute(msgspec.Struct, frozen=True, kw_only=True):
    """Compute and work buffers and their source. ``touched`` is what a run with one output row a slot writes."""

    low_bytes: int
    touched_bytes: int
    reserved_bytes: int
    work_bytes: int
    source: Source
    formula: str
    error: str = ""


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger is built from: one model on one device with resolved options."""

    shape: ModelShape
    options: Options
    settings: Settings
    device: Device
    profile: Profile
    placement: Placement
    compute: Compute
    source: Source = "formula"

    @property
    def pool(self) -> Pool:
        """Where caches and compute buffers live."""
        if self.device.unified:
            return "unified"
        return "gpu" if self.options.backend == "cuda" else "host"

    @property
    def host_pool(self) -> Pool:
        """Where everything else lives."""
        return "unified" if self.device.unified else "host"


def build(shape: ModelShape, options: Options, device: Device, *, profile: Profile, compute: Compute) -> Build:
    """Resolve the options and place the weights.

    Raises:
        UsageError: options that the engine refuses.
    """
    return Build(
        shape=shape,
        options=options,
        settings=resolve(shape, options),
        device=device,
        profile=profile,
        placement=place(
            shape,
            options,
            device.instructions,
            unified=device.unified,
            read_ahead_bytes=device.read_ahead_bytes,
        ),
        compute=compute,
    )


def model_terms(plan: Build) -> tuple[Term, ...]:
    """What one model takes, without the process around it: weights, caches, buffers, tokenizer."""
    makers: tuple[Callable[[Build], Term | None], ...] = (
        _weights,
        _gpu_weights,
        _kv_cache,
        _recurrent_state,
        _compute_buffers,
        _work_buffer,
        _output_buffer,
        _tokenizer,
    )
    return tuple(term for term in (make(plan) for make in makers) if term is not None)


def _weights(plan: Build) -> Term:
    placement = plan.placement
    named = [
        ("mapped from the file", placement.mapped_bytes),
        ("in a CPU buffer", placement.host_bytes),
        ("rearranged copy for the CPU", placement.repacked_bytes),
    ]
    if plan.pool == plan.host_pool:
        named.append(("in GPU buffers", placement.gpu_bytes))
    total = sum(size for _, size in named)
    # locked pages stay; the low bound holds where the limit of locked memory (ulimit -l) did not let them be locked
    locked = plan.options.locked
    return Term(
        name="weights",
        pool=plan.host_pool,
        low_bytes=total - placement.mapped_bytes,
        likely_bytes=total,
        high_bytes=total,
        evictable_bytes=0 if locked else placement.mapped_bytes,
        working_set_bytes=0 if locked else placement.read_again_bytes,
        source="formula",
        formula="sum of tensor bytes by buffer; mapped: from the first to the last mapped tensor of the file",
        error="low: the kernel dropped every mapped page" if placement.mapped_bytes else "",
        parts=tuple(Part(name=name, bytes=size) for name, size in named if size),
    )


def _gpu_weights(plan: Build) -> Term | None:
    """The offloaded layers, a term of their own where the GPU has a memory of its own."""
    if plan.pool == plan.host_pool or not plan.placement.gpu_bytes:
        return None
    return _exact("weights", plan.pool, plan.placement.gpu_bytes, "tensor bytes of the offloaded layers, rows padded")


def _kv_cache(plan: Build) -> Term | None:
    size = kv_bytes(plan.shape, plan.options)
    if not size:
        return None
    kinds = f"{plan.options.kv_type_k}/{plan.options.kv_type_v}"
    return _exact(
        "kv_cache",
        plan.pool,
        size,
        f"per layer cells × streams × (K row + V row), {kinds}, {plan.settings.streams} ×"
        f" {plan.settings.slot_tokens} cells"
        + (f", window layers {plan.settings.window_cells}" if plan.shape.window_tokens else ""),
    )


def _recurrent_state(plan: Build) -> Term | None:
    size = state_bytes(plan.shape, plan.options)
    if not size:
        return None
    return _exact(
        "recurrent_state",
        plan.pool,
        size,
        f"F32 × (convolution + state numbers) a layer × {plan.settings.slots} slots"
        f" × {1 + plan.settings.rollback_tokens}",
    )


def _compute_buffers(plan: Build) -> Term:
    compute = plan.compute
    return Term(
        name="compute_buffers",
        pool=plan.pool,
        low_bytes=compute.low_bytes,
        likely_bytes=compute.touched_bytes,
        high_bytes=compute.reserved_bytes,
        source=compute.source,
        formula=compute.formula,
        error=compute.error or "likely: one output row a slot; high: the whole reservation",
    )


def _work_buffer(plan: Build) -> Term | None:
    size = plan.compute.work_bytes
    if not size:
        return None
    return Term(
        name="work_buffer",
        pool=plan.host_pool,
        low_bytes=0,
        likely_bytes=size,
        high_bytes=size,
        source=plan.compute.source,
        formula="F16 copies of one layer's quantized K and V (CUDA flash attention)"
        if plan.options.backend == "cuda"
        else "scratch of the CPU backend for the largest operation of the graph (ggml_graph_plan)",
    )


def _output_buffer(plan: Build) -> Term:
    size = output_bytes(plan.shape, plan.settings)
    grown = most_output_bytes(plan.shape, plan.options, plan.settings)
    if grown == size:
        return _exact("output_buffer", plan.host_pool, size, "4 bytes × vocabulary × slots")
    row = "(vocabulary + width)" if plan.options.embeddings else "vocabulary"
    rows = "ubatch tokens" if not plan.shape.causal else "batch tokens" if plan.options.embeddings else "output rows"
    return Term(
        name="output_buffer",
        pool=plan.host_pool,
        low_bytes=size,
        likely_bytes=grown,
        high_bytes=grown,
        source="formula",
        formula=f"4 bytes × {row} × {rows}",
        error="low: a row a slot, as at the start; it grows while it serves",
    )


def _tokenizer(plan: Build) -> Term:
    size = tokenizer_bytes(plan.shape.tokenizer, plan.shape.vocabulary_tokens)
    return _ranged(
        "tokenizer",
        plan.host_pool,
        size,
        "measured",
        "147 bytes a token + 105 a merge on the heap, × 1.11 resident",
        "high: the peak while the vocabulary is read",
    )


# PSS of processes that hold the engine and no model, less what other terms name (x86-64, llama.cpp 0c1e57098):
# Python 3.11 with llama-cpp-python 0.3.36 imported, 39 MiB (tools/measure_runtime.py); llama-server of the same commit
# serving a 135M model, 14 MiB
_RUNTIME = {
    "library": Range(20 * MIB, 39 * MIB, 48 * MIB),
    "server": Range(8 * MIB, 14 * MIB, 40 * MIB),
}
# CUDA driver, context and cuBLAS handles on a Jetson: 0.3 GB in 'LLM Optimization on Jetson' §3.3, 200-500 MB for
# a CUDA runtime in 'The Memory Budget' §6; no board has been measured for this project
_CUDA_RUNTIME = Range(150 * MIB, 300 * MIB, 500 * MIB)


def process_terms(plan: Build) -> tuple[Term, ...]:
    """What the process takes around its models: the runtime, saved prompts, room for peaks."""
    own = _RUNTIME[plan.profile]
    tables = table_bytes(plan.shape, plan.settings)
    cuda = _CUDA_RUNTIME if plan.options.backend == "cuda" else Range(0, 0, 0)
    runtime = Range(
        own.low_bytes + cuda.low_bytes,
        own.likely_bytes + cuda.likely_bytes + tables,
        own.high_bytes + cuda.high_bytes + tables + tables // 2,
    )
    parts = [("process and libraries", own.high_bytes), ("context tables", tables + tables // 2)]
    if cuda.high_bytes:
        parts.append(("CUDA context", cuda.high_bytes))
    terms = [
        msgspec.structs.replace(
            _ranged(
                "runtime",
                plan.host_pool,
                runtime,
                "measured" if not cuda.high_bytes else "datasheet",
                "process without a model + 52 bytes a cell + 8 a vocabulary entry + graph tables",
                "CUDA context: published figures, not measured" if cuda.high_bytes else "",
            ),
            parts=tuple(Part(name=name, bytes=size) for name, size in parts),
        )
    ]
    saved = prompt_cache_bytes(plan.shape, plan.options, plan.settings)
    if saved.high_bytes:
        terms.append(
            _ranged(
                "prompt_cache",
                plan.host_pool,
                saved,
                "formula",
                "nothing at load; grows with use up to --cache-ram plus --ctx-checkpoints a slot",
                "likely: before any prompt was saved",
            )
        )
    return tuple(terms)


# Policy and not measurement: allocator slack, thread stacks, request buffers, page tables (0.2 % of what they map). The
# documents' 25 to 30 % stands for runtimes whose allocators were not read; llama.cpp allocates everything at load. The
# library's share on the CPU is twice what its runs call for: tools/headroom.py tells what they took. Servers and GPUs
# were not run as often
_PEAK_SHARE: dict[Backend, float] = {"cpu": 0.01, "cuda": 0.05}
LIBRARY_SHARE = 0.005
PEAK_LEAST_BYTES = 16 * MIB


def peak_bytes(unevictable_bytes: int, backend: Backend, profile: Profile = "server") -> int:
    """Room for what no term names beside so much that cannot be evicted."""
    return max(PEAK_LEAST_BYTES, int(unevictable_bytes * _peak_share(backend, profile)))


def _peak_share(backend: Backend, profile: Profile) -> float:
    return LIBRARY_SHARE if (backend, profile) == ("cpu", "library") else _PEAK_SHARE[backend]


def headroom_term(terms: Iterable[Term], device: Device, options: Options, profile: Profile) -> Term:
    """Room for what no term names; a policy, and said so."""
    unevictable = sum(term.high_bytes - term.evictable_bytes for term in terms)
    share = _peak_share(options.backend, profile)
    return _ranged(
        "peak_headroom",
        "unified" if device.unified else "host",
        Range(0, 0, peak_bytes(unevictable, options.backend, profile)),
        "default",
        f"{share * 100:g}% of what cannot be evicted, at least {PEAK_LEAST_BYTES // MIB} MiB",
        "a policy, not a measurement",
    )


def _exact(name: str, pool: Pool, size: int, formula: str) -> Term:
    return Term(
        name=name, pool=pool, low_bytes=size, likely_bytes=size, high_bytes=size, source="formula", formula=formula
    )


def _ranged(name: str, pool: Pool, size: Range, source: Source, formula: str, error: str) -> Term:
    return Term(
        name=name,
        pool=pool,
        low_bytes=size.low_bytes,
        likely_bytes=size.likely_bytes,
        high_bytes=size.high_bytes,
        source=source,
        formula=formula,
        error=error,
    )
