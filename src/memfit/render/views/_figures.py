"""Words and figures that views share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memfit.render.document import Cell, Command, Tone
from memfit.units import GIB, MIB, format_bytes, format_tokens

if TYPE_CHECKING:  # an audit shows figures too, and loads no engine for them
    from memfit.device.records import Device
    from memfit.engine.records import Options
    from memfit.footprint.records import Footprint, ModelSummary, Verdict

VERDICT_WORDS: dict[Verdict, str] = {"fits": "fits", "tight": "tight", "no": "does not fit"}
VERDICT_TONES: dict[Verdict, Tone] = {"fits": "ok", "tight": "warn", "no": "bad"}

# names whose plain reading ("kv cache") is not how the field writes them
_TERM_WORDS = {"kv_cache": "KV cache", "os": "OS", "cuda_graphs": "CUDA graphs"}


def mib(size: int, *, tone: Tone = "neutral", quiet: bool = False) -> Cell:
    """A figure in a column of MiB, where digits must stand under digits; the exact bytes on request."""
    text = f"{size / MIB:.1f}"
    if size and text in ("0.0", "-0.0"):
        text = "<0.1" if size > 0 else ">-0.1"
    return Cell(text.replace("-", "−"), tone=tone, quiet=quiet or size == 0, exact=f"{size} bytes")


def gib(size: int) -> str:
    """A size in running text: GiB from one GiB up, MiB below."""
    return f"{size / GIB:.2f} GiB" if abs(size) >= GIB else format_bytes(size)


def term_words(name: str) -> str:
    """``compute buffers`` for ``compute_buffers``, ``KV cache`` for ``kv_cache``."""
    return _TERM_WORDS.get(name, name.replace("_", " "))


def model_words(model: ModelSummary) -> str:
    """``Llama-3.2-3B · llama · 3.21B parameters · 28 layers · Q4_K_M``."""
    parameters = f"{parameter_words(model.parameters)} parameters"
    if 0 < model.parameters_active < model.parameters:
        parameters += f", {parameter_words(model.parameters_active)} active"
    return " · ".join((model.name, model.architecture, parameters, f"{model.layers} layers", model.format))


def device_words(device: Device) -> str:
    """``Orin Nano 8GB · unified memory · 6.20 GiB for deployments (datasheet)``."""
    memory = "unified memory" if device.unified else "separate memories"
    return f"{device.name} · {memory} · {gib(device.capacity_bytes)} for deployments ({device.grade})"


def options_words(options: Options, *, pooled: bool = False) -> str:
    """The options that move memory most, as the engine calls them; ``pooled``: of another engine than llama.cpp."""
    context = format_tokens(options.context_tokens) if options.context_tokens else "trained"
    slots = "1 slot" if options.slots == 1 else f"{options.slots} slots"
    kv = options.kv_type_k if options.kv_type_k == options.kv_type_v else f"{options.kv_type_k}/{options.kv_type_v}"
    if pooled:
        fraction = "" if options.memory_fraction is None else f" · memory fraction {options.memory_fraction:g}"
        words = f"context {context} a request · {slots} · KV {kv} · {options.batch_tokens} prompt tokens at once"
        return f"{words}{fraction} · {options.backend}"
    flash = "on" if options.flash_attention else "off"
    return (
        f"context {context} · {slots} · KV {kv} · ubatch {options.ubatch_tokens} · flash attention {flash} · "
        f"load {options.load_mode} · {options.backend}"
    )


def verdict_sentence(footprint: Footprint) -> str:
    """What the verdict means here, in one sentence."""
    if footprint.verdict == "fits":
        return f"{gib(footprint.headroom_bytes)} to spare of {gib(footprint.capacity_bytes)}"
    if footprint.verdict == "tight":
        return (
            f"{gib(-footprint.headroom_bytes)} of the mapped weights do not stay in {gib(footprint.capacity_bytes)}: "
            "read again from storage for every token"
        )
    return f"{gib(-footprint.headroom_bytes)} short of {gib(footprint.capacity_bytes)}"


def title_words(model: ModelSummary, device: Device) -> str:
    """``Llama-3.2-3B Q4_K_M on Orin Nano 8GB``."""
    named = model.name if model.format.lower() in model.name.lower() else f"{model.name} {model.format}"
    return f"{named} on {device.name}"


def shell_command(purpose: str, *words: str) -> Command:
    """A command that people copy into a shell, every word quoted that needs it: a model's name may hold ``; rm``."""
    import shlex

    return Command(shlex.join(words), purpose)


def parameter_words(count: int) -> str:
    """``3.21B``, ``135M``."""
    return f"{count / 1e9:.2f}B" if count >= 10**9 else f"{count / 1e6:.0f}M"
