"""The speed of a model on a board with an engine: the one place where all of the room meets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memfit.device.boards import Board
from memfit.model.shape import ModelShape
from memfit.speed.efficiency import efficiency_of
from memfit.speed.machine import machine_of
from memfit.speed.records import Efficiency, Machine, Math, Measured, Speed, SpeedRange
from memfit.speed.roofline import Step, calibrated, compute_share, prompt_time, step_time
from memfit.speed.touched import prompt, touched
from memfit.speed.traffic import UNFUSED_ENGINES, unfused_extra_bytes

PROMPT_TOKENS = 512  # what llama-bench's pp512 and most published tables take

# tokens of a prompt computed at once: n_ubatch of llama.cpp (common/common.h, 0c1e57098) and of Ollama, which runs it;
# 2,048 is vLLM's max_num_batched_tokens with chunked prefill (vllm/config, 0.10). Of the others nothing longer is known
_CHUNK = {"llama_cpp": 512, "ollama": 512}
_CHUNK_OTHERS = 2048

# the error bar of several sequences at once: nine of ten published speeds of eight lie within it. None of them is
# fitted, because kernels for a few tokens differ from engine to engine: INT4 of TensorRT Edge-LLM takes 2.5 times what
# its bytes and flops do
SEVERAL_ERROR = 2.5

_GGML_ENGINES = ("llama_cpp", "ollama")
_SIXTEEN = ("F16", "BF16", "FP16", "F32", "FP32", "F64")
_FOUR = ("NVFP4", "MXFP4")
_EIGHT = ("FP8", "F8_E4M3", "F8_E5M2")
_INTEGER = ("W8A8", "INT8", "I8")


def predict(
    shape: ModelShape,
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
    """How fast ``shape`` runs, its tensors in the format they are stored in.

    Args:
        shape: the model; without tensors there is nothing to read, and nothing is told.
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
    machine = machine_of(board, mode, on_cpu=on_cpu)
    efficiency, source = efficiency_of(engine, machine.chip)
    efficiency, seen = calibrated(
        efficiency, machine, [(point.touched, point.decode_tokens_per_s) for point in measured]
    )
    if seen:
        source = f"{seen} speed{'s' if seen != 1 else ''} measured on this machine"
    step = touched(shape, depth_tokens=depth_tokens, sequences=sequences, kv_type_k=kv_type_k, kv_type_v=kv_type_v)
    error = efficiency.error if sequences == 1 else max(efficiency.error, SEVERAL_ERROR)
    used = math or math_for(engine, shape)
    unfused = engine in UNFUSED_ENGINES
    extra = unfused_extra_bytes(shape, sequences, depth_tokens=depth_tokens) if unfused else 0
    decode = step_time(step, machine, efficiency, math=used if sequences > 1 else None, extra_bytes=extra)
    chunk = _CHUNK.get(engine, _CHUNK_OTHERS)
    steps = prompt(shape, prompt_tokens, chunk_tokens=chunk, kv_type_k=kv_type_k, kv_type_v=kv_type_v)
    share = compute_share(efficiency, machine, used)
    filled: Step | None = None
    if share is not None:
        extra = unfused_extra_bytes(shape, prompt_tokens) if unfused else 0
        filled = prompt_time(steps, machine, efficiency, used, extra_bytes=extra)
    return Speed(
        engine=engine,
        machine=machine,
        decode=speed_range(sequences, decode.seconds, error),
        prefill=None if filled is None or share is None else speed_range(prompt_tokens, filled.seconds, share.error),
        touched=step,
        parts=decode.parts,
        bound=decode.bound,
        prefill_bound=None if filled is None else filled.bound,
        efficiency=efficiency,
        source=source,
    )


def decode_seconds(
    shape: ModelShape, machine: Machine, efficiency: Efficiency, *, depth_tokens: int, tokens: int, math: Math
) -> float:
    """The time of one step that checks ``tokens`` tokens of one sequence; of one token, decoding."""
    step = touched(shape, depth_tokens=depth_tokens, tokens=tokens)
    return step_time(step, machine, efficiency, math=math if tokens > 1 else None).seconds


def speed_range(tokens: int, seconds: float, error: float) -> SpeedRange:
    """Tokens a second with an error bar that is a factor."""
    likely = tokens / seconds if seconds > 0 else float("inf")
    return SpeedRange(low=likely / error, likely=likely, high=likely * error)


def math_for(engine: str, shape: ModelShape) -> Math:
    """What an engine multiplies a prompt with, by the format that most of the weights are stored in.

    llama.cpp quantizes activations to 8 bits for quantized weights (mul_mat_q, ggml/src/ggml-cuda/mmq.cuh, 0c1e57098);
    others unpack 4-bit integers to FP16. A chip without the arithmetic falls back to FP16 (``machine.math_of``).
    """
    stored = Counter[str]()
    for tensor in shape.tensors:
        if len(tensor.dims) > 1:
            stored[tensor.format] += tensor.elements
    most = stored.most_common(1)[0][0] if stored else "F16"
    if most in _SIXTEEN:
        return "fp16"
    if engine in _GGML_ENGINES:
        return "int8"
    if most in _FOUR:
        return "fp4"
    if most in _EIGHT:
        return "fp8"
    return "int8" if most in _INTEGER else "fp16"
