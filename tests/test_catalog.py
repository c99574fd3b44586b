import sys
from pathlib import Path

import pytest

from memfit.catalog import Catalog, fold
from memfit.errors import UnknownName


class Thing:
    def __init__(self, name: str, aliases: tuple[str, ...] = ()) -> None:
        self.name = name
        self.aliases = aliases


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog[Thing]:
    folder = tmp_path / "things_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "_machinery.py").write_text("raise RuntimeError('machinery is no variant')")
    (folder / "first.py").write_text(
        "from test_catalog import Thing\nTHING = Thing('First', aliases=('number one',))\n"
    )
    (folder / "second_x2.py").write_text("from test_catalog import Thing\nTHING = Thing('Second')\n")
    (folder / "broken.py").write_text("THING = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setitem(sys.modules, "test_catalog", sys.modules[__name__])
    return Catalog("things_of_a_test", folder, constant="THING", kind="thing", type=Thing)


def test_keys_are_the_public_files_and_listing_imports_nothing(catalog: Catalog[Thing]) -> None:
    assert catalog.keys() == ("broken", "first", "second_x2")
    assert "things_of_a_test.first" not in sys.modules


def test_a_key_is_found_whatever_its_case_and_punctuation(catalog: Catalog[Thing]) -> None:
    assert catalog.get("Second-X2").name == "Second"


def test_a_file_that_exports_something_else_is_named(catalog: Catalog[Thing]) -> None:
    with pytest.raises(TypeError, match=r"broken\.THING is not a Thing"):
        catalog.get("broken")


def test_aliases_live_in_the_variants(catalog: Catalog[Thing]) -> None:
    (Path(catalog._folder) / "broken.py").unlink()
    catalog._keys = None
    assert catalog.get("Number One").name == "First"
    with pytest.raises(UnknownName):
        catalog.get("third")
    assert "third" not in catalog


def test_fold() -> None:
    assert fold("GPT-OSS 20B") == "gpt_oss_20b"
