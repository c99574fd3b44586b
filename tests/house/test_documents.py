"""The documents are true: what they say a command prints is what it prints."""

from pathlib import Path

import pytest
from consoles import ROOT, Console, consoles, matches

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [console for path in DOCUMENTS for console in consoles(path)]


def test_the_readme_shows_real_output() -> None:
    assert sum(block.document == "README.md" for block in BLOCKS) >= 2


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.document}: {block.command[:60]}")
def test_a_command_prints_what_the_document_shows(block: Console) -> None:
    printed = block.run()
    assert matches(printed, block.output), f"run tools/refresh_documents.py; now it prints:\n{printed}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_files_lead_somewhere(path: Path) -> None:
    import re

    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_python_of_the_readme_runs() -> None:
    import re
    import subprocess
    import sys

    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fits ")
