"""Measures ``models/memfit-tiny`` with the engine: all of it into its card, or some presets onto the screen.

python tools/measure_tiny.py                    # rewrite manifest.json and README.md
python tools/measure_tiny.py F16 Q4_K_M Q2_K    # preset, bytes, perplexity, bits per byte, predicted tokens
python tools/measure_tiny.py --fit              # whether any preset falls back to another type
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tiny import engine, measure

FOLDER = Path(__file__).resolve().parent.parent / "models" / "memfit-tiny"


def main() -> None:
    """Read the command line and measure."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=FOLDER, help="where the model is")
    arguments.add_argument("--text", type=Path, help="default: the held-out modules")
    arguments.add_argument("--no-importance", action="store_true", help="quantize without importances")
    arguments.add_argument("--stride", type=int, default=measure.STRIDE, help="measure every so many windows")
    arguments.add_argument("--fit", action="store_true", help="quantize nothing; tell which presets fit the tensors")
    arguments.add_argument("preset", nargs="*")
    given = arguments.parse_args()
    if given.fit:
        print("\n".join(measure.fit(given.folder, preset) for preset in given.preset or engine.presets()))
        return
    if not given.preset:
        measure.measure(given.folder)
        return
    for preset in given.preset:
        print(
            measure.line(given.folder, preset, given.text, given.stride, importance=not given.no_importance), flush=True
        )


if __name__ == "__main__":
    main()
