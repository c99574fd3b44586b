"""CTranslate2: transformers in C++, as under faster-whisper; weights in 8 bits, buffers that grow with a batch."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized import processes
from memfit.engine._sized.activations import ERROR, logits_bytes, pass_bytes
from memfit.engine._sized.cache import reserved_kv_bytes
from memfit.engine._sized.figures import NOTHING, PEAKS, term
from memfit.engine._sized.formats import check
from memfit.engine._sized.ledger import finish, kv_term, runtime_term, state_term, weights_term
from memfit.engine._sized.request import BOTH, KV_BYTES, Request, request
from memfit.engine._sized.speech import BEAMS, POSITIONS, whisper_kv_bytes, whisper_pass_bytes
from memfit.engine.records import Asked, Deployment, Options, Profile, Term
from memfit.errors import UnknownArchitecture

# the wheels for aarch64 on PyPI compute on the processor; builds for Jetson bring CUDA (--backend cuda). Whisper
# decodes 448 tokens at most; a text model has its own context
OPTIONS = Options(
    context_tokens=448, slots=1, batch_tokens=1500, kv_type_k="F32", kv_type_v="F32", load_mode="none", backend="cpu"
)
KV_TYPES = {**KV_BYTES, "F32": 4}


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What a translator, a generator or a whisper model takes.

    The cache of K and V grows with every token and is in the type of the computation; an encoder's output is projected
    once for each layer of the decoder.

    Raises:
        UsageError: an option or a format that CTranslate2 does not have here.
        UnknownArchitecture: no architecture file describes the model, or it is a network known by its file alone.
    """
    wanted = request("CTranslate2", models, deployment, device, asked, backends=BOTH, kv_bytes=KV_TYPES, speech=True)
    warnings = check("ctranslate2", wanted, models, deployment, ENGINE.default_format)
    cuda = processes.CUDA if wanted.options.backend == "cuda" else NOTHING
    if not wanted.shape.layers:
        raise UnknownArchitecture(
            f"CTranslate2 runs transformers, and {wanted.shape.name} is known by its file alone",
            hint="--engine onnxruntime",
        )
    whisper = wanted.shape.kind == "speech"
    terms = (
        weights_term(wanted, "model.bin, read into memory"),
        _whisper_cache(wanted) if whisper else _cache(wanted),
        state_term(wanted),
        _hearing(wanted) if whisper else _activations(wanted),
        runtime_term(
            wanted,
            processes.CTRANSLATE2 + cuda,
            "measured" if cuda is NOTHING else "datasheet",
            "25 MiB measured for the library" + ("" if cuda is NOTHING else f"; a CUDA context ({processes.BUDGET})"),
            "high: a Python process with a tokenizer around it",
        ),
    )
    return finish(wanted, terms, allocator="grows", warnings=warnings)


def _cache(wanted: Request) -> Term | None:
    size = reserved_kv_bytes(wanted)
    words = f"grows with every token up to {wanted.slots} × {wanted.context_tokens}"
    return kv_term(wanted, size, words, low=size // 4, error="low: a quarter of the context")


def _whisper_cache(wanted: Request) -> Term:
    return term(
        "kv_cache",
        wanted.pool,
        whisper_kv_bytes(wanted, reserved_kv_bytes(wanted), beams=BEAMS),
        "formula",
        f"{POSITIONS} positions heard, {wanted.context_tokens} tokens of {BEAMS} beams, {wanted.options.kv_type_k}",
        "likely: half of the tokens, as one window of sound gives at most; low: one beam",
    )


def _activations(wanted: Request) -> Term:
    size = pass_bytes(wanted, element_bytes=wanted.kv_element_bytes) + logits_bytes(wanted, rows=wanted.slots)
    words = f"{wanted.batch_tokens} tokens through the widest layer, and logits"
    return term("compute_buffers", wanted.pool, size, "default", words, ERROR)


def _hearing(wanted: Request) -> Term:
    size = whisper_pass_bytes(wanted) + logits_bytes(wanted, rows=BEAMS * wanted.slots)
    words = f"scores of {POSITIONS} positions in every head, and logits"
    return term("compute_buffers", wanted.pool, size, "default", words, "half to twice as much")


ENGINE = sized(
    "CTranslate2",
    summary="transformers in C++ on the processor or CUDA, as under faster-whisper",
    options=OPTIONS,
    ledger=ledger,
    default_format="ct2_int8",
    peak_bytes=PEAKS["grows"],
    smaller_formats=("ct2_int8",),
    aliases=("ct2", "faster whisper"),
)
