"""TensorRT Edge-LLM: a compiled engine without Python, KV cache allocated for the longest request."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized import processes
from memfit.engine._sized.activations import ERROR, logits_bytes, pass_bytes
from memfit.engine._sized.cache import reserved_kv_bytes
from memfit.engine._sized.figures import PEAKS, Range, exactly, term
from memfit.engine._sized.formats import check, check_kv
from memfit.engine._sized.ledger import finish, kv_term, runtime_term, state_term, weights_term
from memfit.engine._sized.request import KV_BYTES, request
from memfit.engine.records import Asked, Deployment, Options, Profile
from memfit.units import MIB, format_bytes

# llm_build: --maxInputLen, --maxBatchSize, --maxKVCacheCapacity; they are chosen at build and have to be stated
OPTIONS = Options(context_tokens=4096, slots=1, batch_tokens=2048, load_mode="none", backend="cuda")
KV_TYPES = {**KV_BYTES, "FP8": 1}
BUILDER = (3, 4)
# a C++ program: libraries of TensorRT and plug-ins beside the CUDA context
_PROGRAM = Range(30 * MIB, 100 * MIB, 250 * MIB)


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What a built engine takes at run time; the builder's own memory is said apart.

    Raises:
        UsageError: an option or a format that Edge-LLM does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("TensorRT Edge-LLM", models, deployment, device, asked, kv_bytes=KV_TYPES)
    check_kv(wanted, refused=True)
    warnings = check("tensorrt_edge_llm", wanted, models, deployment, ENGINE.default_format)
    activations = pass_bytes(wanted) + logits_bytes(wanted, rows=wanted.slots)
    weights = wanted.facts.weights_bytes
    embedding = wanted.facts.embedding_bytes
    # the table is a file of its own beside the engine: a tied output matrix is in the engine once more
    twice = embedding if wanted.shape.tied_embeddings else 0
    terms = (
        weights_term(wanted, "the engine's weights and the embedding table beside it"),
        term("work_buffer", wanted.pool, exactly(twice), "formula", "the tied output matrix, once more in the engine")
        if twice
        else None,
        kv_term(
            wanted,
            reserved_kv_bytes(wanted),
            f"allocated at start: {wanted.slots} × {wanted.context_tokens} tokens (--maxKVCacheCapacity)",
        ),
        state_term(wanted),
        term(
            "compute_buffers",
            wanted.pool,
            activations,
            "default",
            f"reserved at build for {wanted.batch_tokens} tokens (--maxInputLen) through the widest layer, and logits",
            ERROR,
        ),
        runtime_term(
            wanted,
            _PROGRAM + processes.CUDA,
            "default",
            f"a C++ program with TensorRT, and a CUDA context ({processes.BUDGET})",
            "not measured",
        ),
    )
    builder = " to ".join(format_bytes(factor * weights) for factor in BUILDER)
    words = (
        f"building the engine takes {builder} of memory, {BUILDER[0]} to {BUILDER[1]} times its weights: build it on a"
        " larger machine of the same compute capability"
    )
    return finish(wanted, terms, allocator="reserved", warnings=(*warnings, words))


ENGINE = sized(
    "TensorRT Edge-LLM",
    summary="engines compiled for Jetson, a C++ runtime, KV cache allocated at start",
    options=OPTIONS,
    ledger=ledger,
    default_format="fp16",
    peak_bytes=PEAKS["reserved"],
    smaller_formats=("w8a8", "fp8", "awq", "nvfp4"),
    aliases=("edge llm", "trt edge llm"),
)
