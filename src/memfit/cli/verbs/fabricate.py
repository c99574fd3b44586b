"""A model at its real size with random weights, to size a device before downloading anything."""

from __future__ import annotations

from typing import Any

import click

from memfit.cli._completion import models, presets
from memfit.cli._output import Outputs, output_options, show
from memfit.cli._progress import progress

_HELP = """A model at its real size with random weights, to size a device before downloading anything.

MODEL is a well-known model (`memfit list models`) or a GGUF file, whose header is taken:

\b
  memfit fabricate Llama-3.2-1B --format Q4_K_M --out 1b.gguf
  memfit fabricate Qwen3-8B --format Q4_0 --out 8b.gguf && memfit verify 8b.gguf --limit 7.4GiB
  memfit fabricate Qwen3-30B-A3B --layers 8 --out part.gguf
  memfit fabricate model.gguf --format Q8_0 --out as-q8.gguf

The file runs in llama.cpp: every number in it is finite and of the size of a trained weight. What the model writes is
gibberish, what it takes in memory and time is real. Nothing of the file is there until all of it is."""


@click.command("fabricate", help=_HELP)
@click.argument("model", shell_complete=models)
@click.option("--out", "path", required=True, metavar="FILE", help="The GGUF file to write.")
@click.option(
    "--format",
    "format_name",
    metavar="PRESET",
    shell_complete=presets,
    help="Quantization (Q4_K_M for a well-known model, a file's own formats).",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same bytes.")
@click.option(
    "--vocabulary",
    type=click.Choice(["real", "none"]),
    default="real",
    show_default=True,
    help="A made-up vocabulary of the model's kind and size, or none.",
)
@click.option("--layers", type=click.IntRange(1), metavar="N", help="Only N of the model's layers.")
@click.option("--overwrite", is_flag=True, help="Replace a file of that name.")
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.model.fabricate import fabricate

    outputs = Outputs.take(given)
    format_name = given.pop("format_name")
    with progress() as line:
        made = fabricate(given.pop("model"), given.pop("path"), format=format_name, progress=line, **given)
    show(made, outputs)
