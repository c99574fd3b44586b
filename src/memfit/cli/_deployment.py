"""From the words of a command line to the deployment they describe, for every verb that takes one."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from memfit.cli._completion import engines, formats, models, paths
from memfit.cli._estimate_options import changed, engine_options
from memfit.errors import UsageError

if TYPE_CHECKING:
    from memfit.device.records import Device
    from memfit.engine import Engine
    from memfit.engine.records import Command, Deployment, Profile

F = TypeVar("F", bound=Callable[..., Any])

_USUAL = "llama_cpp"
_POOLED = "vllm, sglang"
_FOR_THE_CPU = "computed for the CPU; add --backend cuda for the GPU"

_ENGINE = (
    click.option("--engine", default=_USUAL, show_default=True, shell_complete=engines, help="Inference runtime."),
    click.option(
        "--profile", type=click.Choice(["library", "server"]), help="Whose defaults: llama.cpp's library or its server."
    ),
    click.option(
        "--source",
        type=click.Choice(["auto", "engine", "formula", "both"]),
        default="auto",
        show_default=True,
        help="Ask the engine, compute by formula, or compare both.",
    ),
    click.option(
        "--calibration",
        metavar="off|FILE",
        shell_complete=paths,
        help="What runs here taught (memfit verify) is used on this machine; leave it out, or take another's.",
    ),
    click.option("--draft", metavar="FILE", shell_complete=models, help="Draft model for speculative decoding."),
    click.option("--mmproj", "projector", metavar="FILE", shell_complete=paths, help="Projector for images or sound."),
    click.option(
        "--lora",
        "adapters",
        multiple=True,
        metavar="FILE",
        shell_complete=paths,
        help="LoRA adapter; may be repeated.",
    ),
)


def model_arguments(function: F) -> F:
    """Add the model, its format and the engine's options to a command."""
    function = engine_options(function)
    function = click.option(
        "--format",
        "format_name",
        metavar="FORMAT",
        shell_complete=formats,
        help="Size the weights in this preset (Q4_K_M), or scheme of an engine that reads checkpoints (awq).",
    )(function)
    named = click.argument(
        "model", nargs=-1, type=click.UNPROCESSED, metavar="MODEL | -- COMMAND…", shell_complete=models
    )
    return named(function)


def runtime_options(function: F) -> F:
    """Add which engine it is, whom to ask, and what runs beside the model."""
    for option in reversed(_ENGINE):
        function = option(function)
    return function


class DeploymentCommand(click.Command):
    """Knows a pasted command that came without ``--``, whose options are not memfit's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse it with what to write instead of taking its options for memfit's."""
        given = list(args)
        if "--" in given:
            return super().parse_args(ctx, args)
        if given and _reads_as_command(given):
            raise self._without_dashes(given)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            starts = (index for index, word in enumerate(given) if word.endswith(("llama-server", "llama-cli")))
            if (start := next(starts, None)) is not None:
                raise self._without_dashes(given[start:]) from None
            raise

    def _without_dashes(self, words: list[str]) -> UsageError:
        return UsageError(
            "a command of the engine goes after `--`, so that its options are not taken for memfit's",
            hint=f"memfit {self.name} -- {' '.join(words)}",
        )


def _reads_as_command(words: list[str]) -> bool:
    from memfit.engine.runtimes import ENGINES

    # the engine of the command line, and the usual one: to look at all would import all, for every estimate
    stated = words[words.index("--engine") + 1 :][:1] if "--engine" in words else []
    names = [name for name in (_USUAL, *stated) if name in ENGINES]
    try:
        return len(words) > 1 and any(ENGINES.get(name).read_command(words, None) for name in names)
    except UsageError:
        return True  # a command, though one that cannot be read


class Described(NamedTuple):
    """A deployment.

    Attributes:
        deployment: what was described.
        profile: whose defaults it started from.
        command: the engine's own command that described it; empty where none did.
        warnings: what to know.
    """

    deployment: Deployment
    profile: Profile
    command: tuple[str, ...]
    warnings: tuple[str, ...]


def describe(verb: str, words: tuple[str, ...], given: dict[str, Any], device: Device, source: str) -> Described:
    """The deployment that ``words`` and the options of ``model_arguments`` and ``runtime_options`` describe.

    Args:
        verb: for hints.
        words: a model, a Modelfile or the engine's own command.
        given: the options, without those of the verb itself, ``source`` and ``calibration``.
        device: where it is to run.
        source: whom to ask.

    Raises:
        UsageError: they describe none.
    """
    from memfit.engine.runtimes import ENGINES

    engine = ENGINES.get(given["engine"])
    if not words:
        raise UsageError("no model given", hint=f"memfit {verb} model.gguf, or memfit {verb} --help")
    profile = given["profile"]
    command = engine.read_command(words, profile)
    if command is None and len(words) > 2:
        named, words = words[0], words[1:]  # MODEL -- COMMAND
        command = engine.read_command(words, profile)
        if command is None:
            words = (named, *words)
        elif not _same_model(named, command.deployment.model):
            raise UsageError(
                f"{named} stands before `--`, and the command runs {command.deployment.model}",
                hint=f"name the model once, in the command: memfit {verb} -- {shlex.join(words)}",
            )
    if command is None and len(words) > 1:
        if engine.only_sized:
            raise UsageError(
                f"memfit reads no commands of {engine.name}",
                hint=f"name the model and its options: memfit {verb} MODEL --engine {given['engine']} -c 8192",
            )
        message, hint = _many(words)
        raise UsageError(message, hint=hint)
    if command is not None:
        _not_its_own(engine, given)
        return _merged(command, given, device, source)._replace(command=words)
    recipe = engine.read_modelfile(Path(words[0]), profile)
    if recipe is not None:
        return _merged(recipe, given, device, source)
    return _plain(words[0], engine, given, device)


def _same_model(one: str, other: str) -> bool:
    try:
        return one == other or Path(one).samefile(other)
    except (OSError, ValueError):  # names, or a file that is not there
        return False


def _many(words: tuple[str, ...]) -> tuple[str, str]:
    """Why several words are no model: message and hint."""
    if Path(words[0]).name == "ollama":
        return (
            "a command of ollama names neither a file nor its options",
            "memfit reads a Modelfile: ollama show --modelfile NAME > Modelfile, then memfit estimate Modelfile",
        )
    if any(word.startswith("-") for word in words):
        return (
            f"no engine of memfit has a program {words[0]!r}",
            "after `--`, write llama.cpp's own command: llama-server -m model.gguf -c 8192",
        )
    return f"one model at a time, not {len(words)}", "a command of llama.cpp goes after `--`"


def _plain(name: str, engine: Engine, options: dict[str, Any], device: Device) -> Described:
    from memfit.engine.records import Deployment

    given = dict(options)
    profile: Profile = given.pop("profile") or "library"
    fixed: Any = {key: given.pop(key) for key in ("engine", "draft", "projector", "adapters")}
    format_name = given.pop("format_name")
    ignored = _not_its_own(engine, given)
    chosen = changed(engine.profiles[profile], given)
    gpu_idle = chosen.backend == "cpu" and _has_gpu(device) and not _gpu_given(options)
    warnings = (*ignored, _FOR_THE_CPU) if gpu_idle and not engine.on_the_processor else ignored
    deployment = Deployment(model=name, format=format_name, options=chosen, **fixed)
    return Described(deployment, profile, command=(), warnings=warnings)


# options that only engines of checkpoints have, and those that only llama.cpp has
_OF_CHECKPOINTS = {"memory_fraction": "--memory-fraction", "cuda_graphs": "--cuda-graphs"}
_OF_LLAMA = {
    "unified_kv": "--unified-kv",
    "ubatch_tokens": "--ubatch",
    "locked": "--mlock",
    "repack": "--repack",
    "gpu_layers": "--gpu-layers",
    "full_window_cache": "--swa-full",
    "output_rows": "--output-rows",
    "embeddings": "--embeddings",
    "cache_ram_bytes": "--cache-ram",
    "checkpoints": "--ctx-checkpoints",
    "threads": "--threads",
}


def _not_its_own(engine: Engine, given: dict[str, Any]) -> tuple[str, ...]:
    """Refuse an option that would change the figures elsewhere; say which of llama.cpp's were left aside.

    Raises:
        UsageError: a share of the memory, or graphs, on an engine that has neither.
    """
    if engine.reads == "gguf":
        for field, option in _OF_CHECKPOINTS.items():
            if given.get(field) is not None:
                raise UsageError(
                    f"{engine.name} has no {option}", hint=f"leave it out, or name an engine that has: {_POOLED}"
                )
        return ()
    named = [option for field, option in _OF_LLAMA.items() if given.get(field) is not None]
    words = f"{', '.join(named)}: options of llama.cpp, which {engine.name} does not have; they change nothing here"
    return (words,) if named else ()


def _merged(command: Command, stated: dict[str, Any], device: Device, source: str) -> Described:
    """Options given to memfit itself win over those of the pasted command."""
    import msgspec

    given = dict(stated)
    given.pop("engine")
    given.pop("profile")  # the command was read with it
    format_name = given.pop("format_name")
    fixed = {key: value for key in ("draft", "projector", "adapters") if (value := given.pop(key))}
    if format_name:
        fixed["format"] = format_name
    options = changed(command.deployment.options, given)
    warnings = command.warnings
    if not command.gpu_stated and not _gpu_given(stated) and _has_gpu(device):
        if source in ("engine", "both"):  # the engine that is asked computes on the CPU
            warnings = (*warnings, _FOR_THE_CPU)
        else:
            options = msgspec.structs.replace(options, backend="cuda")
            warnings = (*warnings, "no -ngl given: all layers go to the device's GPU, as llama.cpp does")
    deployment = msgspec.structs.replace(command.deployment, options=options, **fixed)
    return Described(deployment, command.profile, command=(), warnings=warnings)


def _gpu_given(given: dict[str, Any]) -> bool:
    return given["backend"] is not None or given["gpu_layers"] is not None


def _has_gpu(device: Device) -> bool:
    return bool(device.gpu or device.unified)
