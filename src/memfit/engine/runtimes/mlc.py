"""MLC LLM: a compiled library, pages of KV cache and the working space of its attention reserved at start."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized import processes
from memfit.engine._sized.activations import pass_bytes
from memfit.engine._sized.cache import reserved_kv_bytes
from memfit.engine._sized.figures import PEAKS, Range, term
from memfit.engine._sized.formats import check
from memfit.engine._sized.ledger import finish, kv_term, runtime_term, state_term, weights_term
from memfit.engine._sized.request import Request, request
from memfit.engine.records import Asked, Deployment, Options, Profile
from memfit.units import MIB

# mode "local": four sequences share a KV cache of one context (python/mlc_llm/serve/config.py @ 04e38057); the prefill
# chunk of its published start is 1024
OPTIONS = Options(context_tokens=4096, slots=1, batch_tokens=1024, load_mode="none", backend="cuda")
SEQUENCES = 4


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What MLC takes: parameters, pages, temporary buffers, its process.

    Its own estimate at start (cpp/serve/config.cc, ``EstimateMemoryUsageOnMode``) prints three figures. For
    Llama-3-8B in q4f16_1 with a context of 8192, four sequences and a chunk of 1024 they are 4308.133, 1092.268 and
    335.925 MB (MiB). All three come out equal; of the third it doubles a part for safety, which is the high bound here.

    Raises:
        UsageError: an option or a format that MLC does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("MLC", models, deployment, device, asked)
    warnings = check("mlc", wanted, models, deployment, ENGINE.default_format)
    need = reserved_kv_bytes(wanted)
    size = need + auxiliary_bytes(wanted) if need else 0
    fraction, words = wanted.options.memory_fraction, ""
    temporary = temporary_bytes(wanted)
    if fraction is not None and need:
        pool = int(fraction * wanted.total_bytes) - wanted.facts.weights_bytes - temporary.likely_bytes
        words = ", and all that the share leaves (mode server)" if pool > size else ""
        size = max(size, pool)
    terms = (
        weights_term(wanted, "parameters of the compiled model"),
        kv_term(
            wanted,
            size,
            f"pages of 16 tokens for {wanted.slots} × {wanted.context_tokens} tokens,"
            f" 48 MiB and the working space of {wanted.batch_tokens} tokens{words}",
        ),
        state_term(wanted),
        term(
            "compute_buffers",
            wanted.pool,
            temporary,
            "default",
            f"work space of {SEQUENCES} sequences, and 1.56 × {wanted.batch_tokens} tokens through the widest layer",
            "1.56 by one published start of one model; high: doubled, as MLC does for safety",
        ),
        runtime_term(
            wanted,
            processes.PYTORCH_CPU + processes.CUDA,
            "default",
            "a Python process with a compiler's runtime, and a CUDA context",
            "not measured: a Python process with PyTorch stands for it",
        ),
    )
    return finish(wanted, terms, allocator="reserved", warnings=warnings)


def auxiliary_bytes(wanted: Request) -> int:
    """What the estimate counts beside the pages of the KV cache: ``kv_aux_workspace_bytes`` in cpp/serve/config.cc."""
    heads, kv_heads, length = wanted.facts.heads, wanted.facts.kv_heads, wanted.facts.key_length
    tokens = wanted.context_tokens * wanted.slots
    sequences = max(SEQUENCES, wanted.slots)
    return (
        (sequences + 1) * 88
        + wanted.batch_tokens * (heads + 1) * 8
        + wanted.batch_tokens * length * (heads + kv_heads) * 4
        + 48 * MIB
        + tokens * 5 // 4
    )


def temporary_bytes(wanted: Request) -> Range:
    """``model_workspace_bytes``, ``logit_processor_workspace_bytes`` and the functions' temporary buffer."""
    sequences = max(SEQUENCES, wanted.slots)
    chunk, shape = wanted.batch_tokens, wanted.shape
    space = 4 * (chunk + sequences) + 2 * (2 * chunk + sequences) * shape.embedding_length
    logits = sequences * 20 + sequences * shape.vocabulary_tokens * 129 // 8
    one = pass_bytes(wanted).likely_bytes
    likely = one * 156 // 100
    return Range(space + logits + one, space + logits + likely, space + logits + 2 * likely)


ENGINE = sized(
    "MLC",
    summary="models compiled with TVM, its own 3- and 4-bit formats",
    options=OPTIONS,
    ledger=ledger,
    default_format="q4f16_1",
    peak_bytes=PEAKS["reserved"],
    smaller_formats=("q4f16_1", "q3f16_1"),
    aliases=("mlc llm",),
)
