"""Dropping the cached pages of a model's files."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import memfit
from memfit.measure.file_cache import cached_bytes, drop

SIZE = 4 << 20


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(os.urandom(SIZE))
    return path


def cached(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return cached_bytes(descriptor)
    finally:
        os.close(descriptor)


def test_what_was_read_is_dropped(model: Path) -> None:
    assert model.read_bytes()
    if cached(model) != SIZE:
        pytest.skip("this file system keeps no page cache that can be looked at")
    assert drop([str(model)]) == ""
    assert cached(model) == 0


def test_what_another_has_mapped_stays_and_that_is_said(model: Path) -> None:
    drop([str(model)])
    if cached(model) != 0:
        pytest.skip("this file system keeps its pages whatever one asks")
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        assert sum(area[::4096]) > 0
        assert "stayed in the page cache" in drop([str(model)])


AS_ANOTHER = """
import os, sys
sys.path[:0] = {path!r}
from memfit.measure.file_cache import cached_bytes, drop  # which another user may not be allowed to read
os.setgroups([]); os.setgid(65534); os.setuid(65534)
descriptor = os.open({model!r}, os.O_RDONLY)
print(cached_bytes(descriptor), drop([{model!r}]))
"""


def test_the_kernels_answer_to_those_who_do_not_own_a_file_is_not_believed(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root may become somebody else")
    with tempfile.NamedTemporaryFile(dir="/var/tmp", suffix=".gguf") as model:
        model.write(bytes(SIZE))
        model.flush()
        os.chmod(model.name, 0o644)  # noqa: PTH101  a name
        source = str(Path(memfit.__file__).parent.parent)
        code = AS_ANOTHER.format(path=[source, *filter(None, sys.path)], model=model.name)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "None", done.stderr
        assert cached(Path(model.name)) is not None  # its owner is told


def test_a_file_that_may_not_be_opened_is_named(tmp_path: Path) -> None:
    present = tmp_path / "present.gguf"
    present.write_bytes(bytes(SIZE))
    absent = str(tmp_path / "absent.gguf")
    assert (
        drop([absent, str(present), absent]) == f"the page cache of {absent} was not dropped: No such file or directory"
    )
    assert not cached(present)


def test_nothing_to_drop() -> None:
    assert drop([]) == ""
