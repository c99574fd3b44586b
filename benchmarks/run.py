"""Measure memfit beside its peers, and write the tables of ``benchmarks/RESULTS.md``.

python benchmarks/run.py                    everything (about 15 minutes)
python benchmarks/run.py --only headers     one of them: headers, commands, accuracy, compute, search, meters
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from measure.machine import describe_machine, load, today
from measure.peers import Peers, memfit_versions
from measure.tables import replaced

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
ALL = ("headers", "commands", "accuracy", "compute", "search", "meters")
TIMED = ("headers", "commands", "search", "meters")
WHOLE = {"151,936 tokens": "qwen2_5_1_5b", "262,144 tokens": "gemma_3_4b"}


def main() -> None:
    """Measure what was asked for, and rewrite those tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=ALL, help="one benchmark; may be repeated")
    parser.add_argument("--runs", type=int, default=7, help="measured rounds of every time (7)")
    parser.add_argument(
        "--peers",
        type=Path,
        default=HERE.parent / "build/peers",
        help="where install_peers.sh put the others (build/peers)",
    )
    parser.add_argument("--print", action="store_true", help="print the tables and leave RESULTS.md as it is")
    asked = parser.parse_args()
    wanted = [name for name in ALL if not asked.only or name in asked.only]
    folder = Path(tempfile.mkdtemp(prefix="memfit-benchmarks-"))
    try:
        tables = _measure(wanted, Peers(asked.peers.resolve()), asked.runs, folder)
    finally:
        shutil.rmtree(folder)
    document = RESULTS.read_text()
    for name, text in tables.items():
        if asked.print:
            print(f"\n{text}")
        document = replaced(document, name, text)
    if not asked.print:
        RESULTS.write_text(document)


def _measure(wanted: list[str], peers: Peers, runs: int, folder: Path) -> dict[str, str]:
    from measure.files import write_whole_file

    tables = {"setting": _setting(peers)}
    whole = {title: folder / f"{card}-whole.gguf" for title, card in WHOLE.items()}
    if "headers" in wanted or "commands" in wanted:
        for title, path in whole.items():
            write_whole_file(WHOLE[title], path)
    stubs = folder / "stubs"
    stubs.mkdir()
    for name in wanted:
        before = load()
        if name == "headers":
            from measure.headers import measure_headers

            text = measure_headers(whole, peers, runs, folder / "cache")
        elif name == "commands":
            from measure.commands import measure_commands

            text = measure_commands(whole, peers, runs, folder / "cache")
        elif name == "accuracy":
            from measure.accuracy import measure_accuracy

            text = measure_accuracy(stubs, peers)
        elif name == "compute":
            from measure.compute import measure_compute

            text = measure_compute(stubs)
        elif name == "search":
            from measure.search import measure_search

            text = measure_search(runs)
        else:
            from measure.meters import measure_meters

            text = measure_meters(folder, 4 * runs)
        timed = f", {runs} rounds, load average {before} before and {load()} after" if name in TIMED else ""
        tables[name] = f"{text}\n\nMeasured {today()}{timed}."
    return tables


def _setting(peers: Peers) -> str:
    lines = [f"- Machine: {describe_machine()}", f"- {memfit_versions()}"]
    for peer in peers.all():
        note = f" ({peer.note})" if peer.note else ""
        lines.append(
            f"- {peer.name} {peer.version}{note}" if peer.runs else f"- {peer.name}: does not start: {peer.failure}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
