"""Write what the commands in README.md and docs/ print now into their console blocks.

python tools/refresh_documents.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "house"))

from consoles import consoles, matches  # noqa: E402  the tests own the reading of documents


def main() -> None:
    """Rewrite every block whose output changed; blocks that leave lines out are only reported."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text(encoding="utf-8")
        for block in reversed(list(consoles(path))):
            printed = block.run()
            if matches(printed, block.output):
                continue
            if "…\n" in block.output:
                print(f"{path.name}: mend by hand: {block.command}\n{printed}")
                continue
            text = text[: block.start] + printed + text[block.end :]
            print(f"{path.name}: refreshed: {block.command}")
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
