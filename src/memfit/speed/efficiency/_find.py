"""An engine's efficiency on a chip, or the nearest that is known, with a wider error bar and words that say so."""

from __future__ import annotations

import msgspec

from memfit.errors import UnknownName
from memfit.speed.records import ComputeShare, Efficiency

# what an error bar is multiplied by for every step away from what was published: another chip, another engine. A
# policy: of the three engines that were published on two chips, the shares of bandwidth differ by 1.01, 1.24 and 1.46
TAKEN_OVER_ERROR = 1.5

# the same of prompts. llama.cpp's share on Ampere says twice what a Thor was seen to do: 792 tokens/s of 512 with
# Gemma 4 12B Q4_K_M, 19 of 38 TFLOPS (https://multimodalflow.net/en/blog/gemma4-12b-benchmark-thor-vs-3090/)
PROMPT_TAKEN_OVER_ERROR = 2.0

# engines nobody published on a board, and the one that works most like them
_NEAREST = {
    "sglang": "vllm",  # paged attention, Marlin kernels, CUDA graphs
    "tensorrt_llm": "tensorrt_edge_llm",  # TensorRT engines
    "executorch": "llama_cpp",  # quantized matrix-vector kernels on the CPU
    "onnxruntime": "pytorch",
    "onnx_runtime": "pytorch",
    "ctranslate2": "llama_cpp",
}
# engines that run another's kernels, and so are no faster: what was published of Ollama is of small dense models from
# two sources, and its fit knows nothing of what sorting tokens by expert costs
KERNELS_OF = {"ollama": "llama_cpp"}

_CHIPS = ("Ampere", "Blackwell", "Volta")


def efficiency_of(engine: str, chip: str) -> tuple[Efficiency, str]:
    """What is assumed of ``engine`` on ``chip``, and what that rests on, in words.

    Raises:
        UnknownName: an engine that nobody published, and none is near it.
    """
    from memfit.speed.efficiency import EFFICIENCIES

    if engine not in EFFICIENCIES and engine not in _NEAREST:
        raise UnknownName("engine", engine, (*EFFICIENCIES.keys(), *_NEAREST))
    asked, steps, words = engine, 0, []
    if engine not in EFFICIENCIES:
        engine = _NEAREST[engine]
        steps += 1
        words.append(f"nobody published {asked} on a board: taken from {engine}")
    chips = {entry.chip: entry for entry in EFFICIENCIES.get(engine).chips}
    if chip == "CPU" and chip not in chips:
        engine, steps = "llama_cpp", steps + 1
        words.append(f"nobody published {asked} on these CPUs: taken from llama_cpp")
        chips = {entry.chip: entry for entry in EFFICIENCIES.get(engine).chips}
    if chip in chips:
        found = chips[chip]
    else:
        other = next(name for name in _CHIPS if name in chips)
        found = chips[other]
        steps += 1
        words.append(f"nobody published {engine} on {chip}: taken from {other}")
    if not words:
        count = len(found.sources)
        words.append(f"{found.anchors} published speeds of {count} source{'s' if count != 1 else ''}")
    prompts = found if found.compute else _elsewhere(chips)
    widened = msgspec.structs.replace(
        found,
        engine=asked,
        chip=chip,
        error=found.error * TAKEN_OVER_ERROR**steps,
        start_s=prompts.start_s if prompts is not None else 0.0,
        compute=() if prompts is None else _widened(prompts.compute, steps + (prompts is not found)),
    )
    if prompts is None:
        words.append("no prompt speed was published")
    elif prompts is not found:
        words.append(f"prompts as on {prompts.chip}")
    return widened, "; ".join(words)


def _elsewhere(chips: dict[str, Efficiency]) -> Efficiency | None:
    """The engine's entry on the first other chip of which prompt speeds were published."""
    return next((chips[name] for name in _CHIPS if name in chips and chips[name].compute), None)


def _widened(shares: tuple[ComputeShare, ...], steps: int) -> tuple[ComputeShare, ...]:
    factor = PROMPT_TAKEN_OVER_ERROR**steps
    return tuple(msgspec.structs.replace(share, error=share.error * factor) for share in shares)
