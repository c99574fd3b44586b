"""How good a model still is: perplexity, divergence from its base and tasks, with memory and speed beside them."""

from __future__ import annotations

from typing import Any

import click

from memfit.cli._output import Outputs, output_options, show
from memfit.cli._precision import kv_option, saying, text_options
from memfit.cli._types import TOKENS

_HELP = """How good a model still is: perplexity, divergence from its base and tasks, with memory and speed beside them.

MODEL is a GGUF file, and so is the base it was quantized from:

\b
  memfit evaluate model-Q4_K_M.gguf --against model-F16.gguf --text chats.jsonl
  memfit evaluate model-Q4_K_M.gguf --against model-F16.gguf --task questions.jsonl
  memfit evaluate model-F16.gguf --text notes.txt
  memfit evaluate model-F16.gguf --text notes.txt --keep-reference base.ref
  memfit evaluate model-Q4_K_M.gguf --against base.ref --text notes.txt

Figures are those of `llama-perplexity --kl-divergence` on the same text: windows of 512 tokens, of which the second
half is predicted. Intervals are of 95 %, over windows. A kept reference holds a sample of the base's predictions, in
less than a hundredth of what that program's file takes: with it a board that cannot load the base can be measured on.

Tasks are lines of JSON, answered by log likelihood: {"question": "…", "choices": ["…", "…"], "answer": 0}, or
{"prompt": "…", "answer": "…"} for an exact match. Needs memfit[llama]."""


@click.command("evaluate", help=_HELP)
@click.argument("model")
@click.option("--against", metavar="BASE", help="The file it was quantized from, or a kept reference.")
@text_options
@click.option("--task", "tasks", multiple=True, metavar="FILE", help="Tasks in JSON lines; several times for several.")
@click.option("--tokens", type=TOKENS, metavar="N", help="Use only so many of the text.")
@kv_option()
@click.option("--keep-reference", metavar="FILE", help="Keep a sample of MODEL's predictions, as the base of others.")
@click.option("--no-speed", is_flag=True, help="Do not measure how fast it answers.")
@click.option("--overwrite", is_flag=True, help="Replace a reference of that name.")
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.search.evaluate import Question, evaluate

    outputs = Outputs.take(given)
    speed = not given.pop("no_speed")
    with saying() as said:
        found = evaluate(Question(**given, speed=speed), said)
    show(found, outputs)
