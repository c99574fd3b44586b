"""Searched precision beside presets on the shipped model, and its evaluation beside llama-perplexity.

python benchmarks/precision.py budgets            the KL at the bytes of presets, and the bytes at their KL
python benchmarks/precision.py trials             how often "holds" was wrong, how far predictions were off
python benchmarks/precision.py search             how long a whole search takes
python benchmarks/precision.py evaluate --tools build/peers/llama.cpp/bin
python benchmarks/precision.py budgets --foreseen the same by gradients, as large models are searched
python benchmarks/precision.py ... --write        the table into benchmarks/RESULTS.md

Searched on modules of the standard library that the model was trained on, measured on those it was not. Presets are
made with the same importances.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import precision_parts as parts
from measure.machine import describe_machine, load, today
from measure.tables import replaced, table
from memfit.search import sensitivity
from memfit.search.choose import Mix, Search
from memfit.search.records import Quality
from memfit.search.session import Session

RESULTS = Path(__file__).with_name("RESULTS.md")
BUDGETS = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K")
FLOORS = ("Q2_K", "IQ3_XXS", "IQ3_S", "Q3_K_M", "IQ4_XS", "Q4_K_M", "Q5_K_M")
_ROUNDS = 5
_CLOSE = 0.985


class Nearest(NamedTuple):
    """The smallest searched file that was found under a divergence."""

    mix: Mix
    quality: Quality


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["budgets", "trials", "search", "evaluate"])
    parser.add_argument("--tools", type=Path, help="folder of llama-perplexity, of the engine's own source")
    parser.add_argument("--threads", type=int, help="of the engine (all)")
    parser.add_argument("--foreseen", action="store_true", help="by gradients instead of probes, as large models are")
    parser.add_argument("--work", type=Path, help="keep what is learned here")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    asked = parser.parse_args()
    if asked.foreseen:
        sensitivity.MOST_PROBED = 0
    before = load()
    with tempfile.TemporaryDirectory() as folder:
        made = {"budgets": budgets, "trials": trials, "search": search, "evaluate": beside_perplexity}[asked.what]
        rows = made(asked, Path(folder))
    text = (
        f"{table(*rows)}\n\n{describe_machine()}. Measured {today()}, load average {before} before and {load()} after."
    )
    if asked.write:
        RESULTS.write_text(replaced(RESULTS.read_text(), f"precision-{asked.what}", text))
    print(text)


Rows = tuple[Sequence[str], Sequence[Sequence[str]]]


def budgets(asked: argparse.Namespace, folder: Path) -> Rows:
    """At each preset's bytes the searched divergence; at each preset's divergence the searched bytes."""
    with parts.opened(asked.work or folder, asked.threads) as (session, searched, ladder):
        every = {name: session.measure(mix.formats, unseen=True, plain=True).known for name, mix in ladder.items()}
        rows = []
        for name in dict.fromkeys((*FLOORS, *BUDGETS)):
            preset, floor = ladder[name], every[name].kl_mean or 0.0
            same = searched.within_bytes(preset.bytes)
            assert same is not None
            at_bytes = session.measure(same.formats, unseen=True).known.kl_mean or 0.0
            best = min(
                (one for one, found in every.items() if (found.kl_mean or 0.0) <= floor),
                key=lambda one: ladder[one].bytes,
            )
            nearest = smallest(session, searched, floor)
            rows.append(
                (
                    name,
                    f"{preset.bytes:,}",
                    f"{floor:.5f}",
                    f"{at_bytes:.5f}",
                    f"{1 - at_bytes / floor:.0%}",
                    f"{same.bytes / preset.bytes:.2%}",
                    f"{best} {ladder[best].bytes:,}",
                    f"{nearest.mix.bytes:,}",
                    f"{1 - nearest.mix.bytes / ladder[best].bytes:.1%}",
                )
            )
    head = (
        "preset",
        "bytes",
        "KL",
        "searched KL",
        "lower by",
        "bytes used",
        "best preset at its KL",
        "searched bytes",
        "fewer by",
    )
    return head, rows


def smallest(session: Session, searched: Search, floor: float) -> Nearest:
    """The smallest file whose measured divergence is no more than ``floor``."""
    aim, best = floor, None
    for _ in range(_ROUNDS):
        mix = searched.within_divergence(aim)
        assert mix is not None
        quality = session.measure(mix.formats, unseen=True).known
        measured = quality.kl_mean or 0.0
        if measured <= floor and (best is None or mix.bytes < best.mix.bytes):
            best = Nearest(mix, quality)
            if measured >= _CLOSE * floor:
                break
        aim *= 0.995 * floor / measured
    assert best is not None, "no round came under the floor"
    return best


def trials(asked: argparse.Namespace, folder: Path) -> Rows:
    """Floors drawn at random around what mixes show on windows drawn at random, held against all other windows."""
    with parts.opened(asked.work or folder, asked.threads) as (session, searched, ladder):
        return parts.TRIALS_HEAD, parts.trials(session, searched, ladder)


def search(asked: argparse.Namespace, folder: Path) -> Rows:
    """One whole search, nothing known before: importances, probes, formats, solver, files, measurements."""
    rows = []
    for name, options in (("floor kl=0.03", ["--floor", "kl=0.03"]), ("budget 3 MB", ["--max-bytes", "3000000"])):
        began = time.monotonic()
        bytes_, kl = parts.whole_search(folder / name.split()[0], options, asked.threads)
        rows.append((name, f"{time.monotonic() - began:.1f}", f"{bytes_:,}", f"{kl:.5f}"))
    return ("search", "seconds", "bytes", "KL"), rows


def beside_perplexity(asked: argparse.Namespace, folder: Path) -> Rows:
    """The same two files, the same text, by both programs: figures, time and what is kept."""
    if asked.tools is None:
        sys.exit("--tools: the folder of llama-perplexity")
    return parts.EVALUATE_HEAD, parts.beside_perplexity(asked.tools, folder, asked.threads)


if __name__ == "__main__":
    main()
