"""Answers of a search for the tests of their views: made up, with figures as a board shows them."""

from memfit.device import find_device
from memfit.fit import Fit, FitRow, FitVerdict, QualityPrior, Wish
from memfit.fit.arithmetic import arithmetic
from memfit.fit.boards import BoardRow, BoardsOf
from memfit.fit.drafts import drafts_of
from memfit.units import GIB, MIB

GOOD = QualityPrior(kl_divergence=0.028, words="good", source="a scoreboard")
POOR = QualityPrior(kl_divergence=0.33, words="poor", source="a scoreboard")
NANO = find_device("orin-nano-8gb")


def row(
    model: str,
    verdict: FitVerdict,
    spare: int,
    *,
    reason: str = "",
    quality: QualityPrior = GOOD,
    speed: float | None = 21,
) -> FitRow:
    needs = NANO.capacity_bytes - spare
    return FitRow(
        model=model,
        parameters=3_212_749_824,
        parameters_active=3_212_749_824,
        format="Q4_K_M",
        engine="llama_cpp",
        context_tokens=8192 if spare > 0 else 0,
        at_tokens=4096,
        context_trained_tokens=131072,
        verdict=verdict,
        reason=reason,
        weights_bytes=needs // 2,
        likely_bytes=needs - 200 * MIB,
        high_bytes=needs,
        required_bytes=needs,
        headroom_bytes=spare,
        decode_tokens_per_s=speed,
        decode_low_tokens_per_s=None if speed is None else speed * 0.8,
        decode_high_tokens_per_s=None if speed is None else speed * 1.25,
        prefill_tokens_per_s=None if speed is None else 740,
        quality=quality,
        score=1.5,
        named=model == "Llama-3.2-3B",
    )


FITTING = Fit(
    device=NANO,
    wish=Wish(use="chat", context_tokens=4096),
    rows=(
        row("Llama-3.2-3B", "comfortable", 2 * GIB),
        row("Qwen3-4B", "tight", 300 * MIB, reason="300.0 MiB to spare", speed=None),
        row("Qwen3-8B", "barely", 100 * MIB, reason="only in Q2_K, a last resort", quality=POOR, speed=9),
        row("Llama-3.3-70B", "no", -34 * GIB, reason="34.00 GiB short", speed=None),
    ),
    considered=9404,
    left_out=20,
    notes=("speed of llama.cpp: MAXN_SUPER, 57 published speeds of 9 sources; half of the context filled",),
)
NOTHING_FITS = Fit(
    device=NANO,
    wish=Wish(context_tokens=32768, slots=4),
    rows=(row("Llama-3.3-70B", "no", -34 * GIB, reason="34.00 GiB short", speed=None),),
    considered=13,
)
ON_BOARDS = BoardsOf(
    model="Qwen3-14B",
    wish=Wish(),
    boards=(
        BoardRow(
            device="Orin Nano 8GB",
            capacity_bytes=NANO.capacity_bytes,
            row=row("Qwen3-14B", "no", -500 * MIB, reason="500.0 MiB short", speed=None),
        ),
        BoardRow(device="Orin NX 16GB", capacity_bytes=14 * GIB, row=row("Qwen3-14B", "comfortable", 2 * GIB)),
    ),
    smallest="Orin NX 16GB",
)
ON_NO_BOARD = BoardsOf(model="DeepSeek-V3", wish=Wish(), boards=ON_BOARDS.boards[:1], smallest=None)

WITH_DRAFTS = drafts_of(NANO, Wish(), "Llama-3.2-3B")
NO_DRAFT = drafts_of(NANO, Wish(), "Llama-3.2-1B")
TAKEN_APART = arithmetic(NANO, Wish(), "Llama-3.2-1B")

FIT_ANSWERS = {
    "arithmetic": TAKEN_APART,
    "drafts": WITH_DRAFTS,
    "drafts_none": NO_DRAFT,
    "fit": FITTING,
    "fit_nothing": NOTHING_FITS,
    "boards": ON_BOARDS,
    "boards_none": ON_NO_BOARD,
}
