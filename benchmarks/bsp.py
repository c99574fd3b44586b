"""Time of ``memfit bsp patch`` and ``undo``, whole commands, on a copy of the small tree with a real kernel's tree.

python benchmarks/bsp.py                    with the project's own device tree where no real one is at hand
python benchmarks/bsp.py --kernel FILE.dtb  with that of a release
python benchmarks/bsp.py --runs 21 --write  the table into benchmarks/RESULTS.md
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from measure.machine import describe_machine, load, today
from measure.processes import Program, output_of, wall_s
from measure.shares import computed_s
from measure.tables import replaced, table

GOAL_S = 2.0
ROOT = Path(__file__).parents[1]
TREE = ROOT / "tests/fixtures/bsp/Linux_for_Tegra"
KERNEL = "kernel/dtb/tegra234-p3768-0000+p3767-0003-nv.dtb"
REAL = ROOT.parent / "shared/data/devices/dtb/r36.2_tegra234-p3768-0000+p3767-0003-nv.dtb"
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11, help="measured rounds of each style (11)")
    parser.add_argument("--kernel", type=Path, default=REAL, help="a kernel's device tree of p3767-0003")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    asked = parser.parse_args()
    before = load()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(shutil.copytree(TREE, Path(folder, "Linux_for_Tegra")))
        if asked.kernel.is_file():
            shutil.copyfile(asked.kernel, tree / KERNEL)
        rows = [row for style in ("override", "edit") for row in measure(tree, style, asked.runs)]
        size = (tree / KERNEL).stat().st_size
    head = (describe_machine(), "median", "least", "of it computing", "goal")
    text = (
        f"{table(head, rows)}\n\nA kernel's device tree of {size:,} bytes; every undo equal by SHA-256. "
        f"Measured {today()}, {asked.runs} rounds, load average {before} before and {load()} after."
    )
    if asked.write:
        RESULTS.write_text(replaced(RESULTS.read_text(), "bsp", text))
    print(text)


def measure(tree: Path, style: str, runs: int) -> list[tuple[str, ...]]:
    """Patch and undo in turn; every undo must leave each file as it was.

    Raises:
        SystemExit: one did not.
    """
    bsp = (sys.executable, "-m", "memfit", "bsp")
    words = ("--board", "p3767-0003", "--needs", "none", "--style", style, "--yes", "--json")
    patch = Program((*bsp, "patch", str(tree), *words))
    undo = Program((*bsp, "undo", str(tree), "--json"))
    was = digests(tree)
    output_of(patch)  # says why, where it fails
    output_of(undo)
    walls: dict[str, list[float]] = {f"`memfit bsp patch --style {style}`": [], "`memfit bsp undo` of it": []}
    computed = dict.fromkeys(walls, 0.0)
    for _ in range(runs):
        for name, program in zip(walls, (patch, undo), strict=True):
            before = computed_s()
            walls[name].append(wall_s(program))
            computed[name] += (computed_s() - before) / runs
        if digests(tree) != was:
            raise SystemExit(f"{tree}: not as it was")
    figures = {name: (statistics.median(taken), min(taken), computed[name], GOAL_S) for name, taken in walls.items()}
    return [
        (name, *(f"{figure * 1000:.0f} ms" for figure in row[:3]), f"≤ {row[3] * 1000:.0f} ms")
        for name, row in figures.items()
    ]


def digests(tree: Path) -> dict[str, str]:
    """Every file of the tree but the journal's."""
    paths = (path for path in tree.rglob("*") if path.is_file() and ".memfit" not in path.parts)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


if __name__ == "__main__":
    main()
