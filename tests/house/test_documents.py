"""The documents are true: what they say a command prints is what it prints."""

import shutil
from pathlib import Path

import pytest
from consoles import ROOT, Console, consoles, matches

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [console for path in DOCUMENTS for console in consoles(path)]


def test_the_readme_shows_real_output() -> None:
    assert sum(block.document == "README.md" for block in BLOCKS) >= 2


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.document}: {block.command[:60]}")
def test_a_command_prints_what_the_document_shows(block: Console) -> None:
    missing = [tool for tool in ("cpp", "dtc", "fdtput") if shutil.which(tool) is None]
    if block.command.startswith("memfit bsp ") and missing:
        pytest.skip(f"{', '.join(missing)}: not installed (apt-get install cpp device-tree-compiler)")
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


def test_what_one_adds_by_the_examples_is_known_at_once(tmp_path: Path) -> None:
    import os
    import re
    import shutil
    import subprocess
    import sys

    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    examples = re.findall(r"`(src/memfit/\S+?\.py)`((?:(?!```|\n#).)*?)```python\n(.*?)```", text, re.S)
    assert len(examples) == 8
    for path, _, code in examples:
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(code, encoding="utf-8")

    def memfit(*words: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src"), "MEMFIT_CACHE": "off"}
        command = [sys.executable, "-m", "memfit", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "My-Model-1B" in memfit("estimate", "My-Model-1B", "--device", "my-board", "--source", "formula")
    assert "MY_FORMAT" in memfit("list", "formats")
    assert "my_scheme" in memfit("list", "schemes")
    assert "my-4" in memfit("estimate", "Qwen3-8B", "--engine", "vllm", "--format", "my-4", "-d", "agx-orin-64gb")
    assert "longest context" in memfit("--help")
    assert "8k tokens" in memfit("reach", "My-Model-1B", "my-board")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    script = "from memfit.speed.anchors import SOURCES; print(SOURCES.get('my_source').anchors[0].model)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "llama_3_2_3b"
    script = (
        "import memfit; f = memfit.estimate('My-Model-1B', source='formula', device=memfit.find_device('my-board'));"
        "print(memfit.render.render(f, view='one_line'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert "fits" in done.stdout
