"""Write the recordings of devices that the tests and the README read, from the trees that the tests make.

    python tools/record_trees.py             tests/fixtures/devices/NAME.tar.gz, a few seconds

A tree is made from known figures of a board (``tests/device/trees.py`` says which are measured and which modelled),
so a recording of it is nobody's device.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests/fixtures/devices"


def main() -> None:
    """One recording a tree."""
    sys.path.insert(0, str(ROOT / "tests/device"))
    from trees import names, write_tree

    from memfit.device.audit import audit_paths
    from memfit.host.record import record
    from memfit.host.records import Manifest
    from memfit.knob.offers import offer_paths

    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names():
        with tempfile.TemporaryDirectory(prefix="memfit-") as folder:
            file = FOLDER / f"{name}.tar.gz"
            file.unlink(missing_ok=True)
            record(write_tree(name, Path(folder)), Manifest(paths=(*audit_paths(), *offer_paths())), file)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
