"""Derive what engines make of chips from the published speeds, and write it down.

``python tools/fit_speed.py`` writes ``src/memfit/speed/efficiency/*.py`` and the table of ``docs/speed.md``. The result
is deterministic, and a test holds the committed files to it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from memfit.speed.records import ComputeShare, Efficiency
from speed_fit.engines import fitted
from speed_fit.page import refresh

FOLDER = Path(__file__).parents[1] / "src/memfit/speed/efficiency"

HEAD = '''"""{title}: written by ``tools/fit_speed.py``; change the anchors and run it again."""

from __future__ import annotations

from memfit.speed.efficiency._engine import EngineEfficiency
from memfit.speed.records import ComputeShare, Efficiency

EFFICIENCY = EngineEfficiency(
    engine="{engine}",
    chips=(
{chips}    ),
)
'''


def source_of(engine: str, chips: tuple[Efficiency, ...]) -> str:
    """The file of one engine."""
    body = "".join(_chip(chip) for chip in chips)
    if not any(chip.compute for chip in chips):
        head = HEAD.replace("import ComputeShare, Efficiency", "import Efficiency")
    else:
        head = HEAD
    return head.format(title=engine, engine=engine, chips=body)


def _chip(chip: Efficiency) -> str:
    lines = [
        f'engine="{chip.engine}"',
        f'chip="{chip.chip}"',
        f"bandwidth_share={chip.bandwidth_share}",
        *([f"weights_per_clock={chip.weights_per_clock}"] if chip.weights_per_clock is not None else []),
        f"layer_clocks={chip.layer_clocks}",
        *([f"expert_clocks={chip.expert_clocks}"] if chip.expert_clocks else []),
        f"error={chip.error}",
        *([f"start_s={chip.start_s}"] if chip.start_s else []),
        *([f"compute=({''.join(_share(share) for share in chip.compute)})"] if chip.compute else []),
        f"anchors={chip.anchors}",
        f"sources=({''.join(repr(key) + ', ' for key in chip.sources)})".replace("'", '"'),
    ]
    return "Efficiency(" + ",".join(lines) + ",),\n"


def _share(share: ComputeShare) -> str:
    return f'ComputeShare(math="{share.math}", share={share.share}, error={share.error}, anchors={share.anchors}),'


def main() -> None:
    """Fit, write, format."""
    engines = fitted()
    written = []
    for engine, chips in engines.items():
        path = FOLDER / f"{engine}.py"
        path.write_text(source_of(engine, chips), encoding="utf-8")
        written.append(path)
        for chip in chips:
            print(chip)
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", *written], check=True)
    refresh()


if __name__ == "__main__":
    main()
