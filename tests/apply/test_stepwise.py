"""Knobs one at a time, held against a check."""

from __future__ import annotations

from pathlib import Path

import pytest

from memfit.apply import Place, stepwise
from memfit.device.audit import audit
from memfit.host.rootfs import RootfsHost
from memfit.knob import Change, Offer, offers
from memfit.knob.combine import changes_of
from small_image import everything, make_image


def found(root: Path, *names: str) -> list[Offer]:
    host = RootfsHost(root)
    by_name = {offer.name: offer for offer in offers(host, audit(host), names=names)}
    return [by_name[name] for name in names]


def changes_now(root: Path, offer: Offer) -> tuple[Change, ...]:
    host = RootfsHost(root)
    now = audit(host)
    return changes_of(host, now, [one for one in offers(host, now, names=[offer.name]) if one.applies])


def test_what_breaks_the_check_is_taken_back_and_the_rest_stays(tmp_path: Path) -> None:
    root = make_image(tmp_path)
    masked = root / "etc/systemd/system/bluetooth.service"
    said: list[str] = []
    result = stepwise(
        Place(root=str(root)),
        "image",
        found(root, "cups", "bluetooth", "avahi"),
        lambda offer: changes_now(root, offer),
        f"echo bluetooth; test ! -L {masked}",
        said=said.append,
    )
    assert [(step.knob, step.kept) for step in result.steps] == [("cups", True), ("bluetooth", False), ("avahi", True)]
    broken = result.steps[1]
    assert broken.checked is not None
    assert (broken.checked.code, broken.checked.said) == (1, "bluetooth\n")
    assert broken.receipt is not None
    assert broken.receipt.state == "undone"
    assert not masked.is_symlink()
    assert (root / "etc/systemd/system/avahi-daemon.service").is_symlink()
    assert any("taken back" in line for line in said)


def test_a_knob_whose_check_is_interrupted_is_taken_back(tmp_path: Path) -> None:
    root = make_image(tmp_path)
    before = everything(root)
    masked = root / "etc/systemd/system/cups.service"
    interrupting = f"test ! -L {masked} || {{ kill -INT $PPID; sleep 5; }}"
    with pytest.raises(KeyboardInterrupt):
        stepwise(
            Place(root=str(root)),
            "image",
            found(root, "cups"),
            lambda offer: changes_now(root, offer),
            interrupting,
        )
    assert not masked.is_symlink()
    assert everything(root).keys() >= before.keys()


def test_a_check_that_fails_already_begins_nothing(tmp_path: Path) -> None:
    root = make_image(tmp_path)
    before = everything(root)
    result = stepwise(
        Place(root=str(root)), "image", found(root, "cups"), lambda offer: changes_now(root, offer), "exit 3"
    )
    assert result.baseline is not None
    assert result.baseline.code == 3
    assert result.steps == ()
    assert everything(root) == before
