"""Records of precision, with figures of real ones."""

from __future__ import annotations

from memfit.engine.predictions import Speed
from memfit.search.records import (
    Asked,
    CacheChoice,
    Candidate,
    Evaluation,
    Floor,
    Given,
    Held,
    PrecisionMap,
    Quality,
    TaskResult,
    Text,
)

TEXT = Text(name="chats.jsonl", sha256="02e3d08a64e10b2b" * 4, tokens=73_000, windows=64, window_tokens=512, first=256)
UNSEEN = Text(
    name="chats.jsonl", sha256="02e3d08a64e10b2b" * 4, tokens=73_000, windows=48, window_tokens=512, first=256
)
QUALITY = Quality(
    kl_mean=0.02843,
    kl_ci95=(0.02712, 0.02973),
    kl_p99=0.1218,
    top1=0.9007,
    perplexity=8.853,
    perplexity_ci95=(7.91, 9.91),
    base_perplexity=8.549,
    perplexity_ratio_ci95=(1.0304, 1.0408),
    tokens=12_240,
)
ENGINE = "0c1e570 (llama-cpp-python 0.3.36)"
FLOOR = Floor(kind="kl", most=0.03, written="kl=0.03")
TASK = TaskResult(
    file="questions.jsonl", sha256="ab" * 32, tasks=200, right=150, base_right=153, lost=5, won=2, p_value=0.453
)

EVALUATED = Evaluation(
    model="small.gguf",
    base="base.gguf",
    bytes=2_884_096,
    base_bytes=11_659_776,
    memory_bytes=60_664_987,
    text=TEXT,
    perplexity=8.853,
    kl_mean=0.02843,
    kl_ci95=(0.02712, 0.02973),
    top1=0.9007,
    quality=QUALITY,
    tasks=(TASK,),
    speed=Speed(prefill_tokens_per_s=4100.0, decode_tokens_per_s=310.5),
    engine=ENGINE,
    seconds=4.2,
    notes=("measured on the bundled sample, English prose and code: --text takes what your users write",),
)

PERPLEXITY_ALONE = Evaluation(
    model="base.gguf",
    base=None,
    bytes=11_659_776,
    base_bytes=None,
    memory_bytes=None,
    text=TEXT,
    perplexity=8.549,
    quality=Quality(perplexity=8.549, perplexity_ci95=(7.7, 9.6), tokens=12_240),
    engine=ENGINE,
    seconds=2.1,
)


def _given(name: str, dims: tuple[int, ...], format: str, bytes: int, divergence: float) -> Given:
    return Given(
        name=name,
        dims=dims,
        before="F16",
        format=format,
        bytes=bytes,
        divergence=divergence,
        probed=divergence * 4,
        probe_format="Q3_K",
        why=f"{divergence / 0.028:.1%} of the predicted divergence",
    )


_HELD = (Held(floor="kl=0.03", measured=0.02973, holds=True),)
SEARCHED = Candidate(name="searched", bytes=2_884_096, predicted_kl=0.029, quality=QUALITY, held=_HELD)
PRESET = Candidate(
    name="Q3_K_M",
    bytes=3_165_952,
    fallbacks=2,
    predicted_kl=0.02966,
    quality=Quality(
        kl_mean=0.0356,
        kl_ci95=(0.0341, 0.0371),
        kl_p99=0.2,
        top1=0.89,
        perplexity=8.95,
        perplexity_ci95=(8.0, 10.0),
        base_perplexity=8.549,
        perplexity_ratio_ci95=(1.04, 1.05),
        tokens=12_240,
    ),
    speed=Speed(prefill_tokens_per_s=4000.0, decode_tokens_per_s=300.0),
    held=(Held(floor="kl=0.03", measured=0.0371, holds=False),),
)
UNMEASURED = Candidate(name="Q4_K_M", bytes=3_724_288, predicted_kl=0.009659)
REFUSED = Candidate(name="IQ2_XXS", bytes=0, why_not="it needs an importance of blk.0.attn_q.weight")

PRECISION = PrecisionMap(
    model="base.gguf",
    model_sha256="dc" * 32,
    model_bytes=11_659_776,
    out="small.gguf",
    bytes=2_884_096,
    sha256="ce" * 32,
    asked=Asked(floors=(FLOOR,)),
    method="searched",
    tensors=(
        _given("token_embd.weight", (256, 3584), "Q3_K", 394_240, 0.003),
        _given("blk.0.attn_q.weight", (256, 256), "IQ1_S", 12_800, 0.0002),
        _given("blk.0.ffn_down.weight", (768, 256), "IQ4_XS", 104_448, 0.002),
        _given("blk.1.attn_q.weight", (256, 256), "Q4_K", 36_864, 0.0001),
        _given("output.weight", (256, 3584), "Q8_0", 974_848, 0.002),
    ),
    importance_sha256="1a" * 32,
    kv=("Q8_0", "Q8_0"),
    caches=(
        CacheChoice(k="Q8_0", v="Q8_0", max_bytes=2_900_000, cache_kl=0.0011, predicted_kl=0.0301),
        CacheChoice(k="F16", v="F16", max_bytes=2_400_000, cache_kl=0.0, predicted_kl=0.041),
    ),
    predicted_kl=0.029,
    quality=QUALITY,
    held=_HELD,
    candidates=(SEARCHED, PRESET, UNMEASURED, REFUSED),
    chosen="searched",
    least_bytes=1_702_000,
    text=TEXT,
    unseen=UNSEEN,
    engine=ENGINE,
    seconds=41.5,
    notes=("holds for this model: what memfit-tiny loses says little of models of another size",),
)

NOTHING_HOLDS = PrecisionMap(
    model="base.gguf",
    model_sha256="dc" * 32,
    model_bytes=11_659_776,
    out=None,
    bytes=None,
    sha256=None,
    asked=Asked(floors=(FLOOR,), max_bytes=3_165_952, min_tokens_per_s=20.0, max_ttft_s=1.0),
    method="ladder",
    tensors=(),
    candidates=(PRESET,),
    nearest="Q3_K_M",
    nearest_bytes=PRESET.bytes,
    text=TEXT,
    unseen=UNSEEN,
    engine=ENGINE,
    seconds=12.0,
)

MEASURED = {
    "evaluated": EVALUATED,
    "perplexity_alone": PERPLEXITY_ALONE,
    "precision": PRECISION,
    "nothing_holds": NOTHING_HOLDS,
}
