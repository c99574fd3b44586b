"""Everything else of a written tree: device tree, release, packages, power, clocks, sensors, storage, units."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trees import Machine

_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_CHAIN = "/sys/firmware/efi/efivars/BootChainFwCurrent-781e084c-a330-417c-b678-38e696380cb9"


def write_system(machine: Machine) -> dict[str, str | bytes | Path]:
    """Files below ``/etc``, ``/sys``, ``/var`` and ``/usr``."""
    files: dict[str, str | bytes | Path] = {
        "/proc/device-tree/compatible": "\0".join((*machine.compatible, "")),
        "/proc/device-tree/model": machine.model + "\0",
        "/proc/device-tree/reserved-memory/linux,cma/size": (machine.cma * 1024).to_bytes(8, "big"),
        "/proc/device-tree/reserved-memory/linux,cma/reusable": b"",
        "/proc/cpuinfo": _cpuinfo(machine),
        "/etc/hostname": machine.name + "\n",
        # a kernel without efivars (modelled: none) would have neither
        _SECURE_BOOT: b"\x06\0\0\0\0",
        _CHAIN: b"\x06\0\0\0\0\0\0\0",
    }
    for part in (_release, _power, _clocks, _sensors, _storage, _swap, _units):
        files |= part(machine)
    return files


def _release(machine: Machine) -> dict[str, str | bytes | Path]:
    branch, major, minor = machine.l4t.split(".")
    label, version, codename = machine.distribution
    packages = "".join(
        f"Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: metapackages\n"
        f"Installed-Size: 29\nMaintainer: NVIDIA Corporation\nArchitecture: arm64\nVersion: {number}\n"
        f"Description: {name}\n more of it\n\n"
        for name, number in machine.packages.items()
    )
    cuda = next((number for name, number in machine.packages.items() if name.startswith("cuda-cudart")), "")
    python = next((name for name in machine.packages if name.startswith("python3.")), "python3.10")
    return {
        "/etc/nv_tegra_release": (
            f"# R{branch} (release), REVISION: {major}.{minor}, GCID: 42132812, BOARD: generic, EABI: aarch64, "
            "DATE: Thu Sep 18 22:54:44 UTC 2025\n# KERNEL_VARIANT: oot\nTARGET_USERSPACE_LIB_DIR=nvidia\n"
        ),
        "/etc/nv_boot_control.conf": (
            f"TNSPEC {machine.boot_spec}\nCOMPATIBLE_SPEC {machine.boot_spec}\nTEGRA_LEGACY_UPDATE false\n"
            "TEGRA_BOOT_STORAGE nvme0n1\n"
        ),
        "/etc/os-release": (
            f'PRETTY_NAME="{label}"\nNAME="Ubuntu"\nVERSION_ID="{version}"\nID=ubuntu\nVERSION_CODENAME={codename}\n'
        ),
        "/var/lib/dpkg/status": packages,
        "/usr/local/cuda/version.json": (
            f'{{"cuda_cudart": {{"name": "CUDA Runtime (cudart)", "version": "{cuda.rpartition("-")[0]}"}}}}\n'
        ),
        "/usr/bin/python3": Path(python),
        f"/usr/bin/{python}": b"\x7fELF",
    }


def _power(machine: Machine) -> dict[str, str | bytes | Path]:
    # some files of L4T have no space behind the bracket
    head = "<PARAM TYPE=FILE NAME=CPU_ONLINE >\nCORE_0 /sys/devices/system/cpu/cpu0/online\n\n"
    models = "".join(
        f"< POWER_MODEL ID={number} NAME={name} >\nCPU_ONLINE CORE_0 1\nEMC MAX_FREQ 0\n\n"
        for number, name in enumerate(machine.modes)
    )
    end = f"# mandatory section to configure the default power mode\n< PM_CONFIG DEFAULT={machine.default_mode} >\n"
    return {
        "/etc/nvpmodel.conf": head + models + end,
        "/var/lib/nvpmodel/status": f"pmode:{machine.mode:04d}\n",
    }


def _clocks(machine: Machine) -> dict[str, str | bytes | Path]:
    files: dict[str, str | bytes | Path] = {}
    for name, (now, low, high) in machine.clocks.items():
        if name.startswith("cpu"):
            folder, pattern, scale = f"/sys/devices/system/cpu/cpufreq/policy{name[3:]}", "scaling_{}_freq", 1000
        elif name == "emc":
            files |= {
                f"/sys/kernel/debug/bpmp/debug/clk/emc/{file}": f"{value}\n"
                for file, value in (("rate", now), ("min_rate", low), ("max_rate", high))
            }
            continue
        else:
            folder, pattern, scale = f"/sys/class/devfreq/{name}", "{}_freq", 1
        for end, value in (("cur", now), ("min", low), ("max", high)):
            files[f"{folder}/{pattern.format(end)}"] = f"{value // scale}\n"
    files[f"/sys/devices/platform/bus@0/{machine.gpu_clock}/load"] = "0\n"
    return files


def _sensors(machine: Machine) -> dict[str, str | bytes | Path]:
    files: dict[str, str | bytes | Path] = {}
    for number, (name, celsius) in enumerate(machine.zones.items()):
        folder = f"/sys/class/thermal/thermal_zone{number}"
        files |= {
            f"{folder}/type": f"{name}-thermal\n",
            f"{folder}/temp": f"{round(celsius * 1000)}\n",
            f"{folder}/trip_point_0_type": "critical\n",
            f"{folder}/trip_point_0_temp": "104500\n",
            f"{folder}/trip_point_1_type": "passive\n",
            f"{folder}/trip_point_1_temp": "99000\n",
        }
    folder = "/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3"
    for number, (name, (millivolts, milliamperes)) in enumerate(machine.rails.items(), 1):
        files |= {
            f"{folder}/in{number}_label": f"{name}\n",
            f"{folder}/in{number}_input": f"{millivolts}\n",
            f"{folder}/curr{number}_input": f"{milliamperes}\n",
        }
    files |= {f"{folder}/in7_label": "sum of shunt voltages\n", f"{folder}/in7_input": "0\n"}
    return files | {
        "/sys/class/hwmon/hwmon0/name": "pwmfan\n",
        "/sys/class/hwmon/hwmon0/pwm1": "66\n",
        "/sys/class/hwmon/hwmon1/name": "pwm_tach\n",
        "/sys/class/hwmon/hwmon1/rpm": "1480\n",
    }


def _storage(machine: Machine) -> dict[str, str | bytes | Path]:
    device = machine.disk[0]
    whole = device.removeprefix("/dev/")
    disk = whole.rpartition("p")[0] or whole
    parent = (
        "14160000.pcie/pci0004:00/0004:01:00.0/nvme/nvme0" if disk.startswith("nvme") else "3400000.mmc/mmc1/mmc1:aaaa"
    )
    return {
        "/proc/mounts": (
            f"{device} / ext4 rw,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
            "tmpfs /run tmpfs rw,nosuid,nodev,size=780276k,mode=755 0 0\n"
        ),
        "/proc/self/mountinfo": (
            f"25 1 259:1 / / rw,relatime shared:1 - ext4 {device} rw\n"
            "28 25 0:24 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,size=780276k,mode=755\n"
        ),
        f"/sys/class/block/{whole}": Path(f"../../devices/platform/bus@0/{parent}/{disk}/{whole}"),
        f"/sys/class/block/{disk}": Path(f"../../devices/platform/bus@0/{parent}/{disk}"),
        f"/sys/devices/platform/bus@0/{parent}/{disk}/{whole}/partition": "1\n",
        f"/sys/block/{disk}/queue/rotational": "0\n",
        # eMMC on a module of AGX Orin, a card on a developer kit of Orin Nano
        **(
            {}
            if disk.startswith("nvme")
            else {f"/sys/block/{disk}/device/type": "MMC\n" if machine.cpus > 8 else "SD\n"}
        ),
    }


def _swap(machine: Machine) -> dict[str, str | bytes | Path]:
    files: dict[str, str | bytes | Path] = {}
    lines = ["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"]
    if machine.swap_total:
        each, used, cost = (
            whole // machine.cpus for whole in (machine.swap_total, machine.swap_used, machine.zram_cost)
        )
        used_left = machine.swap_used - used * machine.cpus
        cost_left = machine.zram_cost - cost * machine.cpus
        for number in range(machine.cpus):
            held = used + (used_left if number == 0 else 0)
            taken = (cost + (cost_left if number == 0 else 0)) * 1024
            lines.append(f"/dev/zram{number}                              partition\t{each}\t\t{held}\t\t5")
            original = held * 1024
            files[f"/sys/block/zram{number}/disksize"] = f"{(each + 4) * 1024}\n"
            files[f"/sys/block/zram{number}/mm_stat"] = (
                f"{original:>8} {taken * 15 // 16:>8} {taken:>8} {0:>8} {taken:>8} {12:>8} {0:>8} {4:>8} {4:>8}\n"
            )
            files[f"/sys/block/zram{number}/comp_algorithm"] = "lzo [lzo-rle] lz4 lz4hc zstd\n"
    files["/proc/swaps"] = "\n".join(lines) + "\n"
    return files


# installed and not enabled: sockets, timers and what others start
_FILES = ("apt-daily.timer", "apt-daily-upgrade.timer", "unattended-upgrades.service", "systemd-journald.service")
_DESKTOP_FILES = (
    *("gdm.service", "snapd.socket", "avahi-daemon.socket", "packagekit.service", "colord.service"),
    *("cups.socket", "cups.service", "apport.service", "graphical.target", "multi-user.target"),
)
_EXTLINUX = """TIMEOUT 30
DEFAULT primary

MENU TITLE L4T boot options

LABEL primary
      MENU LABEL primary kernel
      LINUX /boot/Image
      INITRD /boot/initrd
      APPEND ${{cbootargs}} {words}
"""


def _units(machine: Machine) -> dict[str, str | bytes | Path]:
    target = "graphical.target" if machine.desktop else "multi-user.target"
    wants = "/etc/systemd/system/multi-user.target.wants"
    files: dict[str, str | bytes | Path] = {"/etc/systemd/system/default.target": Path(f"/lib/systemd/system/{target}")}
    files["/lib"] = Path("usr/lib")  # as Debian and Ubuntu have it since they merged /usr
    installed = (*machine.units, *(_DESKTOP_FILES if machine.desktop else ()), *_FILES)
    for unit in dict.fromkeys(installed):
        files[f"/usr/lib/systemd/system/{unit}"] = f"[Unit]\nDescription={unit}\n"
    for unit in machine.units:
        files[f"{wants}/{unit}"] = Path(f"/lib/systemd/system/{unit}")
    # written to and never read; a real one lets nobody read them
    files |= {f"/proc/sys/vm/{name}": "" for name in ("drop_caches", "compact_memory")}
    files["/boot/extlinux/extlinux.conf"] = _EXTLINUX.format(words=machine.command_line)
    if machine.desktop:
        files["/etc/systemd/system/display-manager.service"] = Path("/lib/systemd/system/gdm.service")
    if any(program.comm == "dockerd" for program in machine.programs):
        files["/etc/docker/daemon.json"] = (
            '{"runtimes": {"nvidia": {"args": [], "path": "nvidia-container-runtime"}}, "default-runtime": "nvidia"}\n'
        )
        files["/usr/bin/dockerd"] = b"\x7fELF"
        files["/usr/bin/nvidia-container-runtime"] = b"\x7fELF"
    return files


def _cpuinfo(machine: Machine) -> str:
    thor = "nvidia,tegra264" in machine.compatible
    features = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
    part = "0xd83" if thor else "0xd42"
    features += " sha512 sve asimdfhm i8mm bf16" if thor else " uscat ilrcpc flagm paca pacg"
    return "".join(
        f"processor\t: {cpu}\nFeatures\t: {features}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n"
        for cpu in range(machine.cpus)
    )
