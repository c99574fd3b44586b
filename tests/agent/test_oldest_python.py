"""The agent needs Python 3.8 and the standard library alone: it goes to machines where nothing of memfit is."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from board import CMDLINE, SYSTEM, Board, file_change, mask

from memfit import agent
from memfit.host import _inside, _rules

# bundle.py packs the others, and stays where memfit is
AGENT = [path for path in sorted(Path(agent.__path__[0]).glob("*.py")) if path.name != "bundle.py"]
HOST = [Path(str(module.__file__)) for module in (_inside, _rules)]
SENT = {f"memfit.{path.parent.name}.{path.stem}".replace(".__init__", "") for path in (*AGENT, *HOST)}


def old_python() -> str | None:
    """The oldest Python that may run it, where there is one."""
    kept = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    found = [str(path) for path in sorted(kept.glob("3.8*/bin/python3.8"))]
    return next(iter(found), shutil.which("python3.8"))


def imported(source: str) -> set[str]:
    """Modules that a text imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = {f"{node.module}.{name.name}" for name in node.names}
            found |= names & SENT or {str(node.module)}
    return found


@pytest.mark.parametrize("path", [*AGENT, *HOST], ids=lambda path: path.stem)
def test_its_syntax_and_its_imports_are_those_of_the_oldest(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    strange = {name for name in imported(source) - SENT if name.partition(".")[0] not in sys.stdlib_module_names}
    assert not strange


def test_what_is_imported_is_known_to_this_test() -> None:
    assert imported("import json, msgspec\nfrom memfit.agent import boot\nfrom memfit.host import Host") == {
        "json",
        "msgspec",
        "memfit.agent.boot",
        "memfit.host",
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files and nothing else, below packages that are empty."""
    folder = tmp_path_factory.mktemp("alone")
    for path in (*AGENT, *HOST):
        copy = folder / "memfit" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for package in ("memfit", "memfit/host"):
        (folder / package / "__init__.py").write_text("")
    return folder


def asked(python: str, alone: Path, request: dict[str, Any]) -> dict[str, Any]:
    """An answer of an agent that finds nothing but itself."""
    program = "import json, sys; from memfit.agent.main import answer; print(json.dumps(answer(json.load(sys.stdin))))"
    words = [python, "-S", "-s", "-W", "error", "-c", program]
    environment = {"PYTHONPATH": str(alone), "PATH": os.environ["PATH"]}
    said = json.dumps(request)
    done = subprocess.run(words, input=said, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("oldest", [True, False], ids=["oldest", "this"])
def test_it_applies_and_undoes_by_itself(alone: Path, tmp_path: Path, oldest: bool) -> None:
    python = old_python() if oldest else sys.executable
    if python is None:
        pytest.skip("no Python 3.8 here: pyenv install 3.8")
    board = Board(tmp_path)
    before = board.seen()
    changes = [file_change(CMDLINE, "splash\n"), mask("docker.service"), mask("cups.service")]
    root = {"root": str(board.root)}
    told = asked(python, alone, {"action": "apply", "changes": changes, **root})
    assert told["ok"]["receipt"]["state"] == "applied"
    assert board.at(CMDLINE).read_text() == "splash\n"
    assert board.at(f"{SYSTEM}/docker.service").is_symlink()
    told = asked(python, alone, {"action": "status", "recover": True, **root})
    assert [receipt["drift"] for receipt in told["ok"]["receipts"]] == [[]]
    told = asked(python, alone, {"action": "apply", "changes": [{"kind": "unit"}], **root})
    assert "'unit' is" in told["failure"]["message"]
    assert asked(python, alone, {"action": "undo", **root})["ok"]["receipt"]["state"] == "undone"
    assert board.seen() == before
