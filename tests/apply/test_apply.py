"""From an offer to a receipt and back, on an image and over ssh."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from memfit.apply import Place, apply, choose, propose, status, undo
from memfit.apply.place import ask
from memfit.apply.records import AppliedKnob
from memfit.apply.stepwise import StepTaken, Stepwise
from memfit.device.audit import audit
from memfit.errors import ApplyError, Drift, ProbeError, UsageError
from memfit.host.rootfs import RootfsHost
from memfit.knob import Offer, offers
from memfit.knob.changes import as_request
from memfit.knob.combine import changes_of
from memfit.knob.records import Effect
from memfit.render.views.receipt import sentence
from small_image import everything, make_image
from ssh_server import Server, require_sshd


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    require_sshd()
    started = Server(tmp_path_factory.mktemp("ssh") / "server")
    started.put("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    yield started
    started.stop()


def chosen(root: Path, *names: str) -> tuple[list[Offer], tuple[object, ...]]:
    host = RootfsHost(root)
    found = audit(host)
    picked, _ = choose(offers(host, found, names=names), names, risk=False)
    return picked, changes_of(host, found, picked)


def test_a_receipt_says_what_a_boot_alone_does_not_do(image: Path) -> None:
    """As the proposal does: /etc/kernel/cmdline counts once the boot entries are made again."""
    picked, changes = chosen(image, "cups")
    effect = msgspec.structs.replace(picked[0].effect, when="reboot")
    picked = [msgspec.structs.replace(picked[0], by_hand="it counts once entries are made again", effect=effect)]
    place = Place(root=str(image))
    words = f"cups: {picked[0].by_hand}"
    for receipt in (apply(place, "image", picked, changes), undo(place, "image")):  # type: ignore[arg-type]
        assert words in sentence(receipt)
        assert "next boot" not in sentence(receipt)
    more = (*receipt.knobs, AppliedKnob(name="zram", when="reboot"))
    waiting = msgspec.structs.replace(receipt, state="applied", waits_for_boot=True, knobs=more)
    assert sentence(waiting) == f"the rest comes with the next boot; {words}"


def test_what_step_wrote_is_a_receipt_where_it_left_one(image: Path, tmp_path: Path) -> None:
    place, file = Place(root=str(image)), tmp_path / "steps.json"
    receipts = []
    for name in ("cups", "bluetooth"):
        picked, changes = chosen(image, name)
        receipts.append(apply(place, "image", picked, changes))  # type: ignore[arg-type]
    steps = [StepTaken(knob=one.knobs[0].name, kept=True, receipt=one) for one in receipts]

    def write(*steps: StepTaken) -> str:
        file.write_bytes(msgspec.json.encode(Stepwise(host="image", check="", baseline=None, steps=steps)))
        return str(file)

    with pytest.raises(UsageError, match=f"2 receipts.*{receipts[0].id} .cups., {receipts[1].id}") as caught:
        undo(place, "image", write(*steps))
    assert caught.value.hint == f"the last one first: memfit undo {receipts[1].id}"
    nothing = StepTaken(knob="avahi", kept=True, why="nothing to do any more")
    assert undo(place, "image", write(nothing, steps[1])).id == receipts[1].id
    back = msgspec.structs.replace(receipts[1], state="undone")
    broken = msgspec.structs.replace(steps[1], kept=False, receipt=back)
    assert undo(place, "image", write(steps[0], broken)).id == receipts[0].id
    with pytest.raises(UsageError, match="none of its steps is applied"):
        undo(place, "image", write(broken, nothing))


def test_an_image_is_prepared_and_taken_back(image: Path) -> None:
    before, place = everything(image), Place(root=str(image))
    picked, changes = chosen(image, "cups", "bluetooth")
    receipt = apply(place, "image", picked, changes)  # type: ignore[arg-type]
    system = image / "etc/systemd/system"
    assert (system / "cups.socket").readlink() == (system / "bluetooth.service").readlink() == Path("/dev/null")
    assert receipt.state == "applied"
    assert {knob.name for knob in receipt.knobs} == {"cups", "bluetooth"}
    assert {change.target.rpartition("/")[2] for change in receipt.changes} == {
        "cups.socket",
        "cups.service",
        "bluetooth.service",
    }
    assert receipt.measured_bytes is None  # nothing runs there
    assert status(place, "image").receipts[-1].id == receipt.id
    assert undo(place, "image").state == "undone"
    assert everything(image) == before


def test_what_is_so_already_makes_no_receipt(image: Path) -> None:
    place = Place(root=str(image))
    picked, changes = chosen(image, "cups")
    apply(place, "image", picked, changes)  # type: ignore[arg-type]
    again = apply(place, "image", picked, changes)  # type: ignore[arg-type]
    assert (again.id, again.state) == ("", "nothing to do")
    picked, changes = chosen(image, "cups")
    assert (picked, changes) == ([], ())


def test_undo_by_id_or_by_the_file_of_a_receipt(image: Path, tmp_path: Path) -> None:
    place = Place(root=str(image))
    first = apply(place, "image", *chosen(image, "cups"))  # type: ignore[arg-type]
    second = apply(place, "image", *chosen(image, "bluetooth"))  # type: ignore[arg-type]
    assert undo(place, "image", first.id).id == first.id
    file = tmp_path / "receipt.json"
    file.write_bytes(msgspec.json.encode(second))
    assert undo(place, "image", str(file)).id == second.id
    with pytest.raises(ApplyError, match="undone already"):
        undo(place, "image", first.id)
    with pytest.raises(ApplyError, match="nothing is applied"):
        undo(place, "image")
    with pytest.raises(ApplyError, match="no receipt 0099-beef"):
        undo(place, "image", "0099-beef")
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(first, machine="f" * 16)))
    with pytest.raises(ApplyError, match="this receipt is of another machine"):
        undo(place, "image", str(file))
    file.write_text("{}")
    with pytest.raises(UsageError, match="no receipt"):
        undo(place, "image", str(file))
    with pytest.raises(UsageError, match="No such file"):
        undo(place, "image", str(tmp_path / "missing.json"))


def test_what_is_no_file_of_a_receipt_is_never_read_to_its_end(image: Path, tmp_path: Path) -> None:
    place = Place(root=str(image))
    os.mkfifo(tmp_path / "pipe.json")
    deep = tmp_path / "deep.json"
    deep.write_text('{"x":' + "[" * 100_000 + "]" * 100_000 + ',"id":"a","state":"b","host":"c"}')
    nothing = tmp_path / "nothing.json"
    nothing.write_text('{"id":"","state":"nothing to do","host":"c"}')
    for name, why in (
        (str(tmp_path / "pipe.json"), "not a regular file"),
        ("/dev/zero", "not a regular file"),
        (str(tmp_path), "not a regular file"),
        (str(deep), "no receipt"),
        (str(nothing), "has no id"),
    ):
        with pytest.raises(UsageError, match=why):
            undo(place, "image", name)


def test_somebody_elses_edit_is_shown_and_kept(image: Path) -> None:
    place = Place(root=str(image))
    apply(place, "image", *chosen(image, "cups", "bluetooth"))  # type: ignore[arg-type]
    edited = image / "etc/systemd/system/cups.service"
    edited.unlink()
    edited.write_text("[Service]\n")
    there = everything(image)
    with pytest.raises(Drift, match=r"cups\.service: somebody changed it") as drift:
        undo(place, "image")
    assert "+[Service]" in drift.value.diff or "a file of mode" in drift.value.diff
    assert everything(image) == there  # not half of it
    told = status(place, "image").receipts[-1]
    assert any("cups.service" in words for words in told.drift)


def test_a_proposal_shows_every_file_and_command(image: Path) -> None:
    host = RootfsHost(image)
    picked, changes = chosen(image, "cups")
    link = "ln -sfn /dev/null /etc/systemd/system/cups.socket"
    of_image = [change.text for change in propose(host, picked, changes).changes]  # type: ignore[arg-type]
    assert link in of_image
    assert not any("systemctl" in text for text in of_image)  # nothing runs there that could be stopped
    host.live = True
    proposal = propose(host, picked, changes)  # type: ignore[arg-type]
    shown = [change.text for change in proposal.changes]
    assert shown.index(link) < shown.index("systemctl daemon-reload") < shown.index("systemctl stop cups.service")
    assert [knob.name for knob in proposal.knobs] == ["cups"]


def test_what_is_needed_or_risky_is_not_chosen() -> None:
    risky = Offer(name="cma", summary="", layer="kernel", effect=Effect(applies=True, risk="high", cost="the GPU dies"))
    spared = Offer(name="cups", summary="", layer="user", effect=Effect(applies=True), spared=("printing",))
    plain = Offer(name="avahi", summary="", layer="user", effect=Effect(applies=True))
    kept, left = choose([risky, spared, plain], None, risk=False)
    assert [offer.name for offer in kept] == ["avahi"]
    assert [offer.name for offer in left] == ["cma", "cups"]
    assert choose([risky], ["cma"], risk=True)[0] == [risky]
    with pytest.raises(UsageError, match="the GPU dies"):
        choose([risky], ["cma"], risk=False)
    with pytest.raises(UsageError, match="printing"):
        choose([spared], ["cups"], risk=False)


def test_what_another_memfit_noted_of_its_knobs_is_no_reason_to_hide_its_receipts(image: Path) -> None:
    place = Place(root=str(image))
    for about in ({"knobs": 5}, {"knobs": [{"name": "cups", "when": "at noon"}]}):
        _, changes = chosen(image, "cups")
        ask(place, {"action": "apply", "changes": as_request(changes), "about": about})  # type: ignore[arg-type]
        (told,) = (one for one in status(place, "image").receipts if one.state == "applied")
        assert told.knobs == ()
        assert told.changes
        assert undo(place, "image").state == "undone"


def test_over_ssh_it_is_confirmed_by_a_second_connection(server: Server, image: Path) -> None:
    before = everything(image)
    place = Place(host="board", root=str(image), client=server.client)
    receipt = apply(place, "board", *chosen(image, "cups"))  # type: ignore[arg-type]
    assert (image / "etc/systemd/system/cups.service").is_symlink()
    journal = image / f"var/lib/memfit/journal/{receipt.id}.applied"
    assert (journal / "confirmed.json").exists()
    assert undo(place, "board").state == "undone"
    assert everything(image) == before


def test_what_nobody_confirms_is_taken_back_there(server: Server, image: Path) -> None:
    before = everything(image)
    place = Place(host="board", root=str(image), client=server.client)
    _, changes = chosen(image, "cups")
    request = {"action": "apply", "changes": msgspec.to_builtins(changes), "confirm_s": 0.0}
    told = ask(place, request)["receipt"]
    assert told["state"] == "applied"
    for _ in range(200):
        if everything(image) == before:
            break
        time.sleep(0.05)
    assert everything(image) == before
    with pytest.raises(ApplyError, match="nobody confirmed it in time"):
        ask(place, {"action": "confirm", "id": told["id"]})


def test_failures_over_ssh_are_those_of_the_machine(server: Server, image: Path) -> None:
    place = Place(host="board", root=str(image), client=server.client)
    denied = {"action": "apply", "changes": [{"kind": "unit", "unit": "ssh.service", "active": False}]}
    with pytest.raises(ApplyError, match=r"ssh\.service is never touched"):
        ask(place, denied)
    with pytest.raises(ProbeError, match="nowhere"):
        ask(Place(host="nowhere.invalid", client=server.client), {"action": "status"})
    server.put("python3", "#!/bin/sh\nexit 127\n")
    try:
        with pytest.raises(ProbeError, match="no python3"):
            ask(place, {"action": "status"})
    finally:
        server.put("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
