from __future__ import annotations

import msgspec

from memfit.knob import offers
from memfit.knob.changes import LinkChange, UnitChange
from whole_machine import machine

USER, SYSTEM = "/usr/lib/systemd/user", "/lib/systemd/system"
UNIT = b"[Unit]\n"
PULSE = {f"{USER}/pulseaudio.service": UNIT, f"{USER}/pulseaudio.socket": UNIT, f"{SYSTEM}/rtkit-daemon.service": UNIT}


def test_units_of_users_are_masked_for_all_of_them() -> None:
    host, known = machine(PULSE)
    (offer,) = offers(host, known, names=["audio"])
    links = {change.path: change.target for change in offer.changes if isinstance(change, LinkChange)}
    assert links == {
        "/etc/systemd/user/pulseaudio.socket": "/dev/null",
        "/etc/systemd/user/pulseaudio.service": "/dev/null",
        "/etc/systemd/system/rtkit-daemon.service": "/dev/null",
    }
    assert [change.unit for change in offer.changes if isinstance(change, UnitChange)] == ["rtkit-daemon.service"]


def test_a_server_in_a_session_ends_with_the_next_boot() -> None:
    host, known = machine(PULSE)
    (offer,) = offers(host, known, names=["audio"])
    (row,) = (row for row in known.processes if row.role == "audio")
    assert offer.effect.when == "reboot"
    assert offer.effect.gain.low_bytes == row.anonymous_bytes > 0
    of_system = msgspec.structs.replace(row, kind="service", unit="pulseaudio.service")
    others = tuple(one for one in known.processes if one is not row)
    changed = msgspec.structs.replace(known, processes=(*others, of_system))
    assert offers(host, changed, names=["audio"])[0].effect.when == "live"


def test_masked_and_somebodys_own_units_are_left() -> None:
    masked = {f"/etc/systemd/user/pulseaudio.{kind}": "/dev/null" for kind in ("service", "socket")}
    host, known = machine(PULSE, links={**masked, "/etc/systemd/system/rtkit-daemon.service": "/dev/null"})
    (offer,) = offers(host, known, names=["audio"])
    assert offer.effect.reason == "masked already"
    host, known = machine({**PULSE, "/etc/systemd/user/pulseaudio.service": UNIT})
    (offer,) = offers(host, known, names=["audio"])
    assert "/etc/systemd/user/pulseaudio.service" not in {getattr(change, "path", "") for change in offer.changes}


def test_sound_that_is_needed_is_spared() -> None:
    host, known = machine(PULSE)
    (offer,) = offers(host, known, names=["audio"], needs=["audio"])
    assert not offer.applies
    assert offer.spared == ("audio",)
