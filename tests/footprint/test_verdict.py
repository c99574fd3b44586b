import msgspec
import pytest

from memfit.device import find_device
from memfit.engine._engine import Ledger
from memfit.engine.records import Deployment, Term
from memfit.footprint import footprint_of
from memfit.footprint.verdict import judge, total
from memfit.model.shape import ModelShape
from memfit.units import GIB, MIB

SHAPE = ModelShape(
    architecture="llama",
    name="tiny",
    parameters=1,
    parameters_active=1,
    embedding_length=1,
    vocabulary_tokens=1,
    context_trained_tokens=1,
)


def term(name: str, high: int, *, evictable: int = 0, working: int = 0, pool: str = "host") -> Term:
    return msgspec.convert(
        {
            "name": name,
            "pool": pool,
            "low_bytes": 0,
            "likely_bytes": high // 2,
            "high_bytes": high,
            "evictable_bytes": evictable,
            "working_set_bytes": working,
            "source": "formula",
            "formula": "made up",
        },
        Term,
    )


MAPPED = term("weights", 3 * GIB, evictable=2 * GIB, working=GIB)


@pytest.mark.parametrize(
    ("capacity", "verdict"),
    [(2 * GIB, "fits"), (2 * GIB - 1, "tight"), (GIB, "tight"), (GIB - 1, "no")],
)
def test_the_verdict_turns_at_required_and_at_unevictable(capacity: int, verdict: str) -> None:
    assert judge(total([MAPPED]), capacity) == verdict


def test_what_the_system_holds_is_shown_and_not_added() -> None:
    sums = total([MAPPED, term("os", 5 * GIB, pool="system")])
    assert sums.high_bytes == 3 * GIB
    assert sums.required_bytes == 2 * GIB


def test_a_footprint_adds_up() -> None:
    ledger = Ledger(terms=(MAPPED, term("kv_cache", 512 * MIB)), engine="test", warnings=("mind",))
    footprint = footprint_of(ledger, SHAPE, Deployment(model="m"), find_device(memory_bytes=3 * GIB))
    assert footprint.high_bytes == sum(part.high_bytes for part in footprint.terms)
    assert footprint.required_bytes == 2 * GIB + 512 * MIB
    assert footprint.headroom_bytes == footprint.capacity_bytes - footprint.required_bytes
    assert footprint.verdict == "fits"
    assert footprint.warnings == ("mind",)


def test_a_board_shows_its_system_and_a_stated_size_does_not() -> None:
    ledger = Ledger(terms=(MAPPED,), engine="test")
    board = footprint_of(ledger, SHAPE, Deployment(model="m"), find_device("orin-nano-8gb"))
    stated = footprint_of(ledger, SHAPE, Deployment(model="m"), find_device("orin-nano-8gb", memory_bytes=GIB))
    assert [part.name for part in board.terms if part.pool == "system"] == ["os"]
    assert [part.name for part in stated.terms if part.pool == "system"] == []
    assert board.high_bytes == stated.high_bytes


def test_a_footprint_survives_json() -> None:
    ledger = Ledger(terms=(MAPPED,), engine="test")
    footprint = footprint_of(ledger, SHAPE, Deployment(model="m"), find_device(memory_bytes=GIB))
    assert msgspec.json.decode(msgspec.json.encode(footprint), type=type(footprint)) == footprint
