"""What runtimes take, shown on ones that are made for it: known sizes, errors, crashes, hangs."""

from __future__ import annotations

import ast
import importlib.util
import json
import mmap
import os
import re
import sys
import time
from pathlib import Path

import pytest

from memfit.catalog import Catalog
from memfit.cli._group import run as command
from memfit.errors import UnknownName, UsageError
from memfit.measure import baseline
from memfit.measure.baseline import Baseline, measure_baselines
from memfit.measure.baselines import RUNTIMES, Runtime
from memfit.units import MIB

DOCUMENT = Path(__file__).parents[3] / "shared" / "reference" / "documents" / "inference_memory_budget.txt"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of made-up runtimes in an otherwise empty folder, and a module that they are found by."""
    package = tmp_path / f"runtimes_{tmp_path.name}"
    package.mkdir()
    (tmp_path / "made_up.py").write_text("def take(size):\n    return bytearray(b'x') * size\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    catalog = Catalog(package.name, package, constant="RUNTIME", kind="runtime", type=Runtime)
    monkeypatch.setattr(baseline, "RUNTIMES", catalog)
    return package


def bring_up(made: Path, statement: str, *, module: str = "made_up", timeout_s: float = 60, runs: int = 1) -> Baseline:
    """The row of a runtime with this statement."""
    (made / "one.py").write_text(
        "from memfit.measure.baselines import Runtime\n"
        f"RUNTIME = Runtime(name='One', module={module!r}, statement={statement!r}, summary='made up')\n"
    )
    found = measure_baselines(runs=runs, timeout_s=timeout_s)
    (row,) = found.rows
    return row


def test_what_a_runtime_allocates_is_what_it_takes(made: Path) -> None:
    row = bring_up(made, f"import made_up\nkept = made_up.take({64 * MIB})", runs=3)
    assert row.outcome == "measured"
    assert row.runs == 3
    assert row.net_bytes is not None
    assert row.anonymous_bytes is not None
    assert row.resident_bytes is not None
    assert row.spread_bytes is not None
    assert 64 * MIB <= row.net_bytes < 67 * MIB
    assert 64 * MIB <= row.anonymous_bytes < 67 * MIB
    assert row.resident_bytes >= 64 * MIB
    assert 0 <= row.spread_bytes < 2 * MIB
    # the interpreter stands beside it, and is not in it
    assert row.bare_bytes is not None
    assert 2 * MIB < row.bare_bytes < 40 * MIB
    assert row.peak_bytes is not None
    assert row.peak_bytes >= row.net_bytes


def test_what_is_let_go_again_is_only_in_the_peak(made: Path) -> None:
    row = bring_up(made, f"import made_up\nmade_up.take({96 * MIB})")
    assert row.net_bytes is not None
    assert row.peak_bytes is not None
    assert row.net_bytes < 8 * MIB
    assert row.peak_bytes > 96 * MIB


def test_mapped_pages_of_a_library_are_no_anonymous_memory(made: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.bin"
    library.write_bytes(os.urandom(32 * MIB))
    statement = (
        f"import mmap\nfile = open({str(library)!r}, 'rb')\n"
        "mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\nread = sum(mapped[::4096])"
    )
    row = bring_up(made, statement)
    assert row.net_bytes is not None
    assert row.anonymous_bytes is not None
    assert row.net_bytes > 31 * MIB
    assert row.anonymous_bytes < 8 * MIB


def test_neighbours_with_the_same_library_change_nothing(made: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.bin"
    library.write_bytes(os.urandom(32 * MIB))
    statement = (
        f"import mmap\nfile = open({str(library)!r}, 'rb')\n"
        "mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\nread = sum(mapped[::4096])"
    )
    alone = bring_up(made, statement)
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        assert sum(area[::4096]) > 0
        beside = bring_up(made, statement)
    assert alone.net_bytes is not None
    assert beside.net_bytes is not None
    assert alone.shared_bytes is not None
    assert beside.shared_bytes is not None
    assert abs(beside.net_bytes - alone.net_bytes) < MIB
    assert beside.shared_bytes - alone.shared_bytes >= 15 * MIB


def test_one_that_is_not_installed(made: Path) -> None:
    row = bring_up(made, "import nowhere_at_all", module="nowhere_at_all")
    assert (row.outcome, row.reason) == ("missing", "not installed: no module nowhere_at_all")
    assert row.net_bytes is None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("raise ImportError('libcudart.so.12: cannot open')", "ImportError: libcudart.so.12: cannot open"),
        ("import made_up\nmade_up.gone", "AttributeError: module 'made_up' has no attribute 'gone'"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("import os\nos.abort()", "the process died: SIGABRT"),
        ("import os\nos.kill(os.getpid(), 9)", "the process died: SIGKILL"),
        ("import os\nos.write(2, b'first\\nno licence\\n')\nos._exit(3)", "no licence"),
        ("import os\nos._exit(0)", "the process ended without an answer"),
        ("import", "SyntaxError: invalid syntax (made_up, line 1)"),
    ],
)
def test_one_that_fails(made: Path, statement: str, reason: str) -> None:
    row = bring_up(made, statement)
    assert (row.outcome, row.reason) == ("failed", reason)
    assert row.net_bytes is None


def test_one_that_prints_whatever_it_likes(made: Path) -> None:
    row = bring_up(made, "print('{}' * 100000)\nimport os\nos.write(1, b'\\xff\\xfe')")
    assert row.outcome == "measured"


def test_one_that_hangs_ends_with_all_that_it_started(made: Path, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    statement = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(told)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    row = bring_up(made, statement, timeout_s=3)
    assert (row.outcome, row.reason) == ("hung", "it was not up after 3 s")
    child = Path("/proc", told.read_text())
    for _ in range(100):
        if not child.exists() or "State:\tZ" in (child / "status").read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child of a runtime that hung still runs")


def test_memory_of_a_crash_in_the_second_run_is_not_shown(made: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    statement = f"from pathlib import Path\nmark = Path({str(mark)!r})\nassert not mark.exists(), 'busy'\nmark.touch()"
    row = bring_up(made, statement, runs=2)
    assert (row.outcome, row.reason, row.net_bytes) == ("failed", "AssertionError: busy", None)


def test_a_catalog_file_is_never_taken_for_the_runtime(made: Path) -> None:
    for name in RUNTIMES.keys():  # noqa: SIM118  a catalog
        if importlib.util.find_spec(name) is None:
            assert bring_up(made, f"import {name}", module=name).outcome == "missing"
            return
    pytest.skip("a module of every name is installed")


def test_another_interpreter(made: Path, tmp_path: Path) -> None:
    (made / "one.py").write_text(
        "from memfit.measure.baselines import Runtime\n"
        "RUNTIME = Runtime(name='One', module='made_up', statement='import sys; assert sys.argv', summary='made up')\n"
    )
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    found = measure_baselines(python=str(link), runs=1)
    assert found.rows[0].outcome == "measured"
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    with pytest.raises(UsageError, match="no such interpreter"):
        measure_baselines(python=str(tmp_path / "none"))


def test_names_that_are_none() -> None:
    with pytest.raises(UnknownName) as unknown:
        measure_baselines(["pytroch"])
    assert unknown.value.nearest == ("pytorch",)


def test_each_runtime_says_what_it_needs_to() -> None:
    for key, runtime in RUNTIMES.items():
        assert runtime.name, key
        assert runtime.summary, key
        ast.parse(runtime.statement)
        if runtime.module:
            assert re.search(rf"(import|from) {runtime.module}\b|\"{runtime.module}\"", runtime.statement), key
            assert runtime.brings_up, key
        low, high = runtime.documented_low_bytes, runtime.documented_high_bytes
        assert (low is None) == (high is None), key
        assert low is None or high is None or low <= high, key
        assert low is not None or "no row" in runtime.note or "document's row" in runtime.note, key


def test_documented_figures_are_those_of_the_document() -> None:
    if not DOCUMENT.exists():
        pytest.skip("the document is not here")
    rows = re.findall(
        r"^\| ([^|]+) \| ~?(\d+)(?: (MB|GB))?(?:–| – )?(\d+)? ?(MB|GB) \|", DOCUMENT.read_text(encoding="utf-8"), re.M
    )
    found = {}
    for name, low, low_unit, high, unit in rows:
        scale = {"MB": 10**6, "GB": 10**9}
        found[name.split(" (")[0]] = (int(low) * scale[low_unit or unit], int(high or low) * scale[unit])
    assert len(found) == 5
    documented = {
        runtime.name: (runtime.documented_low_bytes, runtime.documented_high_bytes)
        for runtime in RUNTIMES
        if runtime.documented_low_bytes is not None
    }
    assert documented == found


@pytest.mark.engine
@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
def test_the_verb_measures_the_embedded_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["baseline", "llama.cpp", "jetpack", "--runs", "1", "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.err == ""
    engine, jetpack = found["rows"]
    assert engine["outcome"] == "measured"
    assert 1 * MIB < engine["net_bytes"] < 200 * MIB
    assert engine["version"]
    assert (jetpack["outcome"], jetpack["net_bytes"]) == ("no process", None)
    assert found["machine"]["total_bytes"] > 0
    assert "hostname" not in printed.out
    assert command(["baseline", "jetpack"]) == 0
    assert "400–600 MB" in capsys.readouterr().out
