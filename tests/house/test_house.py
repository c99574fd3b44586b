"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from consoles import ROOT

SOURCES = sorted((ROOT / "src" / "memfit").rglob("*.py"))
LONGEST_FILE = 330
FORBIDDEN_NAMES = {"utils", "util", "manager", "helper", "helpers", "core", "common", "misc"}
CATALOGS = (
    ("precision/formats", "FORMAT"),
    ("precision/presets", "PRESET"),
    ("precision/schemes", "SCHEME"),
    ("model/architectures", "ARCHITECTURE"),
    ("model/cards", "CARD"),
    ("model/announced", "MODEL"),
    ("model/speech", "MODEL"),
    ("model/configs", "CONFIG"),
    ("model/quantizations", "METHOD"),
    ("model/sources", "SOURCE"),
    ("model/places", "PLACE"),
    ("device/boards", "BOARD"),
    ("device/facts", "FACT"),
    ("device/compatibility/engines", "SUPPORT"),
    ("bsp/boards", "BOARD"),
    ("bsp/recipes", "RECIPE"),
    ("engine/runtimes", "ENGINE"),
    ("knob/knobs", "KNOB"),
    ("measure/baselines", "RUNTIME"),
    ("measure/meters", "METER"),
    ("render/views", "VIEW"),
    ("render/outputs", "OUTPUT"),
    ("cli/verbs", "COMMAND"),
)


def loaded_by(statement: str) -> set[str]:
    script = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_files_are_short_enough_to_read_in_one_sitting() -> None:
    long = {path.name: lines for path in SOURCES if (lines := path.read_text().count("\n")) > LONGEST_FILE}
    assert not long


def test_no_room_is_called_by_a_word_that_says_nothing() -> None:
    assert not [path for path in SOURCES if FORBIDDEN_NAMES & {*path.parts[-3:-1], path.stem.strip("_")}]


def test_every_module_says_what_it_is_for() -> None:
    silent = [path.name for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


@pytest.mark.parametrize(("folder", "constant"), CATALOGS)
def test_a_catalog_folder_holds_variants_and_machinery(folder: str, constant: str) -> None:
    variants = [path for path in (ROOT / "src/memfit" / folder).glob("*.py") if not path.name.startswith("_")]
    assert variants
    for path in variants:
        assert re.search(rf"^(def )?{constant}\b", path.read_text(), re.M), path.name


def test_sizes_say_their_unit() -> None:
    """A record's integer that is a size ends in its unit; ``bytes`` alone may be a whole name."""
    from memfit.render import record_names, schema

    for name in record_names():
        for record in schema(name)["$defs"].values():
            for field in record.get("properties", {}):
                assert not re.search(r"(?:^|_)(?:size|ram|mem|mib|gib|kb|mb|gb)$", field), f"{name}.{field}"


def test_the_library_imports_no_terminal_and_no_engine() -> None:
    loaded = loaded_by("import memfit.footprint.estimate")
    assert not loaded & {"rich", "click", "llama_cpp", "numpy", "torch", "jinja2", "resvg_py"}


def test_formulas_in_the_terminal_need_no_engine() -> None:
    words = ["estimate", "Llama-3.2-1B", "--source", "formula", "--memory", "4GiB"]
    loaded = loaded_by(f"from memfit.cli._group import run; run({words!r})")
    assert not loaded & {"llama_cpp", "numpy", "torch", "jinja2", "resvg_py", "asyncio"}


def test_the_project_speaks_of_itself_alone() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    telling = re.compile(r"(?<![\w.])/(?:root|home/\w+|tmp/scratch)/")
    for name in filter(None, tracked.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".json", "") and path.is_file() and path.name != "LICENSE":
            found = telling.search(path.read_text(encoding="utf-8", errors="replace"))
            assert found is None or path == Path(__file__), f"{name}: {found}"
