"""What can run here, how fast, in which format: the catalog and your own files, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from memfit.cli._completion import devices, models
from memfit.cli._output import Outputs, output_options, show
from memfit.cli._types import Size, Tokens

if TYPE_CHECKING:
    from memfit.fit import Wish

_HELP = """What can run here, how fast, in which format: the catalog and your own files, best first.

\b
  memfit fit --device orin-nano-8gb --for chat
  memfit fit --device agx-orin-64gb --for reasoning --context 32k --min-tps 20
  memfit fit Qwen3-8B Llama-3.1-8B --device orin-nano-8gb --all
  memfit fit model.gguf ollama:llama3.2:3b --memory 6GiB
  memfit fit --device thor-t5000 --engine all --for code
  memfit fit Qwen3-14B --boards
  memfit fit Qwen3-4B --device orin-nano-8gb --explain
  memfit fit Qwen3-4B Llama-3.2-3B --device orin-nano-8gb --compare
  memfit fit Llama-3.1-8B --device orin-nx-16gb --drafts

Every figure is that of `memfit estimate`; speeds are from published measurements of boards, "from to" their error bars.
The order is a prior, from parameters, year of publication and what the format is known to cost. * is what 'LLM
Optimization on Jetson' advises for the use.

comfortable: fits with a tenth of the memory to spare; tight: fits; barely: with a smaller context than asked for, or in
a format that is a last resort; no: does not fit, or is slower than --min-tps. "up to" is the largest context that fits.

The exit code is 0 where something fits, 10 where nothing does."""


_MOST_COMPARED = 5


@click.command("fit", help=_HELP)
@click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=models)
@click.option("-d", "--device", "device_name", metavar="NAME", shell_complete=devices, help="A board; this machine.")
@click.option("--memory", "memory_bytes", type=Size(), metavar="SIZE", help="What a deployment may take (6GiB).")
@click.option("--for", "use", metavar="USE", help="What for: chat, reasoning, code, vision, … (memfit list uses).")
@click.option("-c", "--context", "context_tokens", type=Tokens(), metavar="N", help="Tokens a request must hold.")
@click.option("-np", "--slots", type=click.IntRange(1), default=1, metavar="N", help="Requests served at once.")
@click.option("--min-tps", type=click.FloatRange(0), default=0.0, metavar="X", help="Slower is no answer.")
@click.option("--engine", "engines", multiple=True, metavar="NAME", help="Engines that may run it; all; llama-cpp.")
@click.option("--format", "formats", multiple=True, metavar="FORMAT", help="Formats that it may have (Q4_K_M, awq).")
@click.option("--kv-type", default="", metavar="FORMAT", help="Format of the KV cache; each engine's own.")
@click.option("--power-mode", default="", metavar="MODE", help="Power mode of the board; its highest.")
@click.option("--compare", is_flag=True, help="Two or more models side by side.")
@click.option("--explain", is_flag=True, help="Of one model: the whole arithmetic of memory and speed.")
@click.option("--boards", is_flag=True, help="Of one model: the smallest board, and every other.")
@click.option("--drafts", is_flag=True, help="Of one model: what can draft for it, and from when it pays.")
@click.option("--all", "every_row", is_flag=True, help="Every format and engine of each model.")
@output_options
def COMMAND(**given: Any) -> int:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.device import find_device
    from memfit.fit import fit

    outputs = Outputs.take(given)
    asked = [name for name in ("boards", "explain", "drafts", "compare", "every_row") if given[name]]
    _check(given["models"], asked)
    if given["boards"]:
        return _boards(given, outputs)
    device = find_device(given["device_name"], memory_bytes=given["memory_bytes"])
    if given["drafts"]:
        from memfit.fit.drafts import drafts_of

        drafts = drafts_of(device, _wish(given), given["models"][0])
        show(drafts, outputs)
        return 0 if any(row.fits for row in drafts.drafts) else 10
    if given["explain"]:
        from memfit.fit.arithmetic import arithmetic

        found_one = arithmetic(device, _wish(given), given["models"][0])
        show(found_one, outputs)
        return 10 if found_one.row.verdict == "no" else 0
    found = fit(device, _wish(given), models=given["models"], every_row=given["every_row"])
    show(found, outputs, view="side_by_side" if given["compare"] else None)
    return 0 if any(row.verdict != "no" for row in found.rows) else 10


def _check(models: tuple[str, ...], asked: list[str]) -> None:
    from memfit.errors import UsageError

    names = [f"--{'all' if name == 'every_row' else name}" for name in asked]
    if len(names) > 1:
        raise UsageError(f"{' and '.join(names)} show different things", hint="ask for one of them at a time")
    if names in (["--boards"], ["--explain"], ["--drafts"]) and len(models) != 1:
        raise UsageError(f"{names[0]} is of one model", hint=f"name it: memfit fit Qwen3-14B {names[0]}")
    if names == ["--compare"] and not 2 <= len(models) <= _MOST_COMPARED:
        raise UsageError(
            f"--compare takes two to {_MOST_COMPARED} models", hint="memfit fit Qwen3-4B Llama-3.2-3B --compare"
        )


def _boards(given: dict[str, Any], outputs: Outputs) -> int:
    from memfit.errors import UsageError
    from memfit.fit.boards import boards_of

    for option in ("device_name", "memory_bytes"):
        if given[option] is not None:
            raise UsageError("--boards looks at all of them", hint="leave out --device and --memory")
    found = boards_of(given["models"][0], _wish(given))
    show(found, outputs)
    return 0 if found.smallest else 10


def _wish(given: dict[str, Any]) -> Wish:
    import math

    from memfit.errors import UsageError
    from memfit.fit import Wish
    from memfit.fit.uses import USES

    use = USES.get(given["use"]) if given["use"] else None
    if not math.isfinite(given["min_tps"]):
        raise UsageError(f"--min-tps {given['min_tps']} is no speed", hint="give tokens a second, such as 20")
    if given["context_tokens"] == 0:
        raise UsageError(
            "--context 0 is no context that a request could hold",
            hint="leave it out for what is usual, or give tokens; memfit estimate takes 0 for the trained context",
        )
    return Wish(
        use=USES.key(given["use"]) if given["use"] else "",
        context_tokens=given["context_tokens"] or (use.context_tokens if use else 4096),
        slots=given["slots"],
        least_tokens_per_s=given["min_tps"],
        engines=_engines(given["engines"]),
        formats=given["formats"],
        power_mode=given["power_mode"],
        kv_type=given["kv_type"].upper(),
    )


def _engines(names: tuple[str, ...]) -> tuple[str, ...]:
    from memfit.engine.runtimes import ENGINES

    if "all" in names:
        return ENGINES.keys()
    return tuple(ENGINES.key(name) for name in names)
