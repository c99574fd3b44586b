"""The records of speed: what was published, what an engine makes of a chip, and what is expected of a deployment."""

from __future__ import annotations

from typing import Literal

import msgspec

AnchorGrade = Literal["measured", "estimate"]
Bound = Literal["bandwidth", "issue", "launches", "compute"]
Math = Literal["fp32", "fp16", "int8", "fp8", "fp4"]


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """One published speed.

    Attributes:
        board: key of ``device.boards``.
        mode: its power mode in nvpmodel's words, None where it was not told. The fit then takes the highest.
        engine: key of the engine, ``llama_cpp``; an engine that memfit does not size may be an anchor too.
        version: of the engine, None where it was not told.
        model: key of ``model.cards``; a fine-tuned model is named by the card whose shape it has.
        format: a GGUF preset, or a weight format of ``speed.anchors`` (``W4A16``).
        prompt_tokens, generated_tokens: what was sent and what came back, None where it was not told.
        concurrency: sequences served at once; only 1 is fitted.
        decode_tokens_per_s: over all sequences, None where only the prompt was timed.
        prefill_tokens_per_s: of a prompt of ``prompt_tokens``, over all sequences.
        on_cpu: the weights were multiplied by the CPU.
        grade: ``estimate`` is never fitted.
        unfitted: why a measured speed is not fitted, empty where it is.
        note: what else was told.
    """

    board: str
    engine: str
    model: str
    format: str
    mode: str | None = None
    version: str | None = None
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    concurrency: int = 1
    decode_tokens_per_s: float | None = None
    prefill_tokens_per_s: float | None = None
    on_cpu: bool = False
    grade: AnchorGrade = "measured"
    unfitted: str = ""
    note: str = ""

    @property
    def fitted(self) -> bool:
        """Whether the efficiency is derived from it."""
        return self.grade == "measured" and self.concurrency == 1 and not self.unfitted


class AnchorSource(msgspec.Struct, frozen=True, kw_only=True):
    """One place where speeds were published.

    Attributes:
        title: as its authors call it.
        address: where it is, with the commit or date that was read.
        method: how it was measured, as far as it says.
        anchors: its figures.
    """

    title: str
    address: str
    method: str
    anchors: tuple[Anchor, ...]


class ComputeShare(msgspec.Struct, frozen=True, kw_only=True):
    """The share of a chip's peak that an engine's prompt processing reaches with one kind of arithmetic.

    Attributes:
        math: what the tensor cores are fed.
        share: of the dense peak.
        error: the error bar as a factor: likely ÷ error to likely × error.
        anchors: how many published prompt speeds it rests on; 0 for one taken over.
    """

    math: Math
    share: float
    error: float
    anchors: int


class Efficiency(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine makes of one kind of chip. Derived from the anchors by ``tools/fit_speed.py``.

    Attributes:
        engine: key of the engine.
        chip: ``Ampere``, ``Blackwell``, ``Volta``: the GPU's architecture, or ``CPU``.
        bandwidth_share: of the board's bandwidth that a token's bytes come at.
        weights_per_clock: weights that one SM (on the CPU: one core) unpacks and multiplies in one clock, which bounds
            where unpacking takes longer than fetching; None where the anchors do not show such a bound.
        layer_clocks: clocks of the GPU (CPU) that a layer costs beyond that: kernels started and ended.
        expert_clocks: those that its experts cost besides: tokens are sorted by expert, and small matrices gathered.
        error: the error bar of decoding as a factor: from likely ÷ error to likely × error.
        start_s: what a prompt takes besides its arithmetic: the server, its tokenizer, the first sample.
        compute: what prompts reach, by kind of arithmetic.
        anchors: how many published decode speeds it rests on.
        sources: where those were published, keys of ``speed.anchors``.
    """

    engine: str
    chip: str
    bandwidth_share: float
    weights_per_clock: float | None = None
    layer_clocks: float
    expert_clocks: float = 0.0
    error: float
    start_s: float = 0.0
    compute: tuple[ComputeShare, ...] = ()
    anchors: int = 0
    sources: tuple[str, ...] = ()


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A board in one power mode, as speed sees it.

    Attributes:
        name: of the board.
        mode: the power mode that the figures are of.
        chip: the GPU's architecture, or ``CPU``.
        bandwidth_bytes_per_s: of its DRAM in this mode.
        units: SMs that are powered, or CPU cores.
        unit_hz: their clock.
        capability: CUDA's compute capability, None on the CPU.
        source: how the clocks are known.
    """

    name: str
    mode: str
    chip: str
    bandwidth_bytes_per_s: int
    units: int
    unit_hz: int
    capability: str | None = None
    source: str = ""


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """What one step reads and writes in DRAM, over all sequences, and what it computes.

    Attributes:
        tokens: new tokens of the step over all sequences.
        weights_bytes: matrices and norms that every token passes through; of row tables, the rows looked up.
        experts_bytes: of the experts that at least one token of the step is expected to choose.
        kv_bytes: cached rows read, and the new ones written.
        state_bytes: recurrent state read and written.
        numbers: weights that are unpacked and multiplied, each counted once however many tokens it serves.
        flops: multiplications and additions.
        layers: layers that run.
        expert_layers: those of them that have experts.
    """

    tokens: int
    weights_bytes: int
    experts_bytes: int = 0
    kv_bytes: int = 0
    state_bytes: int = 0
    numbers: int = 0
    flops: int = 0
    layers: int = 0
    expert_layers: int = 0

    @property
    def bytes(self) -> int:
        """Everything together."""
        return self.weights_bytes + self.experts_bytes + self.kv_bytes + self.state_bytes


class SpeedRange(msgspec.Struct, frozen=True, kw_only=True):
    """A speed with its error bar, in tokens a second over all sequences."""

    low: float
    likely: float
    high: float


class SpeedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A share of the time of one step. Parts add up to the step."""

    name: str
    seconds: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A decode speed seen on the machine itself, which says more than any anchor.

    Attributes:
        touched: what a token touched in that run.
        decode_tokens_per_s: what was seen.
    """

    touched: Touched
    decode_tokens_per_s: float


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a deployment is expected to be.

    Attributes:
        engine: key of the engine.
        machine: the board and the power mode that were assumed.
        decode, prefill: tokens a second over all sequences; prefill is None where nobody published what the engine
            makes of prompts.
        touched: what one decode step touches.
        parts: where the time of a decode step goes.
        bound: what most of it waits for.
        prefill_bound: the same of the prompt.
        efficiency: what was assumed of the engine on this chip.
        source: what the efficiency rests on, in words.
    """

    engine: str
    machine: Machine
    decode: SpeedRange
    prefill: SpeedRange | None
    touched: Touched
    parts: tuple[SpeedPart, ...]
    bound: Bound
    prefill_bound: Bound | None = None
    efficiency: Efficiency
    source: str
    schema_version: int = 1

    @property
    def bytes_per_token(self) -> int:
        """DRAM bytes that one generated token costs."""
        return self.touched.bytes // max(self.touched.tokens, 1)
