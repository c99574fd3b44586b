"""The recordings that come with the project are what their trees are: written by ``tools/record_trees.py``."""

from pathlib import Path

import msgspec
import pytest
from trees import names, write_tree

from memfit.device.audit import audit
from memfit.device.audit_records import Audit
from memfit.host.recorded import RecordedHost

FOLDER = Path(__file__).parents[1] / "fixtures/devices"


def facts(found: Audit) -> Audit:
    """An audit without what tells the door it came through."""
    return msgspec.structs.replace(found, host="", door="", taken="", unseen=())


@pytest.mark.parametrize("name", names())
def test_a_recording_is_its_tree(name: str, tmp_path: Path) -> None:
    file = FOLDER / f"{name}.tar.gz"
    assert facts(audit(RecordedHost(file))) == facts(audit(write_tree(name, tmp_path))), "run tools/record_trees.py"


def test_every_recording_has_a_tree() -> None:
    assert {path.name.removesuffix(".tar.gz") for path in FOLDER.iterdir()} == set(names())
