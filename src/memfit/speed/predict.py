"""The speed of a model on a board with an engine: the one place where all of the room meets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memfit.device.boards import Board
from memfit.errors import UsageError
from memfit.model.shape import ModelShape
from memfit.speed.efficiency import KERNELS_OF, efficiency_of
from memfit.speed.machine import machine_of
from memfit.speed.records import Efficiency, Machine, Math, Measured, Speed, SpeedRange
from memfit.speed.roofline import Step, calibrated, compute_share, prompt_time, step_time
from memfit.speed.touched import Profile, kv_step_bytes, profile, prompt, touched
from memfit.speed.traffic import UNFUSED_ENGINES, unfused_extra_bytes

PROMPT_TOKENS = 512  # what llama-bench's pp512 and most published tables take

# tokens of a prompt computed at once: n_ubatch of llama.cpp (common/common.h, 0c1e57098) and of Ollama, which runs it;
# 2,048 is vLLM's max_num_batched_tokens with chunked prefill (vllm/config, 0.10). Of the others nothing longer is known
CHUNK_TOKENS = {"llama_cpp": 512, "ollama": 512}
OTHER_CHUNK_TOKENS = 2048

# the error bar of several sequences at once: nine of ten published speeds of eight lie within it. None of them is
# fitted, because kernels for a few tokens differ from engine to engine: INT4 of TensorRT Edge-LLM takes 2.5 times what
# its bytes and flops do
SEVERAL_ERROR = 2.5
# the error bar of a mixture's prompt: each expert gets a few of a chunk's tokens, and kernels are as slow as with many.
# Three were published: vLLM's as expected, TensorRT Edge-LLM's at two thirds of it, llama.cpp's at a third
MIXTURE_PROMPT_ERROR = 2.5

_GGML_ENGINES = ("llama_cpp", "ollama")
_SIXTEEN = ("F16", "BF16", "FP16", "F32", "FP32", "F64")
_FOUR = ("NVFP4", "MXFP4")
_EIGHT = ("FP8", "F8_E4M3", "F8_E5M2")
_INTEGER = ("W8A8", "INT8", "I8")


@dataclass(frozen=True)
class Setting:
    """An engine on a board in one power mode: found once, asked for many models and contexts.

    Attributes:
        engine: key of the engine.
        machine: the board in its power mode.
        efficiency: what the engine makes of its chip.
        source: what that rests on, in words.
        at_most: of the engine whose kernels it runs: it is no faster than with these figures.
    """

    engine: str
    machine: Machine
    efficiency: Efficiency
    source: str
    at_most: Efficiency | None = None


def setting_of(
    board: Board, engine: str, *, mode: str | None = None, on_cpu: bool = False, measured: Sequence[Measured] = ()
) -> Setting:
    """An engine on a board.

    Args:
        board: what it runs on.
        engine: key of the engine.
        mode: power mode, the highest where not given.
        on_cpu: the CPU multiplies.
        measured: decode speeds seen on this machine with this engine, which take the place of the anchors.

    Raises:
        UnknownName: no such power mode, or an engine of which nothing is known.
        UsageError: clocks or bandwidth of the board are not known, or a measured speed is none.
    """
    machine = machine_of(board, mode, on_cpu=on_cpu)
    efficiency, source = efficiency_of(engine, machine.chip)
    efficiency, seen = calibrated(
        efficiency, machine, [(point.touched, point.decode_tokens_per_s) for point in measured]
    )
    if seen:
        source = f"{seen} speed{'s' if seen != 1 else ''} measured on this machine"
    if seen or engine not in KERNELS_OF:
        return Setting(engine, machine, efficiency, source)
    kernels = KERNELS_OF[engine]
    source += f"; no faster than {kernels}, whose kernels it runs"
    return Setting(engine, machine, efficiency, source, efficiency_of(kernels, machine.chip)[0])


def predict(
    model: ModelShape | Profile,
    board: Board,
    engine: str,
    *,
    mode: str | None = None,
    depth_tokens: int = 0,
    prompt_tokens: int = PROMPT_TOKENS,
    sequences: int = 1,
    kv_type_k: str = "F16",
    kv_type_v: str = "F16",
    on_cpu: bool = False,
    math: Math | None = None,
    measured: Sequence[Measured] = (),
) -> Speed:
    """How fast a model runs, its tensors in the format they are stored in: ``setting_of`` and ``predict_on`` in one.

    Args:
        model: its shape, or the profile of it; without tensors there is nothing to read, and nothing is told.
        board: what it runs on.
        engine: key of the engine.
        mode: power mode, the highest where not given.
        depth_tokens: tokens in the cache of each sequence while it generates.
        prompt_tokens: of the prompt whose speed is asked for.
        sequences: served at once.
        kv_type_k: format of the cached K.
        kv_type_v: format of the cached V.
        on_cpu: the CPU multiplies.
        math: what prompts are multiplied with; by the engine and the format where not given.
        measured: decode speeds seen on this machine with this engine, which take the place of the anchors.

    Raises:
        UnknownName: no such power mode, or an engine of which nothing is known.
        UsageError: clocks or bandwidth of the board are not known, or numbers that are none.
    """
    return predict_on(
        setting_of(board, engine, mode=mode, on_cpu=on_cpu, measured=measured),
        model if isinstance(model, Profile) else profile(model),
        depth_tokens=depth_tokens,
        prompt_tokens=prompt_tokens,
        sequences=sequences,
        kv_type_k=kv_type_k,
        kv_type_v=kv_type_v,
        math=math,
    )


def predict_on(
    setting: Setting,
    model: Profile,
    *,
    depth_tokens: int = 0,
    prompt_tokens: int = PROMPT_TOKENS,
    sequences: int = 1,
    kv_type_k: str = "F16",
    kv_type_v: str = "F16",
    math: Math | None = None,
) -> Speed:
    """How fast a summed-up model runs where all else is known; arguments as in ``predict``.

    Raises:
        UsageError: numbers that are none.
        UnknownName: no such KV format.
    """
    engine, machine = setting.engine, setting.machine
    step = touched(model, depth_tokens=depth_tokens, sequences=sequences, kv_type_k=kv_type_k, kv_type_v=kv_type_v)
    error = setting.efficiency.error if sequences == 1 else max(setting.efficiency.error, SEVERAL_ERROR)
    used = math or math_for(engine, model.format)
    unfused = engine in UNFUSED_ENGINES
    extra = unfused_extra_bytes(model.shape, sequences, depth_tokens=depth_tokens) if unfused else 0
    together = used if sequences > 1 else None
    decode, efficiency = _slower(setting, lambda one: step_time(step, machine, one, math=together, extra_bytes=extra))
    share = compute_share(setting.efficiency, machine, used)
    prompt_error = 1.0 if share is None else share.error
    if model.expert_layers:
        prompt_error = max(prompt_error, MIXTURE_PROMPT_ERROR)
    filled: Step | None = None
    if share is not None:
        chunk = CHUNK_TOKENS.get(engine, OTHER_CHUNK_TOKENS)
        steps = prompt(model, prompt_tokens, chunk_tokens=chunk, kv_type_k=kv_type_k, kv_type_v=kv_type_v)
        moved = unfused_extra_bytes(model.shape, prompt_tokens) if unfused else 0
        filled, _ = _slower(setting, lambda one: prompt_time(steps, machine, one, used, extra_bytes=moved))
    return Speed(
        engine=engine,
        machine=machine,
        decode=speed_range(sequences, decode.seconds, error),
        prefill=None if filled is None else speed_range(prompt_tokens, filled.seconds, prompt_error),
        touched=step,
        parts=decode.parts,
        bound=decode.bound,
        prefill_bound=None if filled is None else filled.bound,
        efficiency=efficiency,
        source=setting.source,
    )


def _slower(setting: Setting, time: Callable[[Efficiency], Step]) -> tuple[Step, Efficiency]:
    """The time with the engine's own figures, or with those of whose kernels it runs where that is longer."""
    own = time(setting.efficiency), setting.efficiency
    if setting.at_most is None:
        return own
    return max(own, (time(setting.at_most), setting.at_most), key=lambda found: found[0].seconds)


def decode_over_depths(
    setting: Setting, model: Profile, depths_tokens: Sequence[int], *, kv_type_k: str = "F16", kv_type_v: str = "F16"
) -> tuple[SpeedRange, ...]:
    """The decode speed of one sequence at many depths, for tables of thousands of rows.

    The same as ``predict_on`` says at each: between two depths only the cache that is read differs.

    Raises:
        UsageError: a negative depth.
        UnknownName: no such KV format.
    """
    error = setting.efficiency.error
    if setting.engine in UNFUSED_ENGINES or setting.at_most is not None:
        return tuple(
            predict_on(
                setting, model, depth_tokens=depth, prompt_tokens=1, kv_type_k=kv_type_k, kv_type_v=kv_type_v
            ).decode
            for depth in depths_tokens
        )
    if min(depths_tokens, default=0) < 0:
        raise UsageError("a negative depth", hint="depths are tokens in the cache")
    empty = touched(model, kv_type_k=kv_type_k, kv_type_v=kv_type_v)
    base = step_time(empty, setting.machine, setting.efficiency).seconds
    rate = setting.efficiency.bandwidth_share * setting.machine.bandwidth_bytes_per_s
    return tuple(
        speed_range(1, base + (kv_step_bytes(model, depth, 1, kv_type_k, kv_type_v) - empty.kv_bytes) / rate, error)
        for depth in depths_tokens
    )


def decode_seconds(
    model: Profile, machine: Machine, efficiency: Efficiency, *, depth_tokens: int, tokens: int, math: Math
) -> float:
    """The time of one step that checks ``tokens`` tokens of one sequence; of one token, decoding."""
    step = touched(model, depth_tokens=depth_tokens, tokens=tokens)
    return step_time(step, machine, efficiency, math=math if tokens > 1 else None).seconds


def speed_range(tokens: int, seconds: float, error: float) -> SpeedRange:
    """Tokens a second with an error bar that is a factor."""
    likely = tokens / seconds if seconds > 0 else float("inf")
    return SpeedRange(low=likely / error, likely=likely, high=likely * error)


def math_for(engine: str, format: str) -> Math:
    """What an engine multiplies a prompt with, by the format that most of the weights are stored in.

    llama.cpp quantizes activations to 8 bits for quantized weights (mul_mat_q, ggml/src/ggml-cuda/mmq.cuh, 0c1e57098);
    others unpack 4-bit integers to FP16. A chip without the arithmetic falls back to FP16 (``machine.math_of``).
    """
    if format in _SIXTEEN:
        return "fp16"
    if engine in _GGML_ENGINES:
        return "int8"
    if format in _FOUR:
        return "fp4"
    if format in _EIGHT:
        return "fp8"
    return "int8" if format in _INTEGER else "fp16"
