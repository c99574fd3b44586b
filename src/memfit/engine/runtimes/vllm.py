"""vLLM: a share of the memory is taken at start; what weights and activations leave of it becomes pages of KV cache."""

from __future__ import annotations

import bisect

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized import processes
from memfit.engine._sized.activations import ERROR, logits_bytes, pass_bytes
from memfit.engine._sized.cache import paged_kv_bytes, state_bytes
from memfit.engine._sized.figures import PEAKS, Range, term
from memfit.engine._sized.formats import check, check_kv
from memfit.engine._sized.ledger import (
    finish,
    fraction_words,
    kv_term,
    least_fraction,
    runtime_term,
    state_term,
    weights_term,
)
from memfit.engine._sized.request import KV_BYTES, Request, request
from memfit.engine.records import Asked, Deployment, Options, Profile
from memfit.units import MIB

# max_num_batched_tokens of the server on GPUs below 70 GiB: 2048 (vllm/engine/arg_utils.py); max_num_seqs is 256 there,
# which only bounds what is served: requests at once are asked for with --slots
OPTIONS = Options(context_tokens=4096, slots=1, batch_tokens=2048, load_mode="none", backend="cuda")
# CacheConfig.gpu_memory_utilization and DEFAULT_BLOCK_SIZE, vllm/config/cache.py @ 002f10e0 (0.9 in older versions)
FRACTION = 0.92
PAGE_TOKENS = 16
KV_TYPES = {**KV_BYTES, "FP8": 1}

# sizes that graphs are captured for: 1, 2, 4, then every 8 up to twice the requests, 512 at most
# (vllm/config/compilation.py and vllm.py); one published start took 0.31 GiB for 11 of them. Nobody measured it on a
# Jetson
_GRAPH = Range(4 * MIB, 12 * MIB, 32 * MIB)
_GRAPHS = Range(16 * MIB, 64 * MIB, 128 * MIB)


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What vLLM takes: weights, pages, activations as its profile run finds them, graphs, two processes.

    ``determine_available_memory`` (vllm/v1/worker/gpu_worker.py @ 0012cf69): share × total − peak of a dummy pass.

    Raises:
        UsageError: an option or a format that vLLM does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("vLLM", models, deployment, device, asked, kv_bytes=KV_TYPES)
    warnings = check("vllm", wanted, models, deployment, ENGINE.default_format)
    activations = pass_bytes(wanted) + logits_bytes(wanted, rows=wanted.slots)
    need = paged_kv_bytes(wanted, page_tokens=PAGE_TOKENS)
    beside = wanted.facts.weights_bytes + activations.high_bytes + state_bytes(wanted).high_bytes
    least = least_fraction(beside + need, wanted.total_bytes)
    kv = need
    if wanted.options.memory_fraction is not None and need:
        kv = max(need, int(wanted.options.memory_fraction * wanted.total_bytes) - beside)
    words = fraction_words(
        wanted,
        flag="--gpu-memory-utilization",
        least=least,
        default=FRACTION,
        of_bytes=wanted.total_bytes,
        of="the GPU's memory",
    )
    terms = (
        weights_term(wanted, "tensors of the checkpoint, as its quantizer stores them"),
        kv_term(
            wanted,
            kv,
            f"pages of {PAGE_TOKENS} tokens for {wanted.slots} × {wanted.context_tokens} tokens"
            + (", and all that the share leaves" if kv > need else ""),
        ),
        state_term(wanted),
        term(
            "compute_buffers",
            wanted.pool,
            activations,
            "default",
            f"{wanted.batch_tokens} tokens through the widest layer, logits and sampling of {wanted.slots} requests",
            ERROR,
        ),
        term("cuda_graphs", wanted.pool, _graphs(wanted), "default", f"{_sizes(wanted)} captured sizes", "not measured")
        if wanted.options.cuda_graphs
        else None,
        runtime_term(
            wanted,
            processes.PYTORCH + processes.PYTORCH_CPU,
            "default",
            f"PyTorch with CUDA ({processes.BUDGET}) in the engine core, PyTorch alone in the server",
            "not measured for vLLM itself",
        ),
    )
    return finish(wanted, terms, allocator="reserved", warnings=(*warnings, *check_kv(wanted, refused=False), words))


_CAPTURED = (1, 2, 4, *range(8, 257, 8), *range(272, 513, 16))


def _sizes(wanted: Request) -> int:
    return bisect.bisect_right(_CAPTURED, min(2 * wanted.slots, 512))


def _graphs(wanted: Request) -> Range:
    count = _sizes(wanted)
    return _GRAPHS + processes.times(_GRAPH, count, count, count)


ENGINE = sized(
    "vLLM",
    summary="checkpoints of Hugging Face on CUDA, paged KV cache, a share of the memory",
    options=OPTIONS,
    ledger=ledger,
    default_format="bf16",
    peak_bytes=PEAKS["reserved"],
    smaller_formats=("w8a8", "fp8", "awq", "nvfp4"),
    aliases=("v llm",),
)
