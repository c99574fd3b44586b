"""What is never changed, whoever asks: the last word before anything is written.

Units: power, fans, secure world, network, SSH, boot, consoles (``nvgetty`` is the way in where nothing else is), and
what systemd itself is made of. Files: only those that a setting of memfit can need, each by name.
Sources: NVIDIA's units as listed by R36.4.7 on an AGX Orin 64GB; the rest are Debian's and Ubuntu's.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import Any

from memfit.agent.failure import Failure
from memfit.agent.tree import Tree

SYSTEM = "/etc/systemd/system"
UNIT_FOLDERS = (SYSTEM, "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
UNIT_NAME = re.compile(r"[A-Za-z0-9:_.@\\-]+\.(?:service|socket|timer|path|mount|swap|target|slice)")

UNITS = (
    # power, clocks, fans, heat
    *("nvpower*", "nvpmodel*", "nvfancontrol*", "nvphs*", "nvcpupowerfix*", "nvpmicro*", "thermald*", "upower*"),
    *("nv-fan*", "jetson*fan*", "fan*control*", "tuned*", "power-profiles-daemon*", "acpid*"),
    # secure world, keys, firmware
    *("nv-tee-supplicant*", "tee-supplicant*", "nv-ftpm*", "nv-ms-tpm*", "tpm*", "optee*", "nvfb*", "nv.service"),
    *("nv-late-init*", "nv_nvsciipc*", "nvramoops*", "nvluks*", "cryptsetup*", "tcsd*"),
    # boot, its health check, the root file system
    *("l4t-rootfs-validation*", "nv-l4t-bootloader-config*", "nv_update*", "nv-update*", "grub*", "boot*", "efi*"),
    *("initrd*", "emergency*", "rescue*", "fsck*", "quotacheck*", "local-fs*", "remote-fs*", "sysinit*", "basic*"),
    *("lvm2*", "blk-availability*", "mdadm*", "mdmonitor*", "zfs*", "multipath*", "iscsi*", "open-iscsi*", "nvmf*"),
    *("multi-user*", "graphical.target", "default.target", "shutdown*", "reboot*", "poweroff*", "halt*", "umount*"),
    *("kmod*", "modprobe@*", "haveged*", "rng*", "console-setup*", "keyboard-setup*", "memfit-*"),
    # the ways in
    *("ssh*", "dropbear*", "telnet*", "getty*", "*getty@*", "nvgetty*", "serial*", "console*", "user@*", "user-*"),
    *(
        "user.slice",
        "system.slice",
        "machine.slice",
        "-.slice",
        "-.mount",
        "init.scope",
        "session*",
        "accounts-daemon*",
    ),
    # the network
    *("network*", "NetworkManager*", "wpa_supplicant*", "iwd*", "dhcp*", "dhclient*", "isc-dhcp*", "connman*"),
    *("ifup*", "ifplugd*", "hostapd*", "dnsmasq*", "resolvconf*", "bind9*", "named*", "unbound*", "openvpn*"),
    *("wg-quick*", "tailscale*", "zerotier*", "netplan*", "nftables*", "iptables*", "ufw*", "firewalld*"),
    *("nvwifibt*", "rfkill*", "nss-*", "nslcd*", "sssd*", "winbind*", "chrony*", "ntp*"),
    # what all else stands on
    *("systemd-*", "dbus*", "polkit*", "udev*", "cron*", "anacron*", "apparmor*", "auditd*", "rsyslog*", "syslog*"),
)
# systemd's own that are only a matter of memory
_ALLOWED_OF_SYSTEMD = ("systemd-oomd.service", "systemd-oomd.socket")

_UNIT = r"[A-Za-z0-9:_.@\\-]+\.(?:service|socket|timer|path|mount|swap)"
PATHS = (
    rf"{SYSTEM}/{_UNIT}",  # masked; or a unit of memfit's own
    rf"{SYSTEM}/{_UNIT}\.d/60-memfit\.conf",
    rf"{SYSTEM}/[a-z-]+\.target\.wants/memfit-[a-z]+\.(?:service|swap)",
    rf"{SYSTEM}/default\.target",
    r"/etc/systemd/(?:journald|oomd|zram-generator)\.conf\.d/60-memfit\.conf",
    r"/etc/(?:sysctl|tmpfiles|modules-load|modprobe)\.d/60-memfit\.conf",
    r"/etc/default/grub\.d/60-memfit\.cfg",
    r"/etc/kernel/cmdline",
    r"/boot/extlinux/extlinux\.conf",
    r"/boot/(?:grub|grub2)/grub\.cfg",
    r"/swap\.memfit",
)
VALUES = (
    r"/proc/sys/vm/(?:swappiness|min_free_kbytes|drop_caches|compact_memory|overcommit_(?:memory|ratio)|page-cluster"
    r"|watermark_scale_factor|vfs_cache_pressure|nr_hugepages)",
    r"/sys/kernel/mm/transparent_hugepage/(?:enabled|defrag|shmem_enabled)",
    r"/sys/kernel/kexec_crash_size",
    r"/sys/block/zram\d+/(?:comp_algorithm|disksize|mem_limit|reset)",
    r"/sys/module/zswap/parameters/enabled",
)
PROGRAMS = {
    "swapon": r"/dev/zram\d+|/swap\.memfit|-p|-?\d+",
    "swapoff": r"/dev/zram\d+|/swap\.memfit",
    "mkswap": r"/dev/zram\d+|/swap\.memfit",
    "nvpmodel": r"-m|\d+",
    "jetson_clocks": r"--store|--restore|/var/lib/memfit/clocks",
    "update-grub": r"(?!)",
    "journalctl": r"--rotate|--vacuum-size=\d+[KM]?",
    "mount": r"-o|remount,size=\d+|/tmp|/run|/dev/shm",
}


def check(change: dict[str, Any], tree: Tree) -> None:
    """Refuse what is never done.

    Raises:
        Failure: it is on the list, or none of what memfit's settings need.
    """
    kind = change["kind"]
    if kind == "unit":
        check_unit(change["unit"], tree)
    elif kind in ("file", "link", "remove"):
        _check_path(change, tree)
    elif kind == "value":
        _check_words(change["path"], VALUES, "a value")
    elif kind == "run":
        for words in (change["do"], change["undo"]):
            _check_command(words)
        for path in change.get("touches", ()):
            _check_words(path, PATHS, "a file")
    else:
        raise Failure("refused", f"a change of an unknown kind: {kind!r}")


def check_unit(unit: str, tree: Tree) -> None:
    """Refuse a unit on the list, by any of its names.

    Raises:
        Failure: it is on the list, or no name of a unit.
    """
    if not UNIT_NAME.fullmatch(unit):
        raise Failure("refused", f"{unit!r} is no name of a unit")
    for name in _names(unit, tree):
        if is_denied(name):
            also = "" if name == unit else f" ({unit} is another name for it)"
            raise Failure(
                "refused",
                f"{name} is never touched{also}",
                hint="power, fans, the secure world, the network, SSH and boot stay as they are",
            )


def is_denied(unit: str) -> bool:
    """Whether the list has this name; case does not matter, and an instance counts as its template."""
    if unit in _ALLOWED_OF_SYSTEMD:
        return False
    folded = unit.lower()
    return any(fnmatchcase(folded, pattern.lower()) for pattern in UNITS)


def _names(unit: str, tree: Tree) -> set[str]:
    """All names the unit goes by, as far as links in the folders of units tell."""
    found: set[str] = set()
    todo = [unit]
    while todo and len(found) < 32:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        for folder in UNIT_FOLDERS:
            try:
                node = tree.node(f"{folder}/{name}")
            except OSError:
                continue
            if node.kind == "link" and node.target != "/dev/null":
                todo.append(posixpath.basename(node.target.rstrip("/")))
    return found


def _check_path(change: dict[str, Any], tree: Tree) -> None:
    path = change["path"]
    _check_words(path, PATHS, "a file")
    folder, name = posixpath.split(path)
    ours = name.startswith("memfit-")
    if folder == SYSTEM and name == "default.target":
        target = posixpath.basename(change.get("target") or "")
        if change["kind"] != "link" or target not in ("multi-user.target", "graphical.target"):
            raise Failure("refused", f"{path} leads to multi-user.target or graphical.target, and nowhere else")
    elif folder == SYSTEM and not ours:
        if change["kind"] == "file":
            raise Failure("refused", f"{path}: a unit that is not memfit's is masked, and never written")
        if change["kind"] == "link" and change["target"] != "/dev/null":
            raise Failure("refused", f"{path}: a unit is masked, and never made to be another")
        check_unit(name, tree)
    elif folder.startswith(SYSTEM) and folder.endswith(".d"):
        check_unit(posixpath.basename(folder)[: -len(".d")], tree)


def _check_words(path: str, patterns: tuple[str, ...], what: str) -> None:
    if not any(re.fullmatch(pattern, path) for pattern in patterns):
        raise Failure("refused", f"{path} is not {what} that memfit changes")


def _check_command(words: list[str]) -> None:
    if not words:
        return
    allowed = PROGRAMS.get(words[0])
    if allowed is None or not all(re.fullmatch(allowed, word) for word in words[1:]):
        raise Failure("refused", f"{' '.join(words)!r} is not a command that memfit runs")
