"""The kernel's command line: which boot loader has it, which words stand there, and the change for other words.

All knobs that want words share one change: one label of ``extlinux.conf``, one file of GRUB's. What the words are is
``_command_words.py``'s.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from memfit.agent import boot, bundle
from memfit.device.audit_records import Audit
from memfit.errors import ApplyError, ProbeError
from memfit.host import Host
from memfit.knob import _extlinux as extlinux
from memfit.knob._command_words import PROOF, changed, current, key_of, proof_of, proven, said, split, too_long
from memfit.knob._units import SYSTEM, is_file
from memfit.knob.changes import Change, FileChange, LinkChange, MadeTrial, RunChange, Trial
from memfit.knob.records import Words

GRUB, DROP_IN = "/etc/default/grub", "/etc/default/grub.d/60-memfit.cfg"
GRUB_CONFIG, UPDATE_GRUB = "/boot/grub/grub.cfg", "/usr/sbin/update-grub"
KERNEL_INSTALL = "/etc/kernel/cmdline"
# of folders only the names: grub.cfg may hold the hash of a password
PATHS = (
    *(extlinux.PATH, "/boot", "/boot/extlinux", "/boot/dtb", "/boot/grub"),
    *(GRUB, "/etc/default/grub.d", "/etc/default/grub.d/*.cfg", UPDATE_GRUB, KERNEL_INSTALL),
)
_MOST_BYTES = 1 << 20
_SIGNED = ("LINUX", "INITRD", "FDT")

Kind = Literal["extlinux", "grub", "kernel-install", "none"]


class BootLoader(msgspec.Struct, frozen=True, kw_only=True):
    """What has the command line.

    Attributes:
        path: of its file. content: what that holds; None where it is not there.
        reader: who reads ``extlinux.conf``.
        refusal: why memfit changes nothing there; empty where it can.
        note: how a change there takes effect.
    """

    kind: Kind
    path: str = ""
    content: bytes | None = None
    reader: extlinux.Loader = "l4t"
    refusal: str = ""
    note: str = ""


def is_tegra(audit: Audit) -> bool:
    """Whether the machine is an NVIDIA Tegra."""
    return audit.l4t is not None or any(word.startswith("nvidia,tegra") for word in audit.compatible)


def boot_loader(host: Host, audit: Audit) -> BootLoader:
    """Which one the machine has, and whether memfit can change its command line; nothing is written."""
    file = _read(host, extlinux.PATH)
    grub = is_file(host, GRUB) and "grub.cfg" in _names(host, "/boot/grub")
    # GRUB tells the kernel which image it was (BOOT_IMAGE=); neither L4TLauncher nor U-Boot does
    if file is not None and (is_tegra(audit) or not (grub and current(audit, "BOOT_IMAGE"))):
        return _of_extlinux(host, audit, file)
    if grub:
        without = f"{UPDATE_GRUB} is not here: memfit knows GRUB as Debian and Ubuntu have it"
        refusal = "" if is_file(host, UPDATE_GRUB) else without
        note = "" if host.live else "an image: run update-grub in it"
        return BootLoader(kind="grub", path=DROP_IN, content=_read(host, DROP_IN), refusal=refusal, note=note)
    line = _read(host, KERNEL_INSTALL)
    if line is not None:
        signed = "Secure Boot is on, and a unified kernel image is signed with its command line"
        return BootLoader(
            kind="kernel-install",
            path=KERNEL_INSTALL,
            content=line,
            refusal=signed if audit.boot.secure_boot else "",
            # add-all is systemd's from 256 on: kernel-install(8) of Ubuntu 24.04 (255) and 24.10 (256)
            note="it counts once the boot entries are made again, also after an undo: sudo kernel-install add VERSION "
            "IMAGE for each kernel (systemd 256 has add-all); no boot falls back by itself",
        )
    return BootLoader(kind="none", refusal=f"neither {extlinux.PATH} nor GRUB's files nor {KERNEL_INSTALL} are here")


def why_not(host: Host, audit: Audit, words: Words) -> str:
    """Why these words cannot be changed here; empty where they can."""
    loader = boot_loader(host, audit)
    return loader.refusal or _why_not(host, audit, loader, words)


def by_hand_of(host: Host, audit: Audit) -> str:
    """What somebody has to do for a change to take effect where a boot alone does not do it; else empty."""
    return boot_loader(host, audit).note


def note_of(host: Host, audit: Audit) -> str:
    """How a change takes effect where a boot alone does not do it, and what the loader will not read; else empty."""
    loader = boot_loader(host, audit)
    if loader.kind != "extlinux":
        return loader.note
    file = extlinux.parse(loader.content or b"", loader=loader.reader)
    return "; ".join(extlinux.warnings(file, extlinux.default_label(file)))


def command_line_changes(host: Host, audit: Audit, words: Words) -> tuple[Change, ...]:
    """The change of all words together; none where all are so already.

    Raises:
        ApplyError: the boot loader's file is not one that can be changed safely; says why, and what to do.
    """
    if not words:
        return ()
    loader = boot_loader(host, audit)
    refusal = loader.refusal or _why_not(host, audit, loader, words)
    if refusal:
        raise ApplyError(f"the kernel's command line stays as it is: {refusal}", hint=loader.note or None)
    if loader.kind == "extlinux":
        return _extlinux_changes(loader, words)
    if loader.kind == "grub":
        return _grub_changes(loader, words)
    text = (loader.content or b"").decode("utf-8", "surrogateescape")
    new = changed(text, words)
    if new == " ".join(split(text)):
        return ()
    content = (proven(new) + "\n").encode("utf-8", "surrogateescape")
    why = f"{said(words)}; {loader.note}"
    return (FileChange(path=loader.path, content=content, expects=_sha256(loader.content), why=why),)


def trial_changes() -> tuple[Change, ...]:
    """What a machine needs to try a boot by itself: the agent, two units, and the links that start them."""
    why = "falls back to the label before by itself, unless the boot is confirmed"
    changes: list[Change] = [FileChange(path=boot.AGENT, content=bundle.build(), mode=0o600, why=why)]
    for unit, (text, target) in boot.UNITS.items():
        changes.append(FileChange(path=f"{SYSTEM}/{unit}", content=text.encode(), why=why))
        changes.append(LinkChange(path=f"{SYSTEM}/{target}.wants/{unit}", target=f"../{unit}", why=why))
    return tuple(changes)


def drop_in(words: Words) -> bytes:
    """GRUB's file: a piece of shell that ``grub-mkconfig`` reads behind ``/etc/default/grub``."""
    bare = changed("", words)
    names = "|".join(re.escape(name) for name in sorted({*words, PROOF}))
    strip = f"sed -E 's/(^|[[:space:]])({names})=[^[:space:]]*//g'"
    return (
        "# Words of the kernel's command line that memfit sets. It is taken away by: memfit undo\n"
        f"# memfit: {json.dumps(dict(words), sort_keys=True)}\n"
        f'GRUB_CMDLINE_LINUX="$(printf \'%s\' "${{GRUB_CMDLINE_LINUX-}}" | {strip})"\n'
        f'GRUB_CMDLINE_LINUX_DEFAULT="$(printf \'%s\' "${{GRUB_CMDLINE_LINUX_DEFAULT-}}" | {strip}) {proven(bare)}"\n'
    ).encode()


def _of_extlinux(host: Host, audit: Audit, content: bytes) -> BootLoader:
    reader: extlinux.Loader = "l4t" if is_tegra(audit) else "u-boot"
    refusal = ""
    try:
        file = extlinux.check(content, loader=reader)
        label = extlinux.default_label(file)
        extlinux.original_label(file)
        refusal = _signed(host, audit, label)
    except ApplyError as error:
        refusal = f"{error.message} ({error.hint})"
    return BootLoader(kind="extlinux", path=extlinux.PATH, content=content, reader=reader, refusal=refusal)


def _signed(host: Host, audit: Audit, label: extlinux.Label) -> str:
    """With Secure Boot the loader takes the file with a signature alone, for which nobody here has the key."""
    if audit.boot.secure_boot is False:
        return ""
    if audit.boot.secure_boot:
        return (
            "Secure Boot is on, and a changed extlinux.conf needs a signature that only the owner of the keys can make"
        )
    for path in (extlinux.PATH, *(label.value(keyword) for keyword in _SIGNED)):
        folder, _, name = path.rpartition("/")
        if name and f"{name}.sig" in _names(host, folder or "/"):
            return f"{path}.sig is there: with Secure Boot a changed extlinux.conf needs a new signature"
    return ""


def _why_not(host: Host, audit: Audit, loader: BootLoader, words: Words) -> str:
    names = {key_of(name) for name in words}
    if loader.kind == "extlinux":
        file = extlinux.parse(loader.content or b"", loader=loader.reader)
        ours = {word for label in file.labels for word in split(label.value("APPEND"))}
        now = audit.boot.command_line or extlinux.default_label(file).value("APPEND")
        for word in split(now):
            # firmware puts its own behind those of the file, where the last of a name counts
            if key_of(word) in names and word not in ours:
                return f"{word} comes from firmware, and from no label of {loader.path}"
        return too_long(now, words)
    if loader.kind == "grub":
        for name in _names(host, "/etc/default/grub.d"):
            path = f"/etc/default/grub.d/{name}"
            if name.endswith(".cfg") and path > DROP_IN:
                found = [one for one in names if one in _keys(_read(host, path))]
                if found:
                    return f"{path} is read later and sets {found[0]}: change it there"
        return too_long(audit.boot.command_line or "", words)
    return too_long((loader.content or b"").decode("utf-8", "replace"), words)


def _extlinux_changes(loader: BootLoader, words: Words) -> tuple[Change, ...]:
    content, reader = loader.content or b"", loader.reader
    file = extlinux.parse(content, loader=reader)
    label, original = extlinux.default_label(file), extlinux.original_label(file)
    before = label.value("APPEND")
    if sorted(split(changed(before, words))) == sorted(split(before)):
        return ()
    append, what = proven(changed(before, words)), said(words)
    tried = extlinux.with_label(content, label.name, extlinux.OURS + original.name, append, what=what, loader=reader)
    fallback = extlinux.with_default(tried, original.name, loader=reader)
    expects = {**words, PROOF: proof_of(append)}
    trial = Trial(fallback=fallback, original=original.name, expects=expects)
    why = "; ".join((what, *extlinux.warnings(file, label)))
    change = FileChange(path=loader.path, content=tried, expects=_sha256(content), trial=trial, why=why)
    return (*trial_changes(), change)


def _grub_changes(loader: BootLoader, words: Words) -> tuple[Change, ...]:
    earlier = _earlier(loader.content)
    together = {**earlier, **words}
    if together == earlier:
        return ()
    what = said(words) + (f"; {loader.note}" if loader.note else "")
    made = ("update-grub",)
    expects = None if loader.content is None else _sha256(loader.content)
    proof = proof_of(proven(changed("", together)))
    trial = MadeTrial(path=GRUB_CONFIG, sources=(DROP_IN,), expects={**together, PROOF: proof})
    return (
        *trial_changes(),
        FileChange(path=DROP_IN, content=drop_in(together), expects=expects, why=what),
        # what it writes first is there for a moment, and stays where it is stopped meanwhile
        RunChange(do=made, undo=made, touches=(GRUB_CONFIG, f"{GRUB_CONFIG}.new"), lasting=True, trial=trial, why=what),
    )


def _earlier(content: bytes | None) -> dict[str, str | None]:
    """Words of an earlier drop-in of memfit's, which these go to as well."""
    for line in (content or b"").decode("utf-8", "replace").splitlines():
        if line.startswith("# memfit: "):
            found: Any = json.loads(line[len("# memfit: ") :])
            return {str(name): value for name, value in found.items()}
    return {}


def _keys(content: bytes | None) -> set[str]:
    return {key_of(word) for word in re.findall(r"[\w.-]+(?==)", (content or b"").decode("utf-8", "replace"))}


def _sha256(content: bytes | None) -> str:
    return hashlib.sha256(content or b"").hexdigest()


def _read(host: Host, path: str) -> bytes | None:
    try:
        return host.read_bytes(path, most=_MOST_BYTES)
    except ProbeError:
        return None


def _names(host: Host, folder: str) -> Iterable[str]:
    try:
        return host.list_dir(folder)
    except ProbeError:
        return ()
