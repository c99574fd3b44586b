"""Run a deployment for real under the memory a device has, and hold it against the prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from memfit.cli._deployment import DeploymentCommand, describe, model_arguments, runtime_options
from memfit.cli._output import Outputs, output_options, show
from memfit.cli._types import PATIENCE, SECONDS, SIZE, TOKENS
from memfit.errors import UsageError
from memfit.render.untrusted import clean
from memfit.units import format_bytes

if TYPE_CHECKING:
    from memfit.engine.records import Workload
    from memfit.measure.best_effort import BestEffort
    from memfit.measure.records import Phase, Verification
    from memfit.measure.verify import Target

_HELP = """Run a deployment for real under the memory a device has, and hold it against the prediction.

MODEL is a GGUF file, which runs embedded, or your own server command after `--`. Of a model that is not downloaded,
`memfit fabricate` makes a file of its real size first.

\b
  memfit verify model.gguf -c 8192
  memfit verify model.gguf -c 8192 --limit 3.5GiB
  memfit verify model.gguf --full-context --users 4 --slots 4
  memfit verify model.gguf --soak 10m
  memfit verify --limit 7.4GiB -- llama-server -m model.gguf -c 8192 --port 8099
  memfit verify --pid $(pidof llama-server) --url http://127.0.0.1:8080

The file's cached pages are dropped first, and --limit puts the run into a control group of its own, which needs
permission (root, or systemd); without it the run is only watched, and that is said. It passes without an OOM kill, with
few pages read again, and at 80 % of its unlimited speed at least, where two runs without a limit agree on that. A model
that another process has mapped is charged to that process: such a run passes no limit that it does not leave room for.

What a run teaches corrects later predictions on this machine (--calibration off ignores it; --no-store keeps nothing).

\b
Exit codes: 0 it runs, within what was predicted; 10 it does not run in that
memory: killed, only by paging, or not judged: it took more than a limit that
nothing here could enforce, or others held the model in memory for it; 11 it
runs, and took more or less than predicted; 6 the engine failed; 2 usage; 130
interrupted. A leak found by --soak changes no code:
memfit verify --soak 10m --json | jq .growth.leaks"""


@click.command("verify", cls=DeploymentCommand, help=_HELP)
@model_arguments
@click.option("--limit", "limit_bytes", type=SIZE, metavar="SIZE", help="The memory the run is held to (7.4GiB).")
@click.option("--prompt", "prompt_tokens", type=TOKENS, metavar="N", help="Tokens of each prompt; a whole ubatch.")
@click.option("--generate", "generate_tokens", type=TOKENS, metavar="N", help="Tokens of each answer; 32.")
@click.option("--users", type=click.IntRange(1), metavar="N", help="Users served at once, up to --slots; all slots.")
@click.option("--full-context", "fill_context", is_flag=True, help="Prompts as long as the context allows.")
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="Repeat it, and look for growth.")
@click.option("--soak", "soak_s", type=SECONDS, metavar="TIME", help="Repeat it for so long (10m).")
@click.option("--timeout", "timeout_s", type=PATIENCE, metavar="TIME", help="How long the engine may give no sign.")
@click.option("--pid", type=click.IntRange(1), metavar="PID", help="A server that runs already.")
@click.option("--url", metavar="URL", help="Where it answers (OpenAI-compatible).")
@click.option("--no-store", is_flag=True, help="Keep neither the run nor what it teaches.")
@click.option("--quiet", is_flag=True, help="No word about progress on standard error.")
@runtime_options
@output_options
def COMMAND(**given: Any) -> int:  # noqa: N802  the catalog's constant
    """Run the verb; returns the exit code."""
    outputs = Outputs.take(given)
    verification = _verify(given)
    show(verification, outputs)
    if verification.observation.outcome == "interrupted":
        return 130
    if not verification.runs:
        return 10
    return 0 if verification.verdict == "within" else 11


def _verify(given: dict[str, Any]) -> Verification:
    from memfit.device import find_device
    from memfit.measure.verify import verify

    device = find_device()
    limit, timeout, source = given.pop("limit_bytes"), given.pop("timeout_s"), given.pop("source")
    calibration = given.pop("calibration")
    keeps, quiet = not given.pop("no_store"), given.pop("quiet")
    work = {
        name: given.pop(name)
        for name in ("prompt_tokens", "generate_tokens", "users", "fill_context", "rounds", "soak_s")
    }
    target, warnings = _target(given, device, source)
    for warning in warnings:
        click.echo(f"memfit: {clean(warning)}", err=True)
    store = _store() if keeps else None
    shown = False
    try:
        found = verify(
            target,
            device=device,
            source=source,
            workload=_workload(work, target),
            limit_bytes=limit,
            store=store,
            calibration="auto" if calibration is None else None if calibration == "off" else calibration,
            learn=keeps,
            timeout_s=timeout,
            on_phase=None if quiet else _say,
        )
        shown = True
        return found
    finally:
        # what is shown has them among its warnings
        for problem in store.problems if store is not None and not shown else ():
            click.echo(f"memfit: {clean(problem)}", err=True)


def _store() -> BestEffort:
    """Where runs are kept; one that cannot be kept is shown all the same."""
    from memfit.measure.best_effort import BestEffort
    from memfit.measure.store import Store

    return BestEffort(Store())


def _target(given: dict[str, Any], device: Any, source: str) -> tuple[Target, tuple[str, ...]]:
    """What is to run.

    Raises:
        UsageError: the options contradict each other.
    """
    from memfit.measure.verify import Target

    words: tuple[str, ...] = given.pop("model")
    pid, url = given.pop("pid"), given.pop("url")
    if (pid is None) != (url is None):
        raise UsageError("--pid and --url belong together", hint="name the server's process and where it answers")
    if pid is not None and not words:
        from memfit.footprint.process import command_of

        words = command_of(pid)
    deployment, profile, command, warnings = describe("verify", words, given, device, source)
    if pid is not None:
        return Target(deployment=deployment, profile=profile, url=url, pid=pid), warnings
    if command:
        return Target(deployment=deployment, profile=profile, command=command), warnings
    if profile == "server":
        raise UsageError(
            "what is run embedded is the library, not the server",
            hint="give the server's command: memfit verify -- llama-server -m model.gguf -c 8192",
        )
    return Target(deployment=deployment, profile=profile), warnings


def _workload(given: dict[str, Any], target: Target) -> Workload:
    from memfit.engine.records import Workload

    stated = {name: value for name, value in given.items() if value is not None}
    slots = target.deployment.options.slots
    users = stated.setdefault("users", slots)
    if users > slots:
        raise UsageError(f"{users} users and {slots} slots", hint=f"--slots {users} serves them at once")
    if stated.get("fill_context") and "prompt_tokens" in stated:
        raise UsageError("--full-context and --prompt contradict each other", hint="leave out one of them")
    return Workload(**stated)


def _say(phase: Phase) -> None:
    """One line of progress; of many rounds only some."""
    number = phase.name.removeprefix("round ")
    if number.isdigit() and int(number) > 10 and int(number) % 10:
        return
    speed = f", {phase.tokens / phase.seconds:.1f} tokens/s" if phase.tokens and phase.seconds else ""
    click.echo(f"memfit: {phase.at_s:.1f} s, {phase.name}: {format_bytes(phase.pss_bytes)}{speed}", err=True)
