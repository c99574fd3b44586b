"""What a model takes on a device, term by term, and whether it fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from memfit.cli._deployment import DeploymentCommand, describe, model_arguments, runtime_options
from memfit.cli._estimate_options import device_options
from memfit.cli._output import Outputs, output_options, show
from memfit.errors import UsageError
from memfit.render.untrusted import clean

if TYPE_CHECKING:
    from memfit.engine.records import Deployment, Profile

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

The exit code is 0 when it fits or would page, 10 when it does not fit: with --max and --sweep, when no value does."""


@click.command("estimate", cls=DeploymentCommand, help=_HELP)
@model_arguments
@device_options
@runtime_options
@click.option("--budget", is_flag=True, help="The six lines: weights, KV, activations, runtime, OS, peak.")
@click.option("--explain", is_flag=True, help="Every term with its formula, error bar and parts.")
@click.option("--max", "largest_of", type=click.Choice(["context", "slots"]), help="The largest value that still fits.")
@click.option("--sweep", metavar="OPTION=A..B", help="A curve over context, slots or ubatch (context=2k..128k).")
@click.option(
    "--pid",
    type=click.IntRange(1),
    metavar="PID",
    help="Compare with what a running llama.cpp holds; without MODEL, its own command is read.",
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
        calibration = given.pop("calibration")
        self.calibration: Any = "auto" if calibration is None else None if calibration == "off" else calibration
        views = [name for name in ("budget", "explain") if given.pop(name)]
        self.view = views[0] if views else None
        self.given = given
        self.outputs = outputs
        self.device = device
        self._check_views(views)

    def answer(self) -> int:
        self._check_pid()
        words = self.words if self.words or self.pid is None else self._process_words(self.pid)
        deployment, profile, _, warnings = describe("estimate", words, self.given, self.device, self.source)
        if self.sweep is not None or self.largest_of is not None:
            self._check_search()
            for warning in warnings:  # a curve and a largest value have no place for them
                click.echo(f"memfit: {clean(warning)}", err=True)
            return self._swept(deployment, profile) if self.sweep is not None else self._largest(deployment, profile)
        from memfit.footprint.estimate import estimate_deployment

        footprint = estimate_deployment(
            deployment, device=self.device, profile=profile, source=self.source, calibration=self.calibration
        )
        if warnings:
            import msgspec

            footprint = msgspec.structs.replace(footprint, warnings=(*warnings, *footprint.warnings))
        if self.pid is not None:
            from memfit.footprint.process import compare

            show(compare(footprint, self.pid), self.outputs)
        else:
            show(footprint, self.outputs, view=self.view)
        return 10 if footprint.verdict == "no" else 0

    def _process_words(self, pid: int) -> tuple[str, ...]:
        from memfit.engine.runtimes import ENGINES
        from memfit.footprint.process import command_of

        words = command_of(pid)
        if ENGINES.get(self.given["engine"]).read_command(words, None) is None:
            program = next((word for word in words if "=" not in word), "of no name")
            raise UsageError(
                f"process {pid} is {program}, whose command does not say what it runs",
                hint=f"say it yourself: memfit estimate model.gguf -c 8192 --pid {pid}",
            )
        return words

    def _check_pid(self) -> None:
        """Much of what other engines hold lies on the GPU's side, where no process shows it."""
        from memfit.engine.runtimes import ENGINES

        engine = ENGINES.get(self.given["engine"])
        if self.pid is not None and engine.only_sized:
            raise UsageError(
                f"--pid compares with a running llama.cpp, and memfit only sizes {engine.name}",
                hint="leave out --pid, or --engine",
            )

    def _check_views(self, views: list[str]) -> None:
        """Each takes the whole page and answers a question of its own."""
        asked = [*views, *(name for name in ("sweep", "largest_of", "pid") if getattr(self, name) is not None)]
        if len(asked) > 1:
            words = " and ".join(f"--{'max' if name == 'largest_of' else name}" for name in asked)
            raise UsageError(f"{words} show different things", hint="ask for one of them at a time")

    def _check_search(self) -> None:
        """A search asks for many footprints: it takes the formulas."""
        if self.source in ("engine", "both"):
            raise UsageError(
                "--sweep and --max answer by formula", hint="leave out --source, then ask the engine at the value found"
            )
        if self.calibration not in ("auto", None):
            raise UsageError(
                "--sweep and --max take no calibration", hint="leave it out, then estimate at the value found with it"
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
        curve = sweep(self.device, models, deployment, option, values, profile=profile)
        show(curve, self.outputs)
        return 10 if all(point.verdict == "no" for point in curve.points) else 0

    def _largest(self, deployment: Deployment, profile: Profile) -> int:
        from memfit.footprint import largest_fitting
        from memfit.footprint.estimate import find_models

        option: Any = self.largest_of
        models = find_models(deployment, source="formula")
        answer = largest_fitting(self.device, models, deployment, option, profile=profile)
        show(answer, self.outputs)
        return 0 if answer.value else 10
