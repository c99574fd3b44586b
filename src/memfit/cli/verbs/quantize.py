"""The lowest precision that keeps your quality: formats chosen tensor by tensor, made, and measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from memfit.cli._completion import paths
from memfit.cli._output import Outputs, output_options, show
from memfit.cli._precision import kv_option, saying, text_options
from memfit.cli._types import AMOUNT, SIZE, TOKENS, Seconds

if TYPE_CHECKING:
    from memfit.search.records import PrecisionMap

_HELP = """The lowest precision that keeps your quality: formats chosen tensor by tensor, made, and measured.

BASE is a GGUF file in F32, F16, BF16 or Q8_0. With a floor the smallest file is searched that holds it, with a budget
the best file that it allows:

\b
  memfit quantize base.gguf --floor kl=0.03 --text chats.jsonl --out small.gguf
  memfit quantize base.gguf --floor ppl=+2% --floor task:questions.jsonl=-1pt --out small.gguf
  memfit quantize base.gguf --max-bytes 4.5GiB --text chats.jsonl --out small.gguf
  memfit quantize base.gguf --fit orin-nano-8gb --context 8k --kv auto --out small.gguf
  memfit quantize base.gguf --ladder --floor kl=0.03 --text chats.jsonl
  memfit quantize base.gguf --recipe small.precision.json --out again.gguf

The engine gathers the importance of every column, each tensor is probed alone in a low format, a solver (HiGHS) mixes
formats, and the result is made with ggml's own quantizers and measured with the real kernels on text that the search
has not seen. Presets compete: one that is better is taken. Floors of kl and ppl count with the upper end of their 95 %
interval. --ladder makes and measures every preset instead.

What was learned is kept: Ctrl-C ends a search, the same command goes on. Beside FILE lie its record (.precision.json),
from which it can be made again bit for bit, and its importances (.imatrix.gguf), which llama-quantize takes too. Needs
memfit[llama,search].

--recover also trains the weights to predict as the base does in the formats that were chosen (distillation with ggml's
own quantizers in the loop): the same bytes, nearer to the base. Small models on the CPU, larger ones with CUDA.

\b
Exit codes: 0 found; 10 nothing holds, nothing is so small, or the context
alone does not fit: nothing is written, and the nearest is named; 2 usage;
4 model file; 6 engine."""


@click.command("quantize", help=_HELP)
@click.argument("model", metavar="BASE")
@click.option("--out", metavar="FILE", shell_complete=paths, help="The GGUF file to write; without, it only looks.")
@click.option("--floor", "floors", multiple=True, metavar="FLOOR", help="kl=0.03, ppl=+2%, task:FILE=-1pt.")
@click.option("--max-bytes", type=SIZE, metavar="SIZE", help="Most that the file may take.")
@click.option("--fit", "device", metavar="DEVICE", help="Most that this device has room for (see memfit list devices).")
@click.option("--context", "context_tokens", type=TOKENS, metavar="N", help="The context that it has to fit with.")
@click.option("--slots", type=click.IntRange(1), default=1, show_default=True, help="Served at once on that device.")
@click.option("--min-tps", "min_tokens_per_s", type=AMOUNT, metavar="X", help="Tokens a second it answers at here.")
@click.option("--max-ttft", "max_ttft_s", type=Seconds(0.001), metavar="TIME", help="To the first token of 512, here.")
@click.option("--ladder", is_flag=True, help="Every preset, made and measured, instead of a search.")
@click.option("--preset", "presets", multiple=True, metavar="NAME", help="Only these on the ladder.")
@click.option("--formats", multiple=True, metavar="NAME", help="Only these in the search.")
@text_options
@click.option("--unseen", metavar="FILE", shell_complete=paths, help="Text to measure on (a third of --text).")
@click.option("--imatrix", metavar="FILE", shell_complete=paths, help="Importances instead of gathering them.")
@kv_option(may_choose=True)
@click.option("--recover", is_flag=True, help="Also train the weights for their formats (needs memfit[recover]).")
@click.option("--minutes", type=AMOUNT, default=5.0, show_default=True, help="For --recover.")
@click.option("--recipe", metavar="FILE", shell_complete=paths, help="Make a file again from its record.")
@click.option("--work", metavar="FOLDER", help="Where what is learned is kept (~/.cache/memfit/precision).")
@click.option("--overwrite", is_flag=True, help="Replace a file of that name.")
@click.option("--force", "forced", is_flag=True, help="Take a base that is quantized already.")
@output_options
def COMMAND(**given: Any) -> int:  # noqa: N802  the catalog's constant
    """Run the verb; returns the exit code."""
    outputs = Outputs.take(given)
    found = _remade(given) if given["recipe"] is not None else _searched(given)
    show(found, outputs)
    asked = found.asked
    limits = (asked.max_bytes, asked.min_tokens_per_s, asked.max_ttft_s)
    wanted = asked.floors or any(one is not None for one in limits)
    return 10 if wanted and found.chosen is None else 0


def _remade(given: dict[str, Any]) -> PrecisionMap:
    from memfit.search.recipe import remake

    with saying() as said:
        return remake(
            given["recipe"],
            given["model"],
            given["out"],
            overwrite=given["overwrite"],
            threads=given["threads"],
            said=said,
        )


def _searched(given: dict[str, Any]) -> PrecisionMap:
    from memfit.search.floors import parse_floor
    from memfit.search.quantize import Request, quantize
    from memfit.search.records import Asked
    from memfit.search.recover import Recovery

    given.pop("recipe")
    minutes = given.pop("minutes")
    recovery = Recovery(minutes=minutes) if given.pop("recover") else None
    slots = given.pop("slots")
    asked = Asked(
        floors=tuple(parse_floor(one) for one in given.pop("floors")),
        slots=slots,
        **{
            name: given.pop(name)
            for name in ("max_bytes", "min_tokens_per_s", "max_ttft_s", "device", "context_tokens", "kv")
        },
    )
    with saying() as said:
        return quantize(Request(asked=asked, recovery=recovery, **given), said)
