from __future__ import annotations

import msgspec

from memfit.device.audit_records import PowerMode
from memfit.knob import offers
from memfit.knob.changes import RunChange
from memfit.knob.knobs.power_mode import highest
from whole_machine import machine, whole_machine


def modes(*names: str) -> tuple[PowerMode, ...]:
    return tuple(PowerMode(id=number, name=name) for number, name in enumerate(names))


def test_a_mode_is_found_by_its_name_wherever_it_stands() -> None:
    assert highest(modes("15W", "25W", "MAXN_SUPER", "7W")) == PowerMode(id=2, name="MAXN_SUPER")
    assert highest(modes("MAXN", "MODE_15W", "MODE_30W", "MODE_50W")) == PowerMode(id=0, name="MAXN")
    assert highest(modes("15W", "7W")) == PowerMode(id=0, name="15W")
    assert highest(modes("MODE_15W_6CORE", "MODE_20W")) == PowerMode(id=1, name="MODE_20W")
    assert highest(modes("QUIET", "LOUD")) is None


def test_on_every_recorded_board_the_highest_by_name() -> None:
    expected = {
        "orin-nano-8gb-desktop": "2", "orin-nano-8gb-headless": None, "orin-nx-16gb": "0", "agx-orin-64gb": "0",
        "thor-t5000": "0",
    }  # fmt: skip
    for name, id in expected.items():
        (offer,) = offers(*machine(name=name), names=["power_mode"])
        if id is None:
            assert offer.effect.reason == "it is MAXN_SUPER"
            continue
        (run,) = offer.changes
        assert isinstance(run, RunChange)
        assert run.do == ("nvpmodel", "-m", id)
        assert run.lasting
        assert not offer.saves


def test_the_way_back_is_the_mode_that_was() -> None:
    host, known = whole_machine()
    (offer,) = offers(host, known, names=["nvpmodel"])
    (run,) = offer.changes
    assert isinstance(run, RunChange)
    assert run.undo == ("nvpmodel", "-m", "1")
    unknown = msgspec.structs.replace(known, power=msgspec.structs.replace(known.power, mode=None))
    assert "no way back" in offers(host, unknown, names=["power_mode"])[0].effect.reason


def test_what_changes_the_cores_is_left_to_a_terminal() -> None:
    host, _ = machine()
    text = host.read_bytes("/etc/nvpmodel.conf").decode()
    fewer = text.replace("NAME=25W >\nCPU_ONLINE CORE_0 1", "NAME=25W >\nCPU_ONLINE CORE_0 0")
    assert fewer != text
    (offer,) = offers(*machine({"/etc/nvpmodel.conf": fewer}), names=["power_mode"])
    assert "sudo nvpmodel -m 2" in offer.effect.reason
    gated = text.replace("NAME=25W >", "NAME=25W >\nTPC_POWER_GATING TPC_PG_MASK 252")
    (offer,) = offers(*machine({"/etc/nvpmodel.conf": gated}), names=["power_mode"])
    assert not offer.effect.applies


def test_clocks_are_kept_before_they_are_held() -> None:
    (offer,) = offers(*whole_machine(), names=["clocks"])
    keep, hold = offer.changes
    assert isinstance(keep, RunChange)
    assert isinstance(hold, RunChange)
    assert keep.do[:2] == ("jetson_clocks", "--store")
    assert keep.undo == ()
    assert hold.do == ("jetson_clocks",)
    assert hold.undo == ("jetson_clocks", "--restore", keep.do[2])
    assert keep.do[2].startswith("/run/memfit-clocks-20")
    assert not offer.saves
    assert not hold.lasting


def test_clocks_that_are_held_or_without_the_program_are_left() -> None:
    program = {"/usr/bin/jetson_clocks": "#!/bin/bash\n"}
    (held,) = offers(*machine(program, name="orin-nano-8gb-headless"), names=["clocks"])
    assert held.effect.reason == "every clock is held already"
    (none,) = offers(*machine(), names=["clocks"])
    assert none.effect.reason == "not on this machine"
