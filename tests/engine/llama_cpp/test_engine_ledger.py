"""What llama.cpp's ledger says beside its terms."""

import msgspec
import pytest

from memfit.device import Device
from memfit.engine._engine import Models
from memfit.engine._llama_cpp import ledger
from memfit.engine.records import Deployment, LoadMode, Options
from memfit.model import ModelShape, find_model
from memfit.model.shape import Shard
from memfit.units import GIB, MIB

DEVICE = Device(
    name="this machine",
    unified=False,
    capacity_bytes=4 * GIB,
    instructions=("avx", "avx2"),
    grade="measured",
    source="made up",
)


@pytest.fixture
def model() -> ModelShape:
    shape = find_model("Qwen2.5-1.5B", format="Q4_K_M")
    return msgspec.structs.replace(shape, shards=(Shard("qwen.gguf", shape.weights_bytes, 0),))


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "read_ahead_bytes", lambda path: 8 * MIB)
    monkeypatch.setattr(ledger, "built_for", lambda instructions: instructions)


def found(model: ModelShape, device: Device, load_mode: LoadMode = "mmap") -> tuple[int, list[str]]:
    deployment = Deployment(model="qwen.gguf", options=Options(load_mode=load_mode))
    said = ledger.ledger(Models(model=model), deployment, device, "library", "formula")
    return sum(term.working_set_bytes for term in said.terms), [
        text for text in said.warnings if "read_ahead_kb" in text
    ]


@pytest.mark.usefixtures("far")
def test_the_disk_under_the_file_decides_what_stays_in_memory() -> None:
    model = msgspec.structs.replace(find_model("Qwen2.5-1.5B", format="Q4_K_M"), shards=(Shard("here.gguf", 1, 0),))
    usual, quiet = found(model, msgspec.structs.replace(DEVICE, name="a board"))
    here, warned = found(model, DEVICE)
    assert here > usual + 100 * MIB
    assert not quiet
    assert len(warned) == 1
    assert "8192 KiB on both sides" in warned[0]
    assert "blockdev --setra 256" in warned[0]


@pytest.mark.usefixtures("far")
def test_a_file_that_is_not_mapped_is_read_once(model: ModelShape) -> None:
    assert found(model, DEVICE, "none") == (0, [])


@pytest.mark.usefixtures("far")
def test_a_model_without_a_file_lies_on_a_disk_as_usual() -> None:
    model = find_model("Qwen2.5-1.5B", format="Q4_K_M")
    assert found(model, DEVICE) == found(model, msgspec.structs.replace(DEVICE, name="a board"))
