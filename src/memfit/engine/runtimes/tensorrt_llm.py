"""TensorRT-LLM: a compiled engine, its activations reserved at build, KV cache allocated at start."""

from __future__ import annotations

import msgspec

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized import processes
from memfit.engine._sized.activations import ERROR, logits_bytes, pass_bytes
from memfit.engine._sized.cache import reserved_kv_bytes
from memfit.engine._sized.figures import PEAKS, Range, term
from memfit.engine._sized.formats import check, check_kv
from memfit.engine._sized.ledger import finish, kv_term, runtime_term, state_term, weights_term
from memfit.engine._sized.request import KV_BYTES, request
from memfit.engine.records import Asked, Deployment, Options, Profile
from memfit.units import format_bytes

# --max_num_tokens of trtllm-build: 8192 (0.12, the version with a branch for Jetson)
OPTIONS = Options(context_tokens=4096, slots=1, batch_tokens=8192, load_mode="mmap", backend="cuda")
KV_TYPES = {**KV_BYTES, "FP8": 1, "INT8": 1}
# KvCacheConfig::kDefaultGpuMemFraction, and README4Jetson.md @ 20a7cec9: 90 % of what is free goes to KV cache
FRACTION = 0.9
# logs of trtllm-build print a host peak of 2.5 (Llama-3-8B, GLM-4-9B) to 3.9 (Falcon-RW-1B) times the weights
BUILDER = (3, 4)


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What a built engine takes at run time; the builder's own memory is said apart.

    Checked against README4Jetson.md @ 20a7cec9: Llama-3-8B in INT4 GPTQ takes 7.3 GB of an AGX Orin in all, its file
    mapped, of which 6.8 GB on the GPU's side; without mmap 12.3 GB.

    Raises:
        UsageError: an option or a format that TensorRT-LLM does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("TensorRT-LLM", models, deployment, device, asked, kv_bytes=KV_TYPES)
    check_kv(wanted, refused=True)
    warnings = check("tensorrt_llm", wanted, models, deployment, ENGINE.default_format)
    # the engine is built for --max_num_tokens whatever the requests are
    batch = msgspec.structs.replace(wanted, batch_tokens=wanted.options.batch_tokens)
    activations = pass_bytes(batch) + logits_bytes(wanted, rows=wanted.slots)
    weights, need = wanted.facts.weights_bytes, reserved_kv_bytes(wanted)
    runtime = processes.TENSORRT_LLM
    kv, fraction = need, wanted.options.memory_fraction
    if fraction is not None and need:
        free = device.capacity_bytes - weights - activations.likely_bytes - runtime.likely_bytes
        kv = max(need, int(fraction * free))
    terms = [
        weights_term(wanted, "the engine's weights: tensors of the checkpoint in its format"),
        kv_term(
            wanted,
            kv,
            f"allocated at start: {wanted.slots} × {wanted.context_tokens} tokens"
            if kv == need
            else f"{fraction} of what is free at start",
        ),
        state_term(wanted),
        term(
            "compute_buffers",
            wanted.pool,
            activations,
            "default",
            f"reserved at build for {batch.batch_tokens} tokens (--max_num_tokens), and logits",
            ERROR,
        ),
        runtime_term(wanted, runtime, "datasheet", f"{processes.BUDGET}; README4Jetson.md: 0.5 GB beside the GPU's"),
    ]
    if wanted.options.load_mode == "none":
        terms.append(
            term(
                "work_buffer",
                wanted.host_pool,
                Range(0, weights, weights),
                "default",
                "the engine's file read into memory and kept (no --use_mmap)",
                "README4Jetson.md: 12.3 GB instead of 7.3 GB",
            )
        )
    builder = " to ".join(format_bytes(factor * weights) for factor in BUILDER)
    words = [
        f"building the engine takes {builder} of memory, {BUILDER[0]} to {BUILDER[1]} times its weights: build it on a"
        " larger machine of the same compute capability"
    ]
    if fraction is None:
        words.append(
            f"KV cache for what was asked alone (max_tokens {wanted.slots * wanted.context_tokens}); by default"
            f" TensorRT-LLM takes {FRACTION:.0%} of what is free (--kv_cache_free_gpu_memory_fraction)"
        )
    return finish(wanted, terms, allocator="reserved", warnings=(*warnings, *words))


ENGINE = sized(
    "TensorRT-LLM",
    summary="engines compiled for one GPU, KV cache allocated at start",
    options=OPTIONS,
    ledger=ledger,
    default_format="fp16",
    peak_bytes=PEAKS["reserved"],
    smaller_formats=("w8a8", "int8", "awq", "nvfp4"),
    aliases=("trt llm", "trtllm"),
)
