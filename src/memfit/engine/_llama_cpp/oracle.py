"""Ask llama.cpp itself what it would allocate: its real reservation on a model without weights, in another process.

The model is loaded with ``no_alloc`` from a stub of its file, and a context is made for each set of options. The
engine then plans every buffer as it does for a real run and takes no memory for them. It can abort or hang on a model
it does not like, so it runs in a child with a limit on memory and on time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import msgspec

from memfit.engine._llama_cpp.ask import WITHOUT_IT
from memfit.engine._llama_cpp.child import (
    DEFAULT_MEMORY_BYTES,
    DEFAULT_TIMEOUT_S,
    Described,
    Source,
    decode,
    first_line,
    is_installed,
    lacks_memory,
    out_of_memory,
    package_version,
    run_child,
)
from memfit.engine._llama_cpp.reservation import Answer, Identity, Quantization, Refused, Reservation, Reserved
from memfit.engine.records import Options
from memfit.errors import EngineFailed, UsageError
from memfit.precision.formats import FORMATS

__all__ = ["DEFAULT_MEMORY_BYTES", "Described", "Source", "is_installed", "quantize", "reserve", "reserve_one"]

_MOST = 2**31 - 1


def reserve(
    model: Source,
    options: Sequence[Options],
    *,
    embeddings: bool = False,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    program: Sequence[str] | None = None,
) -> Reservation:
    """What the engine would allocate for ``model`` under each of ``options``.

    Many options cost little more than one: the model is loaded once for each setting of ``repack``, ``gpu_layers``
    and ``backend``, and a context takes 2 to 20 ms.

    Args:
        model: a GGUF file (the first of its shards), its header where that is read already, or a description.
        options: ``threads`` of 0 takes this machine's.
        embeddings: the context gives embeddings beside logits.
        timeout_s: for everything.
        memory_bytes: most data that the child may map.
        program: how the child is started, for tests.

    Raises:
        EngineMissing: llama-cpp-python is not installed, or has no GPU backend where ``options`` want one.
        EngineFailed: the child died, hung, ran out of its memory or gave no sensible answer, or the engine does not
            load the model.
        UsageError: a count out of bounds or an unknown KV format.
        ModelError: the file cannot be read.
    """
    groups: dict[tuple[bool, int, str], list[int]] = {}
    for index, wanted in enumerate(options):
        groups.setdefault((wanted.repack, wanted.gpu_layers, wanted.backend), []).append(index)
    loads = [
        {
            "repack": repack,
            "gpu_layers": gpu_layers,
            "gpu": backend != "cpu",
            "contexts": [context_fields(options[index], embeddings) for index in members],
        }
        for (repack, gpu_layers, backend), members in groups.items()
    ]
    needs_gpu = any(load["gpu"] for load in loads)
    job = {"kind": "reserve", "loads": loads, "needs_gpu": needs_gpu}
    raw = run_child(model, job, program=program, timeout_s=timeout_s, memory_bytes=memory_bytes)
    answer = decode(raw, _Reservations)
    contexts: list[Answer | None] = [None] * len(options)
    for members, found in zip(groups.values(), answer.loads, strict=False):
        for index, context in zip(members, found, strict=False):
            contexts[index] = context
    complete = tuple(context for context in contexts if context is not None)
    if len(complete) != len(options):
        raise EngineFailed(f"the engine answered {len(complete)} of {len(options)} questions", hint=WITHOUT_IT)
    for context in complete:
        if isinstance(context, Refused) and lacks_memory(context.why):
            raise out_of_memory(memory_bytes, context.why)
    return Reservation(
        engine=_named(answer.engine),
        contexts=complete,
        peak_rss_bytes=answer.peak_rss_bytes,
        state_allocated=answer.state_allocated,
    )


def reserve_one(model: Source, options: Options, **limits: Any) -> tuple[Identity, Reserved]:
    """What the engine would allocate for one set of options; takes what ``reserve`` takes.

    Raises:
        EngineFailed: as ``reserve``, or the engine refuses these options.
    """
    answer = reserve(model, [options], **limits)
    context = answer.contexts[0]
    if isinstance(context, Refused):
        raise EngineFailed(
            f"llama.cpp refuses these options: {first_line(context.why)}",
            hint="llama.cpp itself would not start with them: change them",
            said=context.why,
        )
    return answer.engine, context


def quantize(
    model: Source,
    file_type: int,
    *,
    imatrix: bool = False,
    pure: bool = False,
    overrides: Sequence[tuple[str, str]] = (),
    timeout_s: float = DEFAULT_TIMEOUT_S,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    program: Sequence[str] | None = None,
) -> Quantization:
    """The format and the bytes of every tensor that llama.cpp's quantization would give (its dry run).

    Args:
        model: as for ``reserve``, with tensors; their present formats do not matter where they can be quantized.
        file_type: number of the preset, ``llama_ftype``.
        imatrix: whether an importance matrix is at hand, which changes the choice of some formats.
        pure: every tensor in the preset's base format.
        overrides: patterns of tensor names (regular expressions) and the format of the tensors they find.
        timeout_s: for everything.
        memory_bytes: most data that the child may map.
        program: how the child is started, for tests.

    Raises:
        EngineMissing, EngineFailed, ModelError: as ``reserve``.
        UsageError: an unknown format.
    """
    numbers = [(pattern, FORMATS.get(name).number) for pattern, name in overrides]
    job = {
        "kind": "quantize",
        "needs_gpu": False,
        "file_type": file_type,
        "imatrix": imatrix,
        "pure": pure,
        "overrides": numbers,
    }
    raw = run_child(model, job, program=program, timeout_s=timeout_s, memory_bytes=memory_bytes)
    answer = decode(raw, Quantization)
    return msgspec.structs.replace(answer, engine=_named(answer.engine))


def context_fields(options: Options, embeddings: bool) -> dict[str, int | bool]:
    """Fields of ``llama_context_params``, include/llama.h (0c1e57098).

    Raises:
        UsageError: a count out of bounds or an unknown KV format.
    """
    threads = options.threads or os.cpu_count() or 1
    counts = {
        "n_ctx": options.context_tokens,
        "n_batch": options.batch_tokens,
        "n_ubatch": options.ubatch_tokens,
        "n_seq_max": options.slots,
        "n_rs_seq": options.rollback_tokens,
        "n_outputs_max": options.output_rows,
        "n_threads": threads,
        "n_threads_batch": threads,
    }
    for name, count in counts.items():
        if not 0 <= count <= _MOST:  # ctypes would cut it to 32 bits in silence
            raise UsageError(f"{name} of {count} is out of bounds", hint=f"0 to {_MOST}")
    return {
        **counts,
        "type_k": FORMATS.get(options.kv_type_k).number,
        "type_v": FORMATS.get(options.kv_type_v).number,
        "flash_attn_type": int(options.flash_attention),
        "swa_full": options.full_window_cache,
        "kv_unified": options.unified_kv,
        "embeddings": embeddings,
    }


class _Reservations(msgspec.Struct):
    engine: Identity
    loads: list[list[Answer]]
    peak_rss_bytes: int
    state_allocated: bool


def _named(engine: Identity) -> Identity:
    return msgspec.structs.replace(engine, package_version=package_version())
