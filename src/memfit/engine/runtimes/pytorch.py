"""PyTorch, eager, with Transformers: weights, a cache copied as it grows, an allocator that keeps what it had."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized import processes
from memfit.engine._sized.activations import ERROR, logits_bytes, pass_bytes, scores_bytes
from memfit.engine._sized.cache import reserved_kv_bytes
from memfit.engine._sized.figures import PEAKS, Range, exactly, term
from memfit.engine._sized.formats import check
from memfit.engine._sized.ledger import finish, kv_term, runtime_term, state_term, weights_term
from memfit.engine._sized.request import KV_BYTES, Request, request
from memfit.engine._sized.speech import network_bytes, whisper_kv_bytes, whisper_pass_bytes
from memfit.engine.records import Asked, Deployment, Options, Profile, Term

# a prompt is computed whole: as many tokens at once as it has
OPTIONS = Options(context_tokens=4096, slots=1, batch_tokens=4096, load_mode="none", backend="cuda")
KV_TYPES = {**KV_BYTES, "F32": 4}


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What a Python process with the model takes.

    The cache grows by concatenation (``DynamicCache``), so that one layer's old K or V lies beside the new one.

    Raises:
        UsageError: an option or a format that PyTorch does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request(
        "PyTorch", models, deployment, device, asked, backends=("cuda", "cpu"), kv_bytes=KV_TYPES, speech=True
    )
    warnings = check("pytorch", wanted, models, deployment, ENGINE.default_format)
    cuda = wanted.options.backend == "cuda"
    terms = (
        weights_term(wanted, "parameters, as the checkpoint stores them"),
        _cache(wanted),
        state_term(wanted),
        _activations(wanted),
        runtime_term(
            wanted,
            processes.PYTORCH if cuda else processes.PYTORCH_CPU,
            "datasheet" if cuda else "measured",
            f"{processes.BUDGET}: 500 MB to 1 GB with a CUDA context"
            if cuda
            else "206 MiB measured for torch alone (docs/baselines.md), Transformers beside it",
        ),
    )
    return finish(wanted, terms, allocator="grows", warnings=warnings)


def _cache(wanted: Request) -> Term | None:
    size = reserved_kv_bytes(wanted)
    if wanted.shape.kind == "speech" and size:
        heard = whisper_kv_bytes(wanted, size, beams=1)
        words = f"K and V of the encoder's output, and of {wanted.context_tokens} tokens of one beam"
        return term("kv_cache", wanted.pool, heard, "formula", f"{words}, {wanted.options.kv_type_k}")
    return kv_term(
        wanted,
        size + size // max(1, wanted.facts.layers),
        f"{wanted.slots} × {wanted.context_tokens} tokens, and a layer's copy while it grows",
        low=size // 4,
        error="low: a quarter of the context",
    )


def _activations(wanted: Request) -> Term:
    """One pass of a whole prompt; without fused attention (``--flash-attention off``) a layer's scores come on top."""
    if wanted.shape.kind == "speech":
        heard = whisper_pass_bytes(wanted) if wanted.shape.layers else network_bytes(wanted)
        words = "one pass; fused attention keeps less of it" if wanted.shape.layers else "up to twice its weights"
        return term("compute_buffers", wanted.pool, heard, "default", words, "not measured")
    element = 2 if wanted.kv_element_bytes < 4 else 4
    size = pass_bytes(wanted, element_bytes=element) + logits_bytes(wanted, rows=wanted.slots)
    words = "sdpa"
    if not wanted.options.flash_attention:
        # scores in the model's type, their softmax in 32 bits
        size = size + exactly(scores_bytes(wanted, tokens=wanted.batch_tokens, element_bytes=element + 4))
        words = "attention not fused: scores of a layer, and their softmax in 32 bits"
    return term(
        "compute_buffers",
        wanted.pool,
        Range(size.low_bytes, size.likely_bytes, size.high_bytes),
        "default",
        f"{wanted.batch_tokens} tokens through the widest layer, and logits; {words}",
        ERROR,
    )


ENGINE = sized(
    "PyTorch",
    summary="eager with Transformers, on CUDA or the processor",
    options=OPTIONS,
    ledger=ledger,
    default_format="bf16",
    peak_bytes=PEAKS["grows"],
    smaller_formats=("int8", "awq", "bnb_nf4"),
    aliases=("torch", "transformers", "pytorch eager"),
)
