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

from memfit.agent.failure import Failure, of_system
from memfit.agent.tree import Tree

SYSTEM = "/etc/systemd/system"
USER = "/etc/systemd/user"
# all that systemd reads units from (systemd.unit(5)); that of Debian before its merge of /usr at the end
UNIT_FOLDERS = (
    *("/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient"),
    *("/run/systemd/generator.early", SYSTEM, "/etc/systemd/system.attached", "/run/systemd/system"),
    *("/run/systemd/system.attached", "/run/systemd/generator", "/usr/local/lib/systemd/system"),
    *("/usr/lib/systemd/system", "/run/systemd/generator.late", "/lib/systemd/system"),
)
# targets and slices pull others along, and scopes are somebody's session: none of them is ever started or stopped
UNIT_NAME = re.compile(r"[A-Za-z0-9:_.@\\-]+\.(?:service|socket|timer|path|mount|swap)")

UNITS = (
    # power, clocks, fans, heat
    *("nvpower*", "nvpmodel*", "nvfancontrol*", "nvphs*", "nvcpupowerfix*", "nvpmicro*", "thermald*", "upower*"),
    *("nvidia-powerd*", "nvidia-persistenced*", "nvidia-suspend*", "nvidia-resume*", "nvidia-hibernate*"),
    *("jetson_clocks*", "jetson-clocks*", "cpufreq*", "ondemand*", "tlp*", "lm-sensors*"),
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
    *("watchdog*", "wd_keepalive*", "kexec*", "kdump*", "suspend*", "sleep*", "hibernate*", "hybrid-sleep*", "*.mount"),
    # the ways in
    *("ssh*", "dropbear*", "telnet*", "getty*", "*getty@*", "nvgetty*", "serial*", "console*", "user@*", "user-*"),
    *("session*", "accounts-daemon*", "cockpit*", "teleport*", "cloudflared*", "autossh*", "netbird*", "strongswan*"),
    # the network
    *("network*", "NetworkManager*", "wpa_supplicant*", "iwd*", "dhcp*", "dhclient*", "isc-dhcp*", "connman*"),
    *("ifup*", "ifplugd*", "hostapd*", "dnsmasq*", "resolvconf*", "bind9*", "named*", "unbound*", "openvpn*"),
    *("wg-quick*", "tailscale*", "zerotier*", "netplan*", "nftables*", "iptables*", "ufw*", "firewalld*"),
    *("ipsec*", "snap.network-manager*", "snap.openssh*"),
    *("nvwifibt*", "rfkill*", "nss-*", "nslcd*", "sssd*", "winbind*", "chrony*", "ntp*"),
    # what all else stands on
    *("systemd-*", "dbus*", "polkit*", "udev*", "cron*", "anacron*", "apparmor*", "auditd*", "rsyslog*", "syslog*"),
)
# named by the list, and only a matter of memory
_ALLOWED = ("systemd-oomd.service", "systemd-oomd.socket", "tmp.mount")
_ANY_UNIT = re.compile(r"[^/]+\.(?:service|socket|timer|path|mount|automount|swap|target|slice|scope|device)")
# D-Bus calls a unit by such a name: it says nothing of what the unit is
_BUS_NAME = re.compile(r"dbus-[A-Za-z0-9_]+\.[A-Za-z0-9_.-]+\.service")

_UNIT = r"[A-Za-z0-9:_.@\\-]+\.(?:service|socket|timer|path|mount|swap)"
PATHS = (
    rf"{SYSTEM}/{_UNIT}",  # masked; or a unit of memfit's own
    rf"{SYSTEM}/{_UNIT}\.d/60-memfit\.conf",
    rf"{SYSTEM}/[a-z-]+\.target\.wants/memfit-[a-z]+\.(?:service|swap)",
    rf"{SYSTEM}/default\.target",
    rf"{USER}/(?:pulseaudio|pipewire|pipewire-pulse|pipewire-media-session|wireplumber)\.(?:service|socket)",  # masked
    r"/etc/systemd/(?:journald|oomd|zram-generator)\.conf\.d/60-memfit\.conf",
    r"/etc/(?:sysctl|tmpfiles|modules-load|modprobe)\.d/60-memfit\.conf",
    r"/etc/default/grub\.d/60-memfit\.cfg",
    r"/etc/kernel/cmdline",
    r"/boot/extlinux/extlinux\.conf",
    r"/boot/(?:grub|grub2)/grub\.cfg(?:\.new)?",
    r"/var/lib/memfit/agent\.pyz",
    rf"{SYSTEM}/[a-z-]+\.target\.wants/swap\.memfit\.swap",
)
SPACES = (r"/swap\.memfit",)
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
    "jetson_clocks": r"--store|--restore|/run/memfit-clocks-\d+",
    "update-grub": r"(?!)",
    "journalctl": r"--rotate|--vacuum-size=\d+[KM]?",
    "mount": r"-o|remount,size=\d+|/tmp|/run|/dev/shm",
}

_MASK = "/dev/null"
_DEFAULT_TARGET = r"(?:/usr)?/lib/systemd/system/(?:multi-user|graphical)\.target"
# what memfit itself puts there, and so may take away; a link that masks may be taken away as well
# systemd calls the unit of /swap.memfit by its path (systemd-escape -p)
_OURS = r".*/(?:60-memfit\.(?:conf|cfg)|memfit-[^/]*|swap\.memfit\.swap)"


class Aliases:
    """All names by which units of one machine go, as far as links in the folders of units tell."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._same: dict[str, set[str]] = {}
        for folder in UNIT_FOLDERS:
            for name, target in tree.links(folder).items():
                if target != _MASK:
                    self._add(name, posixpath.basename(target.rstrip("/")))
                    self._add(name, self._end(f"{folder}/{name}"))

    def of(self, unit: str) -> set[str]:
        """Every name of a unit, this one among them; an instance has its template's, and those of all its instances."""
        found: set[str] = set()
        todo = [unit]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [_template(name), *self._same.get(name, ())]
        return found

    def _add(self, name: str, other: str) -> None:
        if not _ANY_UNIT.fullmatch(other):
            return
        for one, two in ((name, other), (other, name)):
            self._same.setdefault(one, set()).add(two)
            self._same.setdefault(_template(one), set()).add(one)

    def _end(self, path: str) -> str:
        """The name of the file that a link leads to in the end; its own where that masks it, or is nowhere."""
        try:
            real = self.tree.real(path)
        except OSError:
            real = path
        return posixpath.basename(path if real == _MASK else real)


def check(change: dict[str, Any], aliases: Aliases) -> None:
    """Refuse what is never done.

    Raises:
        Failure: it is on the list, or none of what memfit's settings need.
    """
    kind = change["kind"]
    if kind == "unit":
        check_unit(change["unit"], aliases)
    elif kind in ("file", "link", "remove"):
        _check_words(change["path"], PATHS, "a file")
        _check_place(change, aliases)
    elif kind == "value":
        _check_words(change["path"], VALUES, "a value")
    elif kind == "space":
        _check_words(change["path"], SPACES, "a file")
    else:
        for words in (change["do"], change["undo"]):
            _check_command(words)
        for path in change.get("touches") or ():
            _check_words(path, PATHS, "a file")


def check_unit(unit: str, aliases: Aliases) -> None:
    """Refuse a unit on the list, by any of its names.

    Raises:
        Failure: it is on the list, or no name of a unit that may be changed.
    """
    if not UNIT_NAME.fullmatch(unit):
        raise Failure("refused", f"{unit!r} is no name of a unit that memfit changes")
    for name in sorted(aliases.of(unit), key=lambda name: (name != unit, name)):
        if is_denied(name) and (name == unit or not _BUS_NAME.fullmatch(name)):
            also = "" if name == unit else f" ({unit} is another name for it)"
            raise Failure(
                "refused",
                f"{name} is never touched{also}",
                hint="power, fans, the secure world, the network, SSH and boot stay as they are",
            )


def is_denied(unit: str) -> bool:
    """Whether the list has this name; case does not matter."""
    if unit in _ALLOWED:
        return False
    folded = unit.lower()
    return any(fnmatchcase(folded, pattern.lower()) for pattern in UNITS)


def _template(unit: str) -> str:
    stem, at, rest = unit.partition("@")
    return f"{stem}@.{rest.rpartition('.')[2]}" if at else unit


def _check_place(change: dict[str, Any], aliases: Aliases) -> None:
    """Refuse what no setting does with a listed path: each kind of change has its places."""
    path, kind, target = change["path"], change["kind"], change.get("target")
    folder, name = posixpath.split(path)
    is_unit = folder == SYSTEM and name != "default.target"
    ours = re.fullmatch(_OURS, path, re.ASCII) is not None
    if kind == "link":
        _check_link(path, target, ours=ours, tree=aliases.tree)
    elif name == "default.target":
        raise Failure("refused", f"{path} leads to multi-user.target or graphical.target, and nowhere else")
    elif kind == "file" and not ours and (is_unit or folder == USER):
        raise Failure("refused", f"{path}: a unit that is not memfit's is masked, and never written")
    elif kind == "file" and folder.endswith(".wants"):
        raise Failure("refused", f"{path}: it is a link to a unit, and never a file")
    elif kind == "remove" and not ours and _target_of(path, aliases.tree) not in (_MASK, None):
        raise Failure("refused", f"{path}: only what memfit made is removed, and links that mask a unit")
    if is_unit and not ours:
        check_unit(name, aliases)
    elif folder.startswith(f"{SYSTEM}/") and folder.endswith(".d"):
        _check_drop_in(posixpath.basename(folder)[: -len(".d")], aliases)


def _check_link(path: str, target: Any, *, ours: bool, tree: Tree) -> None:
    folder, name = posixpath.split(path)
    if path == f"{SYSTEM}/default.target":
        if not re.fullmatch(_DEFAULT_TARGET, target):
            raise Failure("refused", f"{path} leads to multi-user.target or graphical.target, and nowhere else")
        if tree.node(target).kind == "absent":
            raise Failure("refused", f"{path}: {target} is not there")
    elif folder.endswith(".wants"):
        if target not in (f"../{name}", f"{SYSTEM}/{name}"):
            raise Failure("refused", f"{path} leads to {SYSTEM}/{name}, and nowhere else")
    elif folder not in (SYSTEM, USER) or ours:
        raise Failure("refused", f"{path}: it is a file, and never a link")
    elif target != _MASK:
        raise Failure("refused", f"{path}: a unit is masked, and never made to be another")
    elif _target_of(path, tree) == "":
        raise Failure("refused", f"{path}: somebody's own unit stands there, which no link can mask")


def _target_of(path: str, tree: Tree) -> str | None:
    """Where a link leads; empty where something else is there, None where nothing is."""
    try:
        node = tree.node(path)
    except OSError as error:
        raise of_system(path, error) from error
    return None if node.kind == "absent" else node.target


def _check_drop_in(unit: str, aliases: Aliases) -> None:
    # "nv-.service.d" holds for all units whose names begin so (systemd.unit(5))
    if unit.partition("@")[0].rpartition(".")[0].endswith("-") or unit.partition("@")[0].endswith("-"):
        raise Failure("refused", f"{unit}.d holds for more than one unit")
    check_unit(unit, aliases)


def _check_words(path: str, patterns: tuple[str, ...], what: str) -> None:
    if not any(re.fullmatch(pattern, path, re.ASCII) for pattern in patterns):
        raise Failure("refused", f"{path!r} is not {what} that memfit changes")


def _check_command(words: list[str]) -> None:
    if not words:
        return
    allowed = PROGRAMS.get(words[0])
    if allowed is None or not all(re.fullmatch(allowed, word, re.ASCII) for word in words[1:]):
        raise Failure("refused", f"{' '.join(words)!r} is not a command that memfit runs")
