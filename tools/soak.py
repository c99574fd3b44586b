"""Deployments drawn at random: decided by memfit and by the engine, and some run for real under their limits.

    python tools/soak.py                        # 1,000 decided, 60 run, 10 of them with a full context
    python tools/soak.py --decide 200 --real 0  # decisions alone, some 20 seconds
    python tools/soak.py --minutes 30           # as far as it comes; the next call goes on from there

Whatever memfit says fits must run; what it refuses is run by force, and counted: a sample, and all whose limit comes
near to what a run would likely hold. Results are appended to a file, one
JSON line each, so that a soak can be interrupted. Models are fabricated at their real size and deleted again when the
disk's share is used up. Needs memfit[llama]; limits need permission for control groups.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from memfit import __version__
from memfit.device.machine_key import machine_key
from memfit.device.read_ahead import read_ahead_bytes
from memfit.engine.runtimes import ENGINES
from memfit.units import GIB
from soaking.book import Book, Setting
from soaking.decide import decide, engine_instructions, this_machine
from soaking.draw import draw
from soaking.files import Files
from soaking.headroom import by_todays_rules
from soaking.near import near
from soaking.pick import pick
from soaking.real import run
from soaking.table import table

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "verification.md"
RECORDS = ROOT / "benchmarks" / "records"  # kept with the tables that are made of them


def main() -> None:
    """Read the command line, go on where the last call ended, print the table."""
    given = _arguments()
    setting = Setting(
        seed=given.seed,
        memfit=__version__,
        engine=ENGINES.get("llama_cpp").installed_version(),
        machine=machine_key(),
        read_ahead_bytes=read_ahead_bytes(str(ROOT)) or 0,
    )
    book = Book(given.results or RECORDS / f"soak-{given.seed}.jsonl", None if given.tables else setting)
    try:
        if not given.tables:
            _soak(given, book)
    except KeyboardInterrupt as interrupted:
        _say(f"ended early ({interrupted or 'Ctrl-C'}); the same command goes on from here")
    refused = near(map(by_todays_rules, book.decisions.values()), this_machine(engine_instructions()))
    text = table(book.decisions.values(), book.runs.values(), {one.decision.drawn.index for one in refused})
    print(text)
    if given.write:
        marked = re.compile(r"(<!-- soak -->\n).*(<!-- /soak -->)", re.DOTALL)
        page = marked.sub(lambda found: f"{found[1]}{text}\n{found[2]}", REPORT.read_text(encoding="utf-8"))
        REPORT.write_text(page, encoding="utf-8")


def _soak(given: argparse.Namespace, book: Book) -> None:
    ends = time.monotonic() + given.minutes * 60 if given.minutes else float("inf")
    instructions = engine_instructions()
    here = this_machine(instructions)
    for index in range(given.decide):
        if time.monotonic() > ends:
            return
        if index not in book.decisions:
            book.add(decide(draw(given.seed, index), here))
            _say(f"decided {len(book.decisions)} of {given.decide}", end="\r")
    picks = pick((book.decisions[index] for index in range(given.decide)), given.real, given.full, given.seed)
    close = near((book.decisions[index] for index in range(given.decide)), here) if given.real else []
    known = {one.decision.drawn.index for one in picks}
    picks += [one for one in close if one.decision.drawn.index not in known]
    files = Files(given.models or ROOT / "build" / "soak" / "models", int(given.disk * GIB))
    missing = [one for one in picks if one.decision.drawn.index not in book.runs]
    _say(f"about {sum(one.cost_s for one in missing) / 60:.0f} minutes of runs")
    for number, one in enumerate(missing, 1):
        if time.monotonic() + one.cost_s > ends:
            return
        done = run(one, files, instructions)
        book.add(done)
        full = ", full context" if one.full else ""
        _say(
            f"{number} of {len(missing)}: {done.card} {done.format}{full}: said {done.said}, {done.verdict}: {done.why}"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decide", type=int, default=1000, metavar="N", help="deployments to decide (1000)")
    parser.add_argument("--real", type=int, default=60, metavar="N", help="of them to run (60)")
    parser.add_argument("--full", type=int, default=10, metavar="N", help="of those with a full context (10)")
    parser.add_argument("--minutes", type=float, default=0, metavar="M", help="end after so long; 0: when all is done")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed, other deployments (1)")
    parser.add_argument("--disk", type=float, default=20, metavar="GIB", help="most that fabricated models take (20)")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="where they lie (build/soak/models)")
    parser.add_argument("--results", type=Path, metavar="FILE", help="JSON lines (benchmarks/records/soak-SEED.jsonl)")
    parser.add_argument("--tables", action="store_true", help="run nothing: the table of what is there, of any machine")
    parser.add_argument("--write", action="store_true", help="also write the table into docs/verification.md")
    return parser.parse_args()


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
