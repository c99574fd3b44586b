"""What a model takes on a device, term by term, and whether it fits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from memfit.cli._estimate_options import changed, device_options, engine_options
from memfit.cli._output import Outputs, output_options, show
from memfit.errors import UsageError

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


@click.command("estimate", help=_HELP, context_settings={"ignore_unknown_options": False})
@click.argument("model", nargs=-1, type=click.UNPROCESSED, metavar="MODEL | -- COMMAND…")
@click.option("--format", "format_name", metavar="PRESET", help="Size the weights in this quantization (Q4_K_M).")
@engine_options
@device_options
@click.option("--engine", default="llama_cpp", show_default=True, help="Inference runtime.")
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
        if self.sweep is not None:
            return self._swept(deployment, profile)
        if self.largest_of is not None:
            return self._largest(deployment, profile)
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

    def _deployment(self) -> Any:
        from memfit.engine._llama_cpp.command import is_command, parse_command
        from memfit.engine._llama_cpp.modelfile import is_modelfile, parse_modelfile
        from memfit.engine.runtimes import ENGINES

        profiles = ENGINES.get(self.given["engine"]).profiles
        words = self._process_words() if self.pid is not None else self.words
        if not words:
            raise UsageError("no model given", hint="memfit estimate model.gguf, or memfit estimate --help")
        if is_command(words):
            return self._merged(parse_command(words, profiles))
        if len(words) > 1:
            raise UsageError(f"one model at a time, not {len(words)}", hint="a command of llama.cpp goes after `--`")
        if is_modelfile(Path(words[0])):
            return self._merged(parse_modelfile(Path(words[0]), profiles))
        return self._plain(words[0], profiles)

    def _plain(self, name: str, profiles: Any) -> Any:
        from memfit.engine.records import Deployment

        given = dict(self.given)
        profile = given.pop("profile") or "library"
        fixed = {key: given.pop(key) for key in ("engine", "draft", "projector", "adapters")}
        format_name = given.pop("format_name")
        options = changed(profiles[profile], given)
        return Deployment(model=name, format=format_name, options=options, **fixed), profile, ()

    def _merged(self, command: Any) -> Any:
        """Options given to memfit itself win over those of the pasted command."""
        import msgspec

        given = dict(self.given)
        given.pop("engine")
        profile = given.pop("profile") or command.profile
        format_name = given.pop("format_name")
        fixed = {key: value for key in ("draft", "projector", "adapters") if (value := given.pop(key))}
        if format_name:
            fixed["format"] = format_name
        options = changed(command.deployment.options, given)
        deployment = msgspec.structs.replace(command.deployment, options=options, **fixed)
        return deployment, profile, command.warnings

    def _process_words(self) -> tuple[str, ...]:
        from memfit.footprint.process import command_of

        assert self.pid is not None
        return command_of(self.pid)

    def _swept(self, deployment: Any, profile: Any) -> int:
        from memfit.footprint import steps, sweep
        from memfit.footprint.estimate import find_models
        from memfit.units import parse_tokens

        match = re.fullmatch(r"(context|slots|ubatch)=([^.]+)\.\.(.+)", self.sweep or "")
        if match is None:
            raise UsageError(
                f"not a sweep: {self.sweep!r}", hint="write --sweep context=2k..128k, slots=1..8 or ubatch=64..2k"
            )
        option: Any = match.group(1)
        values = steps(parse_tokens(match.group(2)), parse_tokens(match.group(3)))
        models = find_models(deployment, source="formula")
        show(sweep(self.device, models, deployment, option, values, profile=profile), self.outputs)
        return 0

    def _largest(self, deployment: Any, profile: Any) -> int:
        from memfit.footprint import largest_fitting
        from memfit.footprint.estimate import find_models

        option: Any = self.largest_of
        models = find_models(deployment, source="formula")
        answer = largest_fitting(self.device, models, deployment, option, profile=profile)
        show(answer, self.outputs)
        return 0 if answer.value else 10
