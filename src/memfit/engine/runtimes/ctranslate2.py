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
from memfit.engine.records import Asked, Deployment, Options, Profile

# the wheels for aarch64 on PyPI compute on the processor; builds for Jetson bring CUDA (--backend cuda). Whisper
# decodes 448 tokens at most; a text model has its own context
OPTIONS = Options(
    context_tokens=448, slots=1, batch_tokens=1500, kv_type_k="F32", kv_type_v="F32", load_mode="none", backend="cpu"
)
KV_TYPES = {**KV_BYTES, "F32": 4}
# 30 s of sound are 1500 positions of whisper's encoder (max_source_positions of its config.json); beam_size of
# faster-whisper's transcribe is 5
POSITIONS = 1500
BEAMS = 5


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What a translator, a generator or a whisper model takes.

    The cache of K and V grows with every token and is in the type of the computation; an encoder's output is projected
    once for each layer of the decoder.

    Raises:
        UsageError: an option or a format that CTranslate2 does not have here.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("CTranslate2", models, deployment, device, asked, backends=BOTH, kv_bytes=KV_TYPES)
    warnings = check("ctranslate2", wanted, models, deployment, ENGINE.default_format)
    cuda = processes.CUDA if wanted.options.backend == "cuda" else NOTHING
    kv = reserved_kv_bytes(wanted)
    low, words = kv // 4, "low: a quarter of the context"
    if wanted.shape.architecture == "whisper":
        kv, low, words = _whisper_kv(wanted, kv)
    activations = pass_bytes(wanted, element_bytes=wanted.kv_element_bytes) + logits_bytes(wanted, rows=wanted.slots)
    terms = (
        weights_term(wanted, "model.bin, read into memory"),
        kv_term(
            wanted,
            kv,
            f"grows with every token up to {wanted.slots} × {wanted.context_tokens}",
            low=low,
            error=words,
        ),
        state_term(wanted),
        term(
            "compute_buffers",
            wanted.pool,
            activations,
            "default",
            f"{wanted.batch_tokens} tokens through the widest layer, and logits",
            ERROR,
        ),
        runtime_term(
            wanted,
            processes.CTRANSLATE2 + cuda,
            "measured" if cuda is NOTHING else "datasheet",
            "25 MiB measured for the library" + ("" if cuda is NOTHING else f"; a CUDA context ({processes.BUDGET})"),
            "high: a Python process with a tokenizer around it",
        ),
    )
    return finish(wanted, terms, allocator="grows", warnings=warnings)


def _whisper_kv(wanted: Request, own: int) -> tuple[int, int, str]:
    """Caches of the decoder for every beam, and K and V of the encoder's output once a layer; high, low, words."""
    elements = wanted.facts.full_elements + wanted.facts.window_elements
    encoder = elements * wanted.kv_element_bytes * POSITIONS * wanted.slots
    words = f"{POSITIONS} positions of the encoder, and the decoder's cache for {BEAMS} beams; low: one beam"
    return own * BEAMS + encoder, own // 4 + encoder, words


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
