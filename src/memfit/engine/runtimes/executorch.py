"""ExecuTorch on XNNPACK: one file with weights, a memory plan that holds the KV cache, a runtime in C++."""

from __future__ import annotations

from memfit.device.records import Device
from memfit.engine._engine import Ledger, Models, sized
from memfit.engine._sized.cache import reserved_kv_bytes
from memfit.engine._sized.figures import PEAKS, Range, term
from memfit.engine._sized.formats import check
from memfit.engine._sized.ledger import finish, kv_term, runtime_term, state_term, weights_term
from memfit.engine._sized.request import Request, request
from memfit.engine.records import Asked, Deployment, Options, Profile
from memfit.units import MIB

# --max_seq_length and --max_context_length 2048 of the published recipe: prompt tokens at once and context
OPTIONS = Options(
    context_tokens=2048, slots=1, batch_tokens=2048, kv_type_k="F32", kv_type_v="F32", load_mode="none", backend="cpu"
)
KV_TYPES = {"F32": 4, "F16": 2, "BF16": 2, "INT8": 1}

# Four resident sizes were published (examples/models/llama/README.md @ 00748569, OnePlus 12, context 2048): Llama 3.2
# 1B in BF16 3185 MiB and 8da4w 1921, 3B in BF16 7419 and 8da4w 3726. Less file and F32 cache 699, 710, 842 and 843 are
# left: a plan of 16.5 × width × tokens F32 numbers and 436 MiB around it meet all four within 12 MiB
_PLAN_HALVES = 33
_AROUND = Range(200 * MIB, 436 * MIB, 600 * MIB)


def ledger(models: Models, deployment: Deployment, device: Device, profile: Profile, asked: Asked) -> Ledger:
    """What a ``.pte`` file takes when it runs on the processor.

    Raises:
        UsageError: an option or a format that ExecuTorch does not have here, or several requests.
        UnknownArchitecture: no architecture file describes the model.
    """
    wanted = request("ExecuTorch", models, deployment, device, asked, backends=("cpu",), kv_bytes=KV_TYPES)
    warnings = check("executorch", wanted, models, deployment, ENGINE.default_format)
    plan = plan_bytes(wanted)
    terms = (
        weights_term(wanted, "the program's constants, read into memory; XNNPACK packs them there"),
        kv_term(
            wanted,
            reserved_kv_bytes(wanted),
            f"part of the memory plan: {wanted.slots} × {wanted.context_tokens} tokens (--max_context_length)",
        ),
        state_term(wanted),
        term(
            "compute_buffers",
            wanted.pool,
            Range(plan // 2, plan, 2 * plan),
            "measured",
            f"memory plan of {wanted.batch_tokens} prompt tokens (--max_seq_length): 16.5 × width × 4 bytes a token",
            "fitted to four published sizes of two models",
        ),
        runtime_term(
            wanted,
            _AROUND,
            "measured",
            "process, XNNPACK's workspace and tokenizer: what the published sizes leave",
            "fitted to four published sizes on a phone",
        ),
    )
    return finish(wanted, terms, allocator="reserved", warnings=warnings)


def plan_bytes(wanted: Request) -> int:
    """Activations of the memory plan, in F32."""
    return wanted.batch_tokens * wanted.shape.embedding_length * _PLAN_HALVES * 4 // 2


ENGINE = sized(
    "ExecuTorch",
    summary="programs exported from PyTorch, on the processor with XNNPACK",
    options=OPTIONS,
    ledger=ledger,
    default_format="xnnpack_8da4w",
    peak_bytes=PEAKS["reserved"],
    smaller_formats=("xnnpack_8da4w",),
    on_the_processor=True,
    aliases=("executor", "xnnpack"),
)
