"""SGLang: a static share for weights and KV cache, a reserve beside it for activations and graphs."""

from __future__ import annotations

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
from memfit.engine._sized.request import KV_BYTES, Request, memory_of, request
from memfit.engine.records import Asked, Deployment, Options, Profile, Term
from memfit.units import GIB, MIB

# chunked_prefill_size on GPUs below 35 GB (python/sglang/srt/server_args.py, _handle_gpu_memory_settings)
OPTIONS = Options(context_tokens=4096, slots=1, batch_tokens=2048, load_mode="none", backend="cuda")
KV_TYPES = {**KV_BYTES, "FP8": 1}

# the reserve that the same function keeps free: 512 MiB, 1.5 MiB for each token of a chunk (2048 at least), 2 MiB for
# each size of a batch that graphs are captured for, 128 MiB for one GPU. mem_fraction_static is what it leaves
_META = 512 * MIB
_ONE_GPU = 128 * MIB
_TOKEN_TENTHS = 15  # MiB / 10
_LEAST_CHUNK = 2048
_GRAPH = 2 * MIB


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What SGLang takes: weights and pages in a static share, its reserve for the rest, three processes.

    Raises:
        UsageError: an option or a format that SGLang does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("SGLang", models, deployment, device, asked, kv_bytes=KV_TYPES)
    warnings = check("sglang", wanted, models, deployment, ENGINE.default_format)
    # the pool is paged by single tokens (page_size 1); the share is one of what is free when it starts
    need = paged_kv_bytes(wanted, page_tokens=1)
    static = wanted.facts.weights_bytes + state_bytes(wanted).high_bytes
    free = device.capacity_bytes
    kv = need
    if wanted.options.memory_fraction is not None and need:
        kv = max(need, int(wanted.options.memory_fraction * free) - static)
    default = max(0.0, (wanted.total_bytes - reserve_bytes(wanted)) / max(1, wanted.total_bytes))
    words = fraction_words(
        wanted,
        flag="--mem-fraction-static",
        least=least_fraction(static + need, free),
        default=round(default, 3),
        of_bytes=free,
        of="what is free for weights and KV cache",
    )
    terms = (
        weights_term(wanted, "tensors of the checkpoint, as its quantizer stores them"),
        kv_term(
            wanted,
            kv,
            f"{wanted.slots} × {wanted.context_tokens} tokens"
            + (", and all that the share leaves" if kv > need else ""),
        ),
        state_term(wanted),
        _activations(wanted),
        _graphs(wanted) if wanted.options.cuda_graphs else None,
        runtime_term(
            wanted,
            processes.PYTORCH + processes.times(processes.PYTORCH_CPU, 1, 2, 2),
            "default",
            f"PyTorch with CUDA ({processes.BUDGET}) in the scheduler, PyTorch alone in server and detokenizer",
            "not measured for SGLang itself",
        ),
    )
    return finish(wanted, terms, allocator="reserved", warnings=(*warnings, *check_kv(wanted, refused=False), words))


def reserve_bytes(wanted: Request) -> int:
    """What SGLang keeps out of the static share by default on this device."""
    chunk = max(wanted.batch_tokens, _LEAST_CHUNK)
    return _META + chunk * _TOKEN_TENTHS * MIB // 10 + _GRAPH * most_graphs(wanted.total_bytes) + _ONE_GPU


def most_graphs(total_bytes: int) -> int:
    """Largest batch that graphs are captured for (``cuda_graph_max_bs``) by the size of the memory."""
    limits = ((20 * GIB, 8), (35 * GIB, 24), (60 * GIB, 32))
    return next((size for limit, size in limits if total_bytes < limit), 256)


def _activations(wanted: Request) -> Term:
    rule = pass_bytes(wanted) + logits_bytes(wanted, rows=wanted.slots)
    return term(
        "compute_buffers",
        wanted.pool,
        rule + Range(0, _META // 2, _META),
        "default",
        f"{wanted.batch_tokens} tokens through the widest layer, logits; up to 512 MiB set aside for attention",
        ERROR,
    )


def _graphs(wanted: Request) -> Term:
    words = f"batches up to {most_graphs(wanted.total_bytes)}"
    return term("cuda_graphs", wanted.pool, graphs_bytes(wanted.total_bytes), "default", words, "not measured")


def graphs_bytes(total_bytes: int) -> Range:
    """What captured graphs take by the size of the memory."""
    count = most_graphs(total_bytes)
    return Range(16 * MIB, count * MIB + 64 * MIB, max(2, count) * _GRAPH + 256 * MIB)


def _of_device(device: Device) -> tuple[int, int]:
    size = graphs_bytes(memory_of(device))
    return size.likely_bytes, size.high_bytes


ENGINE = sized(
    "SGLang",
    summary="checkpoints of Hugging Face on CUDA, paged KV cache, a static share of the memory",
    options=OPTIONS,
    ledger=ledger,
    default_format="bf16",
    peak_bytes=PEAKS["reserved"],
    of_device=_of_device,
    smaller_formats=("w8a8", "fp8", "awq", "nvfp4"),
    aliases=("sg lang",),
)
