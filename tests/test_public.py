import subprocess
import sys

import pytest

import memfit


def test_every_public_name_is_there() -> None:
    assert sorted(set(memfit.__all__)) == memfit.__all__
    for name in memfit.__all__:
        assert getattr(memfit, name) is not None
    assert set(memfit.__all__) <= set(dir(memfit))


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'estimat'"):
        memfit.estimat  # noqa: B018


def test_the_import_itself_brings_nothing() -> None:
    script = (
        "import sys, memfit; sys.exit(any(name.startswith(('memfit.', 'msgspec', 'click')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_example_of_the_docstring() -> None:
    board = memfit.find_device("orin-nano-8gb")
    footprint = memfit.estimate("Llama-3.2-1B", device=board, source="formula", relief=False)
    assert isinstance(footprint, memfit.Footprint)
    assert footprint.verdict == "fits"
    assert "fits" in str(memfit.render.render(footprint))
