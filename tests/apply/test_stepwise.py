"""Knobs one at a time, held against a check."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from memfit.apply import Place, stepwise
from memfit.apply.check import run_check
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


def test_a_polite_kill_and_a_closed_terminal_take_it_back_too(tmp_path: Path) -> None:
    masked_by, handlers = [], [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)]
    for number, (name, unit) in {
        "TERM": ("cups", "cups.service"),
        "HUP": ("bluetooth", "bluetooth.service"),
    }.items():
        folder = tmp_path / number
        folder.mkdir()
        root = make_image(folder)
        masked = root / "etc/systemd/system" / unit
        said: list[str] = []
        with pytest.raises(KeyboardInterrupt):
            stepwise(
                Place(root=str(root)),
                "image",
                found(root, name),
                lambda offer, root=root: changes_now(root, offer),  # type: ignore[misc]
                f"test ! -L {masked} || {{ kill -{number} $PPID; sleep 5; }}",
                said=said.append,
            )
        masked_by.append(masked.is_symlink())
        assert said[-1] == f"{name}: the check was interrupted, and it was taken back"
    assert masked_by == [False, False]
    assert handlers == [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)]


def test_nothing_of_a_check_that_comes_to_no_end_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memfit.apply.check._LONGEST_CHECK_S", 1.0)
    note = tmp_path / "pid"
    checked = run_check(f"sh -c 'echo $$ > {note}; sleep 60; echo'; true")
    assert (checked.code, checked.said) == (None, "no end within an hour")
    stat = Path(f"/proc/{note.read_text().strip()}/stat")
    end = time.monotonic() + 5
    while stat.exists() and ") Z " not in stat.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert not stat.exists() or ") Z " in stat.read_text()


def test_what_a_check_leaves_behind_does_not_keep_it_from_its_end() -> None:
    began = time.monotonic()
    checked = run_check(
        "(sleep 20) & (yes & sleep 3; kill $!) & head -c 100000 /dev/zero | tr '\\0' x; echo end; exit 7"
    )
    assert checked.code == 7
    assert len(checked.said) <= 2000
    assert time.monotonic() - began < 10
    assert run_check("exec >&- 2>&-; sleep 0.3; exit 4").code == 4
