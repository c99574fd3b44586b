"""The ways of naming a model."""

from pathlib import Path

import pytest

from folders import write_folder
from memfit.model.sources import SOURCES


def test_each_is_asked_at_its_own_place() -> None:
    places = [source.place for source in SOURCES]
    assert len(set(places)) == len(places)
    assert all(source.summary for source in SOURCES)


@pytest.mark.parametrize(
    ("name", "takers"),
    [
        ("Llama-3.2-3B", {"well_known"}),
        ("m.gguf", {"gguf_file"}),
        ("folder", {"folder", "gguf_file"}),
        ("folder/config.json", {"folder", "gguf_file"}),
        ("", {"gguf_file"}),
        ("nobody-knows", set()),
        ("x\x00y", set()),
    ],
)
def test_a_name_is_taken_by_its_kind(
    name: str, takers: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "folder")
    monkeypatch.chdir(tmp_path)
    assert {key for key, source in SOURCES.items() if source.takes(name)} == takers
