"""The agent as one file: an archive that ``python3 -I -S`` runs where nothing of memfit is installed.

The same sources give the same bytes: names in order, one date, nothing compressed. It is made here, on the side of
whoever asks, and is no part of what it holds.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from memfit import agent
from memfit.host import _inside, _rules

NAME = "agent.pyz"
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that an archive can say
_MAIN = "import sys\nfrom memfit.agent.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"


def build() -> bytes:
    """The archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, text in sorted(parts().items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # as Unix, wherever it is made
            archive.writestr(entry, text)
    return held.getvalue()


def parts() -> dict[str, str]:
    """Text of every module by its name in the archive; packages of which only a part is sent are empty."""
    folder = Path(agent.__path__[0])
    sources = {f"memfit/agent/{path.name}": path for path in folder.glob("*.py") if path != Path(__file__)}
    sources |= {f"memfit/host/{Path(str(one.__file__)).name}": Path(str(one.__file__)) for one in (_inside, _rules)}
    texts = {name: path.read_text(encoding="utf-8") for name, path in sources.items()}
    return {"__main__.py": _MAIN, "memfit/__init__.py": "", "memfit/host/__init__.py": "", **texts}
