"""The agent as one file, which runs where nothing of memfit is installed."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from memfit.agent import boot, bundle

STOCK = b"DEFAULT primary\nLABEL primary\n  LINUX /boot/Image\n  APPEND ro\n"
TRIED = STOCK.replace(b"DEFAULT primary", b"DEFAULT memfit-primary") + b"LABEL memfit-primary\n  APPEND ro x=1\n"
FALLBACK = TRIED.replace(b"DEFAULT memfit-primary", b"DEFAULT primary")


def pythons() -> list[str]:
    """This one, and the oldest that it must run under, where there is one."""
    kept = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    return [sys.executable, *(str(path) for path in sorted(kept.glob("3.8*/bin/python3.8"))[:1])]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / bundle.NAME
    path.write_bytes(bundle.build())
    return path


@pytest.fixture(params=range(2), ids=["this Python", "the oldest Python"])
def python(request: pytest.FixtureRequest) -> str:
    found = pythons()
    number = int(request.param)
    if number >= len(found):
        pytest.skip("no Python 3.8 here: pyenv install 3.8")
    return found[number]


def run(python: str, *words: str, given: bytes = b"") -> str:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [python, "-I", "-S", *words], input=given, capture_output=True, cwd="/", env=environment, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_same_sources_are_the_same_bytes() -> None:
    first = bundle.build()
    assert bundle.build() == first
    with zipfile.ZipFile(io.BytesIO(first)) as opened:
        names = opened.namelist()
        assert names == sorted(names)
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in opened.infolist())
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert opened.testzip() is None
    assert {"__main__.py", "memfit/agent/boot.py", "memfit/agent/main.py", "memfit/host/_inside.py"} <= set(names)
    assert "memfit/agent/bundle.py" not in names


def test_it_needs_the_standard_library_of_the_oldest_python_alone() -> None:
    parts = bundle.parts()
    own = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in parts}
    for name, text in parts.items():
        tree = ast.parse(text, feature_version=(3, 8))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [str(node.module)]
            else:
                continue
            for one in imported:
                assert one in own or one.partition(".")[0] in sys.stdlib_module_names, f"{name}: {one}"
                assert one.partition(".")[0] != "memfit" or one in own, f"{name}: {one} is not in it"


def test_a_request_is_answered_behind_the_marker(archive: Path, python: str, tmp_path: Path) -> None:
    path = tmp_path / "etc/sysctl.d/60-memfit.conf"
    changes = [{"kind": "file", "path": "/etc/sysctl.d/60-memfit.conf", "content": "eA==", "mode": None}]
    request = {"action": "apply", "root": str(tmp_path), "changes": changes}
    marker, line = run(python, str(archive), "a-marker", given=json.dumps(request).encode()).splitlines()
    assert marker == "a-marker"
    assert json.loads(line)["ok"]["receipt"]["state"] == "applied"
    assert path.read_bytes() == b"x"
    undo = json.dumps({"action": "undo", "root": str(tmp_path)}).encode()
    (line,) = run(python, str(archive), given=undo).splitlines()
    assert json.loads(line)["ok"]["receipt"]["state"] == "undone"
    assert not path.exists()


def test_a_boot_is_tried(archive: Path, python: str, tmp_path: Path) -> None:
    board(tmp_path)
    said = json.loads(run(python, str(archive), "early", str(tmp_path)))
    assert said == {"id": "0001-abcd", "state": "trying", "reasons": []}
    assert (tmp_path / "boot/extlinux/extlinux.conf").read_bytes() == FALLBACK
    said = json.loads(run(python, str(archive), "confirm", str(tmp_path)))
    assert said["state"] == "confirmed"
    assert (tmp_path / "boot/extlinux/extlinux.conf").read_bytes() == TRIED


def test_there_is_nothing_to_try(archive: Path, python: str, tmp_path: Path) -> None:
    for action in ("early", "confirm"):
        assert json.loads(run(python, str(archive), action, str(tmp_path)))["state"] is None


def test_what_cannot_be_written_is_said(archive: Path, tmp_path: Path) -> None:
    board(tmp_path)
    (tmp_path / "var/lib/memfit/trial.json.new").mkdir()
    (tmp_path / "var/lib/memfit/trial.json.new/x").touch()
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(archive), "early", str(tmp_path)], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "failure" in json.loads(done.stdout)


def board(root: Path) -> None:
    """A machine that was booted with the label that is tried."""
    from base64 import b64encode

    trial: dict[str, Any] = {
        "schema_version": 1,
        "id": "0001-abcd",
        "path": "/boot/extlinux/extlinux.conf",
        "original": "primary",
        "tried": b64encode(TRIED).decode(),
        "fallback": b64encode(FALLBACK).decode(),
        "expects": {"x": "1", boot.PROOF: "12345678"},
        "boot_id": "one",
        "before": {},
        "state": "begun",
        "reasons": [],
    }
    for path, content in {
        "boot/extlinux/extlinux.conf": TRIED,
        "proc/cmdline": b"ro x=1 memfit.boot=12345678\n",
        "proc/sys/kernel/random/boot_id": b"two\n",
        "var/lib/memfit/trial.json": json.dumps(trial).encode(),
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
