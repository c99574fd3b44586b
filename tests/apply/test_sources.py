"""The agent as it goes over a connection: one text that any Python may be given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from memfit.agent import bundle
from memfit.apply._sources import program, sources
from memfit.host._program import PYTHON_OPTIONS


def pythons() -> list[str]:
    """This one, and the oldest that may run it, where there is one."""
    kept = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    return [sys.executable, *(str(path) for path in sorted(kept.glob("3.8*/bin/python3.8"))[:1])]


@pytest.mark.parametrize("python", pythons(), ids=lambda path: Path(path).name)
def test_it_answers_behind_the_marker(python: str, tmp_path: Path) -> None:
    request = {"action": "status", "root": str(tmp_path)}
    done = subprocess.run(
        [python, *PYTHON_OPTIONS], input=program(request, "a-marker"), capture_output=True, check=True
    )
    before, _, line = done.stdout.decode().partition("a-marker ")
    assert before == "\n"
    assert json.loads(line)["ok"]["receipts"] == []


def test_what_is_cut_off_does_nothing(tmp_path: Path) -> None:
    text = program({"action": "status", "root": str(tmp_path)}, "a-marker")
    done = subprocess.run([sys.executable, *PYTHON_OPTIONS], input=text[:-300], capture_output=True, check=False)
    assert done.returncode != 0
    assert done.stdout == b""


def test_it_is_what_is_left_on_devices() -> None:
    modules = {name.removesuffix(".py").replace("/", ".") for name in bundle.parts()}
    assert set(sources()) == {name for name in modules if not name.endswith(("__init__", "__main__"))}
    assert "memfit.agent.transaction" in sources()
