"""What a model takes on a device, term by term, and whether it fits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memfit.cli._completion import engines, models, presets
from memfit.cli._estimate_options import changed, device_options, engine_options
from memfit.cli._output import Outputs, output_options, show
from memfit.errors import UsageError
from memfit.render.untrusted import clean

if TYPE_CHECKING:
    from memfit.engine.records import Command, Deployment, Options, Profile

_HELP = """What a model takes on a device, term by term, and whether it fits.

MODEL is a GGUF file, the name of a well-known model, an Ollama Modelfile, or your own command after `--`:

\b
  memfit estimate model.gguf -c 8192 --kv-type q8_0
  memfit estimate Qwen3-8B --format Q4_K_M --device orin-nano-8gb
  memfit estimate model.gguf --max context --memory 7.4GiB
  memfit estimate model.gguf --sweep context=2k..128k --svg curve.svg
  memfit estimate -- llama-server -m model.gguf -c 8192 -ctk q8_0
  memfit estimate --pid $(pidof llama-server)

`--batch` is llama.cpp's batch: prompt *tokens* submitted at once. What many texts call the batch size, requests
served at once, is `--slots` (also accepted as `--batch-size`).

The exit code is 0 when it fits or would page, 10 when it does not fit."""


class _Estimate(click.Command):
    """Knows a pasted command that came without ``--``, whose options are not memfit's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse it with what to write instead of taking its options for memfit's."""
        given = list(args)
        if "--" in given:
            return super().parse_args(ctx, args)
        if given and _reads_as_command(given):
            raise _without_dashes(given)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            starts = (index for index, word in enumerate(given) if word.endswith(("llama-server", "llama-cli")))
            if (start := next(starts, None)) is not None:
                raise _without_dashes(given[start:]) from None
            raise


def _reads_as_command(words: list[str]) -> bool:
    from memfit.engine.runtimes import ENGINES

    try:
        return len(words) > 1 and any(engine.read_command(words, None) for engine in ENGINES)
    except UsageError:
        return True  # a command, though one that cannot be read


def _without_dashes(words: list[str]) -> UsageError:
    return UsageError(
        "a command of the engine goes after `--`, so that its options are not taken for memfit's",
        hint=f"memfit estimate -- {' '.join(words)}",
    )


@click.command("estimate", cls=_Estimate, help=_HELP)
@click.argument("model", nargs=-1, type=click.UNPROCESSED, metavar="MODEL | -- COMMAND…", shell_complete=models)
@click.option(
    "--format",
    "format_name",
    metavar="PRESET",
    shell_complete=presets,
    help="Size the weights in this quantization (Q4_K_M).",
)
@engine_options
@device_options
@click.option("--engine", default="llama_cpp", show_default=True, shell_complete=engines, help="Inference runtime.")
@click.option(
    "--profile", type=click.Choice(["library", "server"]), help="Whose defaults: llama.cpp's library or its server."
)
@click.option(
    "--source",
    type=click.Choice(["auto", "engine", "formula", "both"]),
    default="auto",
    show_default=True,
    help="Ask the engine, compute by formula, or compare both.",
)
@click.option("--draft", metavar="FILE", help="Draft model for speculative decoding.")
@click.option("--mmproj", "projector", metavar="FILE", help="Projector for images or sound.")
@click.option("--lora", "adapters", multiple=True, metavar="FILE", help="LoRA adapter; may be repeated.")
@click.option("--budget", is_flag=True, help="The six lines: weights, KV, activations, runtime, OS, peak.")
@click.option("--explain", is_flag=True, help="Every term with its formula, error bar and parts.")
@click.option("--max", "largest_of", type=click.Choice(["context", "slots"]), help="The largest value that still fits.")
@click.option("--sweep", metavar="OPTION=A..B", help="A curve over context, slots or ubatch (context=2k..128k).")
@click.option(
    "--pid", type=click.IntRange(1), metavar="PID", help="Read a running llama.cpp and compare with what it holds."
)
@output_options
def COMMAND(**given: Any) -> int:  # noqa: N802  the catalog's constant
    """Run the verb; returns the exit code."""
    from memfit.device import find_device

    outputs = Outputs.take(given)
    device = find_device(given.pop("device_name"), memory_bytes=given.pop("memory_bytes"))
    return _Run(given, outputs, device).answer()


_FOR_THE_CPU = "computed for the CPU; add --backend cuda for the GPU"


def _many(words: tuple[str, ...]) -> tuple[str, str]:
    """Why several words are no model: message and hint."""
    if any(word.startswith("-") for word in words):
        return (
            f"no engine of memfit has a program {words[0]!r}",
            "after `--`, write llama.cpp's own command: llama-server -m model.gguf -c 8192",
        )
    return f"one model at a time, not {len(words)}", "a command of llama.cpp goes after `--`"


class _Run:
    def __init__(self, given: dict[str, Any], outputs: Outputs, device: Any) -> None:
        self.words: tuple[str, ...] = given.pop("model")
        self.pid: int | None = given.pop("pid")
        self.sweep: str | None = given.pop("sweep")
        self.largest_of: str | None = given.pop("largest_of")
        self.source: Any = given.pop("source")
        budget, explain = given.pop("budget"), given.pop("explain")
        self.view = "budget" if budget else "explain" if explain else None
        self.given = given
        self.outputs = outputs
        self.device = device

    def answer(self) -> int:
        deployment, profile, warnings = self._deployment()
        if self.sweep is not None or self.largest_of is not None:
            self._check_search()
            for warning in warnings:  # a curve and a largest value have no place for them
                click.echo(f"memfit: {clean(warning)}", err=True)
            return self._swept(deployment, profile) if self.sweep is not None else self._largest(deployment, profile)
        from memfit.footprint.estimate import estimate_deployment

        footprint = estimate_deployment(deployment, device=self.device, profile=profile, source=self.source)
        if warnings:
            import msgspec

            footprint = msgspec.structs.replace(footprint, warnings=(*warnings, *footprint.warnings))
        if self.pid is not None:
            from memfit.footprint.process import compare

            show(compare(footprint, self.pid), self.outputs)
        else:
            show(footprint, self.outputs, view=self.view)
        return 10 if footprint.verdict == "no" else 0

    def _deployment(self) -> tuple[Deployment, Profile, tuple[str, ...]]:
        from memfit.engine.runtimes import ENGINES

        engine = ENGINES.get(self.given["engine"])
        words = self._process_words() if self.pid is not None else self.words
        if not words:
            raise UsageError("no model given", hint="memfit estimate model.gguf, or memfit estimate --help")
        profile = self.given["profile"]
        command = engine.read_command(words, profile)
        if command is None and len(words) > 1:
            message, hint = _many(words)
            raise UsageError(message, hint=hint)
        if command is None:
            command = engine.read_modelfile(Path(words[0]), profile)
        return self._plain(words[0], engine.profiles) if command is None else self._merged(command)

    def _plain(self, name: str, profiles: dict[Profile, Options]) -> tuple[Deployment, Profile, tuple[str, ...]]:
        from memfit.engine.records import Deployment

        given = dict(self.given)
        profile: Profile = given.pop("profile") or "library"
        fixed: Any = {key: given.pop(key) for key in ("engine", "draft", "projector", "adapters")}
        format_name = given.pop("format_name")
        options = changed(profiles[profile], given)
        warnings = (_FOR_THE_CPU,) if self._has_gpu() and not self._gpu_given() else ()
        return Deployment(model=name, format=format_name, options=options, **fixed), profile, warnings

    def _merged(self, command: Command) -> tuple[Deployment, Profile, tuple[str, ...]]:
        """Options given to memfit itself win over those of the pasted command."""
        import msgspec

        given = dict(self.given)
        given.pop("engine")
        given.pop("profile")  # the command was read with it
        format_name = given.pop("format_name")
        fixed = {key: value for key in ("draft", "projector", "adapters") if (value := given.pop(key))}
        if format_name:
            fixed["format"] = format_name
        options = changed(command.deployment.options, given)
        warnings = command.warnings
        if not command.gpu_stated and not self._gpu_given() and self._has_gpu():
            if self.source in ("engine", "both"):  # the engine that is asked computes on the CPU
                warnings = (*warnings, _FOR_THE_CPU)
            else:
                options = msgspec.structs.replace(options, backend="cuda")
                warnings = (*warnings, "no -ngl given: all layers go to the device's GPU, as llama.cpp does")
        return msgspec.structs.replace(command.deployment, options=options, **fixed), command.profile, warnings

    def _gpu_given(self) -> bool:
        return self.given["backend"] is not None or self.given["gpu_layers"] is not None

    def _has_gpu(self) -> bool:
        return bool(self.device.gpu or self.device.unified)

    def _process_words(self) -> tuple[str, ...]:
        from memfit.footprint.process import command_of

        assert self.pid is not None
        return command_of(self.pid)

    def _check_search(self) -> None:
        """A search asks for many footprints: it takes the formulas, and one question at a time."""
        if self.sweep is not None and self.largest_of is not None:
            raise UsageError("--sweep and --max are two questions", hint="ask one of them at a time")
        if self.source in ("engine", "both"):
            raise UsageError(
                "--sweep and --max answer by formula", hint="leave out --source, then ask the engine at the value found"
            )

    def _swept(self, deployment: Deployment, profile: Profile) -> int:
        from memfit.footprint import steps, sweep
        from memfit.footprint.estimate import find_models
        from memfit.units import parse_tokens

        match = re.fullmatch(r"(context|slots|ubatch)=(.+?)\.\.(.+)", self.sweep or "")
        if match is None:
            raise UsageError(
                f"not a sweep: {self.sweep!r}", hint="write --sweep context=2k..128k, slots=1..8 or ubatch=64..2k"
            )
        option: Any = match.group(1)
        values = steps(parse_tokens(match.group(2)), parse_tokens(match.group(3)))
        models = find_models(deployment, source="formula")
        show(sweep(self.device, models, deployment, option, values, profile=profile), self.outputs)
        return 0

    def _largest(self, deployment: Deployment, profile: Profile) -> int:
        from memfit.footprint import largest_fitting
        from memfit.footprint.estimate import find_models

        option: Any = self.largest_of
        models = find_models(deployment, source="formula")
        answer = largest_fitting(self.device, models, deployment, option, profile=profile)
        show(answer, self.outputs)
        return 0 if answer.value else 10
