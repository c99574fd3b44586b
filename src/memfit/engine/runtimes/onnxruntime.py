"""ONNX Runtime: a session with its weights and an arena that grows by doubling and gives nothing back."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized import processes
from memfit.engine._sized.activations import logits_bytes, pass_bytes
from memfit.engine._sized.cache import reserved_kv_bytes
from memfit.engine._sized.figures import NOTHING, PEAKS, Range, term
from memfit.engine._sized.formats import check
from memfit.engine._sized.ledger import finish, kv_term, runtime_term, state_term, weights_term
from memfit.engine._sized.request import BOTH, KV_BYTES, Request, request
from memfit.engine._sized.speech import POSITIONS, network_bytes, whisper_kv_bytes, whisper_pass_bytes
from memfit.engine.records import Asked, Deployment, Options, Profile, Term

# the wheels for aarch64 on PyPI compute on the processor; builds for Jetson bring CUDA (--backend cuda)
OPTIONS = Options(
    context_tokens=4096, slots=1, batch_tokens=2048, kv_type_k="F32", kv_type_v="F32", load_mode="none", backend="cpu"
)
KV_TYPES = {**KV_BYTES, "F32": 4, "INT8": 1}


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What a session takes.

    Past and present of the KV cache share a buffer of the whole context where the generator says so
    (``past_present_share_buffer``); without, a step holds the old one beside the new one.

    Raises:
        UsageError: an option or a format that ONNX Runtime does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("ONNX Runtime", models, deployment, device, asked, backends=BOTH, kv_bytes=KV_TYPES, speech=True)
    warnings = check("onnxruntime", wanted, models, deployment, ENGINE.default_format)
    cuda = processes.CUDA if wanted.options.backend == "cuda" else NOTHING
    terms = (
        weights_term(wanted, "initializers, with external data read into the session"),
        _cache(wanted),
        state_term(wanted),
        _arena(wanted),
        runtime_term(
            wanted,
            processes.ONNXRUNTIME + cuda,
            "datasheet",
            f"{processes.BUDGET}: 100 to 300 MB" + (", and a CUDA context" if cuda is not NOTHING else ""),
        ),
    )
    return finish(wanted, terms, allocator="grows", warnings=warnings)


def _cache(wanted: Request) -> Term | None:
    size = reserved_kv_bytes(wanted)
    if wanted.shape.kind == "speech" and size:
        heard = whisper_kv_bytes(wanted, 2 * size, beams=1)
        words = f"{POSITIONS} positions of the encoder; past and present of {wanted.context_tokens} tokens, one beam"
        return term("kv_cache", wanted.pool, heard, "formula", f"{words}, {wanted.options.kv_type_k}")
    return kv_term(
        wanted,
        2 * size,
        f"{wanted.slots} × {wanted.context_tokens} tokens, past and present",
        low=size // 2,
        error="low: half the context, one buffer; high: the old cache beside the new one",
    )


def _arena(wanted: Request) -> Term:
    if wanted.shape.kind == "speech":
        return _speech_arena(wanted)
    element = wanted.kv_element_bytes if wanted.kv_element_bytes > 1 else 2
    need = pass_bytes(wanted, element_bytes=element) + logits_bytes(wanted, rows=wanted.slots)
    # BFCArena extends itself to the next power of two (kNextPowerOfTwo, onnxruntime/core/framework/bfc_arena.h), so up
    # to twice what was asked for is held
    return term(
        "compute_buffers",
        wanted.pool,
        Range(need.low_bytes, need.likely_bytes, 2 * need.high_bytes),
        "default",
        f"{wanted.batch_tokens} tokens through the widest layer; high: an arena grown to the next power of two",
        "not measured",
    )


def _speech_arena(wanted: Request) -> Term:
    logits = logits_bytes(wanted, rows=wanted.slots)
    if wanted.shape.layers:
        need, words = whisper_pass_bytes(wanted) + logits, f"scores of {POSITIONS} positions in every head, and logits"
    else:
        need, words = network_bytes(wanted), "of its layers nothing is published: up to twice its weights"
    return term("compute_buffers", wanted.pool, need, "default", words, "not measured")


ENGINE = sized(
    "ONNX Runtime",
    summary="ONNX models on the processor or CUDA, an arena that grows",
    options=OPTIONS,
    ledger=ledger,
    default_format="fp32",
    peak_bytes=PEAKS["grows"],
    smaller_formats=("int8", "onnx_int4"),
    aliases=("onnx runtime", "ort", "onnx"),
)
