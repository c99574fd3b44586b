"""The kernel's command line: which loader has it, what is refused, and the one change of all words."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.agent import boot
from memfit.device.audit_records import Audit
from memfit.errors import ApplyError
from memfit.host.snapshot import SnapshotHost
from memfit.knob import _command_line as command_line
from memfit.knob import _extlinux as extlinux
from memfit.knob import offers
from memfit.knob._command_line import boot_loader, command_line_changes, drop_in, why_not
from memfit.knob._command_words import changed, proven, split
from memfit.knob.changes import Change, FileChange, LinkChange, RunChange, as_request
from whole_machine import machine

APPEND = "${cbootargs} root=PARTUUID=1234 rw rootwait"
STOCK = f"""TIMEOUT 30
DEFAULT primary

MENU TITLE L4T boot options

LABEL primary
      MENU LABEL primary kernel
      LINUX /boot/Image
      INITRD /boot/initrd
      APPEND {APPEND}
"""
Files = Mapping[str, str | bytes]
GRUB: Files = {
    "/etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n',
    "/boot/grub/grub.cfg": "menuentry\n",
    "/usr/sbin/update-grub": "#!/bin/sh\n",
}
WORDS = {"swiotlb": "2048"}


def jetson(files: Files | None = None, **boot_fields: Any) -> tuple[SnapshotHost, Audit]:
    """The recorded Orin Nano, which boots by ``extlinux.conf``."""
    return _with({extlinux.PATH: STOCK, **(files or {})}, boot_fields)


def pc(files: Files, **boot_fields: Any) -> tuple[SnapshotHost, Audit]:
    """Another machine than a Jetson."""
    host, known = _with(files, {"command_line": "BOOT_IMAGE=/vmlinuz ro quiet", **boot_fields})
    return host, msgspec.structs.replace(known, compatible=(), l4t=None)


def _with(files: Files, boot_fields: dict[str, Any]) -> tuple[SnapshotHost, Audit]:
    host, known = machine(files)
    changed_boot = msgspec.structs.replace(known.boot, **{"secure_boot": False, **boot_fields})
    return host, msgspec.structs.replace(known, boot=changed_boot)


def file_at(changes: tuple[Change, ...], path: str) -> FileChange:
    (found,) = (one for one in changes if isinstance(one, FileChange) and one.path == path)
    return found


def test_words_of_a_command_line() -> None:
    assert split('a=1 b="c d" e="f" --  g') == ("a=1", 'b="c d"', 'e="f"', "--", "g")
    assert changed("quiet swiotlb=1 a", {"swiotlb": "2048"}) == "quiet a swiotlb=2048"
    assert changed("crashkernel=1G,high ro crashkernel=64M,low", {"crashkernel": None}) == "ro"
    assert changed("ro -- single", {"cma": "64M", "quiet": ""}) == "ro cma=64M quiet -- single"
    assert changed("my-word=1 my_word=2", {"my_word": "3"}) == "my_word=3"
    assert changed("", {}) == ""


@given(st.lists(st.sampled_from(["a=1", "b", 'c="d e"', "swiotlb=5", "cma=1M", "--", "x-y=1"]), max_size=8))
def test_other_words_stay_in_order(words: list[str]) -> None:
    new = split(changed(" ".join(words), {"swiotlb": "2048", "cma": None}))
    kept = [word for word in words if not word.startswith(("swiotlb", "cma"))]
    assert [word for word in new if word != "swiotlb=2048"] == kept
    assert new.count("swiotlb=2048") == 1
    assert "--" not in new or new.index("swiotlb=2048") < new.index("--")
    assert changed(" ".join(new), {"swiotlb": "2048", "cma": None}) == " ".join(new)


def test_the_proof_is_of_all_other_words() -> None:
    once = proven("ro quiet")
    assert once == f"ro quiet {boot.PROOF}={hashlib.sha256(b'ro quiet').hexdigest()[:8]}"
    assert proven(once) == once
    assert proven("ro") != once


def test_a_jetson_gets_a_label_a_trial_and_what_confirms_it() -> None:
    host, known = jetson()
    changes = command_line_changes(host, known, {"swiotlb": "2048", "cma": "64M"})
    change = file_at(changes, extlinux.PATH)
    append = f"{APPEND} cma=64M swiotlb=2048"
    file = extlinux.check(change.content)
    label = extlinux.default_label(file)
    assert label.name == "memfit-primary"
    assert label.value("APPEND") == proven(append)
    assert label.value("MENU LABEL") == "memfit: cma=64M, swiotlb=2048"
    assert change.expects == hashlib.sha256(STOCK.encode()).hexdigest()
    assert change.mode is None
    trial = change.trial
    assert trial is not None
    assert trial.fallback.startswith(STOCK.encode())
    assert extlinux.default_label(extlinux.parse(trial.fallback)).name == trial.original == "primary"
    assert extlinux.with_default(trial.fallback, "memfit-primary") == change.content
    assert trial.expects == {"swiotlb": "2048", "cma": "64M", boot.PROOF: proven(append)[-8:]}
    assert changes[-1] is change  # the agent is there before it is needed
    paths = {one.path: one for one in changes if isinstance(one, (FileChange, LinkChange))}
    agent = paths[boot.AGENT]
    assert isinstance(agent, FileChange)
    assert agent.mode == 0o600
    for unit, (text, target) in boot.UNITS.items():
        written = paths[f"/etc/systemd/system/{unit}"]
        assert isinstance(written, FileChange)
        assert written.content.decode() == text
        link = paths[f"/etc/systemd/system/{target}.wants/{unit}"]
        assert isinstance(link, LinkChange)
        assert link.target == f"../{unit}"


def test_a_request_has_the_trial_as_the_agent_takes_it() -> None:
    host, known = jetson()
    told = as_request(command_line_changes(host, known, WORDS))[-1]
    assert told["kind"] == "file"
    assert base64.b64decode(told["trial"]["fallback"]).startswith(STOCK.encode())
    assert told["trial"]["expects"]["swiotlb"] == "2048"


def test_later_words_go_to_the_label_that_is_there() -> None:
    host, known = jetson()
    first = file_at(command_line_changes(host, known, WORDS), extlinux.PATH).content
    host, known = jetson({extlinux.PATH: first})
    assert command_line_changes(host, known, WORDS) == ()
    second = file_at(command_line_changes(host, known, {"cma": "64M"}), extlinux.PATH)
    file = extlinux.check(second.content)
    assert [label.name for label in file.labels] == ["primary", "memfit-primary"]
    assert extlinux.default_label(file).value("APPEND") == proven(f"{APPEND} swiotlb=2048 cma=64M")
    assert second.trial is not None
    assert second.trial.original == "primary"


def test_what_failed_before_is_not_built_upon() -> None:
    host, known = jetson()
    trial = file_at(command_line_changes(host, known, WORDS), extlinux.PATH).trial
    assert trial is not None
    host, known = jetson({extlinux.PATH: trial.fallback})
    second = file_at(command_line_changes(host, known, {"cma": "64M"}), extlinux.PATH)
    assert extlinux.default_label(extlinux.check(second.content)).value("APPEND") == proven(f"{APPEND} cma=64M")


def test_nothing_is_asked_for_or_all_is_so() -> None:
    host, known = jetson()
    assert command_line_changes(host, known, {}) == ()
    assert command_line_changes(host, known, {"crashkernel": None}) == ()
    host, known = jetson({extlinux.PATH: STOCK.replace("rw rootwait", "rw swiotlb=2048 rootwait")})
    assert command_line_changes(host, known, WORDS) == ()


@pytest.mark.parametrize(
    ("files", "fields", "reason"),
    [
        ({}, {"secure_boot": True}, "Secure Boot is on"),
        ({f"{extlinux.PATH}.sig": "x"}, {"secure_boot": None}, "extlinux.conf.sig is there"),
        ({"/boot/Image.sig": "x"}, {"secure_boot": None}, "/boot/Image.sig is there"),
        ({"/boot/initrd.sig": "x"}, {"secure_boot": None}, "/boot/initrd.sig is there"),
        ({extlinux.PATH: ""}, {}, "it is empty"),
        ({extlinux.PATH: STOCK.replace("DEFAULT primary", "DEFAULT gone")}, {}, "DEFAULT names 'gone'"),
        ({extlinux.PATH: STOCK.replace("rw rootwait", "rw # rootwait")}, {}, "cuts APPEND"),
        ({}, {"command_line": "root=/dev/a swiotlb=64"}, "swiotlb=64 comes from firmware"),
        ({}, {"command_line": "a" * 2040}, "longer than 2047 characters"),
    ],
)
def test_a_jetson_is_refused(files: Files, fields: dict[str, Any], reason: str) -> None:
    host, known = jetson(files, **fields)
    assert reason in why_not(host, known, WORDS)
    with pytest.raises(ApplyError, match="command line stays as it is") as caught:
        command_line_changes(host, known, WORDS)
    assert reason in caught.value.message


def test_a_signature_is_no_matter_where_secure_boot_is_off() -> None:
    host, known = jetson({"/boot/Image.sig": "x"}, secure_boot=False)
    assert why_not(host, known, WORDS) == ""


def test_a_word_of_a_label_is_not_firmwares() -> None:
    append = STOCK.replace("rw rootwait", "rw swiotlb=65536 rootwait")
    host, known = jetson({extlinux.PATH: append}, command_line="root=/dev/a swiotlb=65536")
    assert why_not(host, known, WORDS) == ""


def test_a_machine_without_any_loader_that_is_known() -> None:
    host, known = pc({})
    assert boot_loader(host, known).kind == "none"
    assert "neither" in why_not(host, known, WORDS)


def test_grub_tells_that_it_booted() -> None:
    both = {**GRUB, extlinux.PATH: STOCK}
    assert boot_loader(*pc(both)).kind == "grub"
    assert boot_loader(*pc(both, command_line="ro")).kind == "extlinux"
    assert boot_loader(*pc(both, command_line="ro")).reader == "u-boot"
    assert boot_loader(*jetson(GRUB, command_line="BOOT_IMAGE=/x")).kind == "extlinux"
    assert boot_loader(*jetson()).reader == "l4t"


def test_grub_gets_one_file_and_is_made_anew() -> None:
    host, known = pc(GRUB)
    *units, write, run = command_line_changes(host, known, {"swiotlb": "2048", "crashkernel": None})
    assert tuple(units) == command_line.trial_changes()
    assert isinstance(write, FileChange)
    assert write.path == "/etc/default/grub.d/60-memfit.cfg"
    assert write.trial is None
    assert isinstance(run, RunChange)
    assert run.do == run.undo == ("update-grub",)
    assert run.lasting
    assert run.touches[0] == "/boot/grub/grub.cfg"
    assert run.trial is not None
    assert (run.trial.path, run.trial.sources) == (run.touches[0], (write.path,))
    proof = run.trial.expects[boot.PROOF]
    assert f"{boot.PROOF}={proof}" in write.content.decode()
    assert run.trial.expects == {"swiotlb": "2048", "crashkernel": None, boot.PROOF: proof}


@pytest.mark.parametrize(
    ("before", "default", "words", "linux", "linux_default"),
    [
        ("", "quiet splash", WORDS, "", "quiet splash swiotlb=2048"),
        ("crashkernel=1G ro", "quiet crashkernel=2G crashkernel=3G", {"crashkernel": None}, "ro", "quiet"),
        ("swiotlb=1", "swiotlb=2", {"swiotlb": "3", "cma": "64M"}, "", "cma=64M swiotlb=3"),
        (
            "myswiotlb=1",
            "quiet memfit.boot=00000000 memfitxboot=1",
            WORDS,
            "myswiotlb=1",
            "quiet memfitxboot=1 swiotlb=2048",
        ),
    ],
)
def test_what_grub_reads_of_it(
    before: str, default: str, words: dict[str, str | None], linux: str, linux_default: str, tmp_path: Path
) -> None:
    (tmp_path / "grub.cfg").write_bytes(drop_in(words))
    script = (
        f'set -eu; GRUB_CMDLINE_LINUX="{before}"; GRUB_CMDLINE_LINUX_DEFAULT="{default}"; . ./grub.cfg; '
        'printf "%s\\n%s\\n" "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT"'
    )
    said = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    first, second = (" ".join(line.split()) for line in said.split("\n")[:2])
    assert first == linux
    found = [word for word in second.split() if not word.startswith(f"{boot.PROOF}=")]
    assert " ".join(found) == linux_default
    assert len(found) == len(second.split()) - 1


def test_words_of_an_earlier_file_for_grub_stay() -> None:
    host, known = pc({**GRUB, command_line.DROP_IN: drop_in({"swiotlb": "2048"})})
    assert command_line_changes(host, known, WORDS) == ()
    *_, write, run = command_line_changes(host, known, {"crashkernel": None})
    assert isinstance(run, RunChange)
    assert run.trial is not None
    assert {"swiotlb": "2048", "crashkernel": None}.items() <= run.trial.expects.items()
    assert isinstance(write, FileChange)
    assert write.content == drop_in({"swiotlb": "2048", "crashkernel": None})
    assert write.expects == hashlib.sha256(drop_in({"swiotlb": "2048"})).hexdigest()


def test_grub_is_refused() -> None:
    kdump = "/etc/default/grub.d/kdump-tools.cfg"
    later = {kdump: 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=512M"\n'}
    host, known = pc({**GRUB, **later})
    assert kdump in why_not(host, known, {"crashkernel": None})
    assert why_not(host, known, WORDS) == ""
    without = {path: text for path, text in GRUB.items() if path != command_line.UPDATE_GRUB}
    assert command_line.UPDATE_GRUB in why_not(*pc(without), WORDS)
    earlier = {"/etc/default/grub.d/50-cloud.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="crashkernel=512M"\n'}
    assert why_not(*pc({**GRUB, **earlier}), {"crashkernel": None}) == ""


def test_kernel_install_is_told_to_make_entries_anew() -> None:
    host, known = pc({command_line.KERNEL_INSTALL: "root=/dev/a ro\n"}, command_line="root=/dev/a ro")
    (change,) = command_line_changes(host, known, WORDS)
    assert isinstance(change, FileChange)
    assert change.content.decode() == proven("root=/dev/a ro swiotlb=2048") + "\n"
    assert "kernel-install add VERSION IMAGE" in change.why
    assert command_line_changes(host, known, {"crashkernel": None}) == ()
    signed = pc({command_line.KERNEL_INSTALL: "ro\n"}, secure_boot=True)
    assert "unified kernel image" in why_not(*signed, WORDS)
    long = pc({command_line.KERNEL_INSTALL: "a" * 2040})
    assert "longer than 2047 characters" in why_not(*long, WORDS)
    assert "longer than 2047 characters" in why_not(*pc(GRUB, command_line="a" * 2040), WORDS)


def test_that_no_boot_falls_back_is_said_with_the_cost() -> None:
    host, known = pc({command_line.KERNEL_INSTALL: "ro crashkernel=64M\n"}, command_line="ro crashkernel=64M")
    term = msgspec.structs.replace(known.terms[0], name="crashkernel", bytes=64 << 20)
    known = msgspec.structs.replace(known, terms=(*known.terms, term))
    (offer,) = offers(host, known, names=["crash_kernel"])
    assert offer.applies
    assert offer.words
    assert "no boot falls back by itself" in offer.effect.cost
    assert offer.by_hand in offer.effect.cost
    assert "sudo kernel-install add VERSION IMAGE" in offer.by_hand
    host = jetson({extlinux.PATH: STOCK.replace("rw rootwait", "rw crashkernel=64M rootwait")})[0]
    boot = msgspec.structs.replace(known.boot, command_line="rw crashkernel=64M", secure_boot=False)
    (offer,) = offers(host, msgspec.structs.replace(known, boot=boot), names=["crash_kernel"])
    assert offer.words
    assert "falls back" not in offer.effect.cost
    assert offer.by_hand == ""
    overlays = STOCK.replace("rw rootwait", "rw crashkernel=64M rootwait") + "      OVERLAYS /boot/a.dtbo\n"
    host = jetson({extlinux.PATH: overlays})[0]
    (offer,) = offers(host, msgspec.structs.replace(known, boot=boot), names=["crash_kernel"])
    assert "OVERLAYS count only with FDT" in offer.effect.cost


def test_all_it_reads_is_declared() -> None:
    """What is not among the paths is not there over SSH."""
    for files in ({extlinux.PATH: STOCK, "/boot/Image.sig": "x"}, GRUB, {command_line.KERNEL_INSTALL: "ro"}):
        host, known = pc(files) if extlinux.PATH not in files else jetson(files, secure_boot=None)
        read = _Listening(host)
        why_not(read, known, WORDS)  # type: ignore[arg-type]
        assert read.paths
        for path in read.paths:
            assert any(_matches(path, pattern) for pattern in command_line.PATHS), path


class _Listening:
    def __init__(self, host: SnapshotHost) -> None:
        self._host = host
        self.live = host.live
        self.paths: set[str] = set()

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        self.paths.add(path)
        return self._host.read_bytes(path, most=most)

    def list_dir(self, path: str) -> tuple[str, ...]:
        self.paths.add(path)
        return self._host.list_dir(path)


def _matches(path: str, pattern: str) -> bool:
    return Path(path).match(pattern) and path.count("/") == pattern.count("/")


def test_what_the_loader_passes_over_is_told_with_the_change() -> None:
    host, known = jetson({extlinux.PATH: STOCK + "      OVERLAYS /boot/camera.dtbo\n"})
    (change,) = (one for one in command_line_changes(host, known, WORDS) if isinstance(one, FileChange) and one.trial)
    assert change.why.startswith("swiotlb=2048; ")
    assert change.why.endswith("primary: OVERLAYS count only with FDT")
