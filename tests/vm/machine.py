"""A machine under QEMU that boots as a Jetson does, loses its power when told to, and is reached over ssh.

::

    machine = Machine(folder, find_image(), carveouts={"camera": 32 * MIB}, firmware_arguments="swiotlb=2048,force")
    machine.boot()
    machine.ssh("cat /proc/cmdline")
    SshHost("board", manifest, client=machine.client)
    machine.kill()  # the power goes
    machine.boot()
    machine.stop()
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from image import Image, call
from launcher import Entry, load

from memfit.units import MIB

NAME = "board"  # what ssh knows it as
TOOLS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "dtc": "device-tree-compiler",
    "debugfs": "e2fsprogs",
    "ssh": "openssh-client",
    "scp": "openssh-client",
    "setpriv": "util-linux",
}
BOOT_S = 300.0
"""Far above what an emulated processor takes, also where another machine boots beside it."""
_RAM_START = 0x4000_0000  # hw/arm/virt.c
# a kernel that panics ends QEMU, so that a test fails at once and says why; page tables of the kernel's own make every
# system call of an emulated processor cost 2.6 times as much
_FIRMWARE_ARGUMENTS = "panic=1 kpti=off mitigations=off"


class BootFailed(Exception):
    """The machine did not come up; has the end of what it said on its console."""


class Machine:
    """One machine with a disk of its own; off until ``boot``.

    Args:
        folder: for all its files; made here.
        image: what is on its disk at first.
        disk: what ``snapshot`` made, instead.
        memory_bytes: of DRAM.
        carveouts: sizes of memory that the device tree reserves and nobody may map, by the name of the node.
        firmware_arguments: what firmware adds to the kernel's command line, whatever ``extlinux.conf`` says.

    Attributes:
        client: the ssh command that knows the machine as ``board``: ``SshHost("board", …, client=machine.client)``.
        bin: a folder with that command as ``ssh``: before others in PATH, ``memfit … --host board`` finds the machine.
        console: what it says on its serial line, every boot of it.
        booted: what the last ``boot`` took from ``extlinux.conf``; ``booted.label`` None is the kernel partition.
    """

    def __init__(
        self,
        folder: Path,
        image: Image,
        *,
        disk: Path | None = None,
        memory_bytes: int = 1024 * MIB,
        carveouts: Mapping[str, int] | None = None,
        firmware_arguments: str = "",
    ) -> None:
        self.folder, self.image = folder, image
        self.bin, self.console = folder / "bin", folder / "console"
        self.booted: Entry | None = None
        self._arguments = f"{_FIRMWARE_ARGUMENTS} {firmware_arguments}".strip()
        self._memory_bytes = memory_bytes
        self._disk, self._tree = folder / "disk.qcow2", folder / "board.dtb"
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.bin.mkdir(parents=True)
        if disk is None:
            call("qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "qcow2", self._disk)
        else:
            shutil.copy(disk, self._disk)
        self._write_device_tree(carveouts or {})
        (self.bin / "ssh").write_text(
            f'#!/bin/sh\nexec {shlex.join([shutil.which("ssh") or "ssh", *self.client[1:]])} "$@"\n'
        )
        (self.bin / "ssh").chmod(0o755)

    @property
    def client(self) -> tuple[str, ...]:
        return ("ssh", "-F", str(self.folder / "config"))

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def boot(self) -> float:
        """Switch on and wait until systemd has started everything; returns how many seconds that took.

        Raises:
            BootFailed: it ended, or did not answer in time.
        """
        if self.is_on:
            raise RuntimeError("it is on")
        began = time.monotonic()
        raw = self.folder / "disk.raw"
        call("qemu-img", "convert", "-f", "qcow2", "-O", "raw", self._disk, raw)
        self.booted = load(raw, self.image, self.folder, self._arguments)
        raw.unlink()
        self._port = _free_port()
        self._write_ssh_configuration()
        with self.console.open("ab") as console:
            console.write(f"\n--- {self.booted.command_line}\n".encode())
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(self._qemu(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait_for_ssh(began + BOOT_S)
        left = began + BOOT_S - time.monotonic()
        # "degraded" is an answer too: it exits with 1
        self.run("systemctl is-system-running --wait", timeout_s=max(1.0, left))
        return time.monotonic() - began

    def run(self, command: str, *, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """A shell command as root; its exit code and what it printed. 255 is ssh's own: it was cut, or never there."""
        words = [*self.client, NAME, command]
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s)

    def ssh(self, command: str, *, timeout_s: float = 120.0) -> str:
        """What a shell command prints, as root.

        Raises:
            RuntimeError: it failed; has what it complained of.
        """
        done = self.run(command, timeout_s=timeout_s)
        if done.returncode:
            raise RuntimeError(f"{command}: code {done.returncode}: {done.stderr[-2000:]}{done.stdout[-2000:]}")
        return done.stdout

    def copy(self, source: Path, target: str) -> None:
        """Copy a file or a folder of this machine there."""
        call("scp", "-q", "-r", *self.client[1:], source, f"{NAME}:{target}")

    def fetch(self, source: str, target: Path) -> None:
        """Copy a file or a folder of it here."""
        call("scp", "-q", "-r", *self.client[1:], f"{NAME}:{source}", target)

    def reboot(self) -> float:
        """Shut down in order and boot what ``extlinux.conf`` says by then; returns how many seconds the boot took."""
        self._shut_down("reboot")  # QEMU ends where a board would start again
        return self.boot()

    def stop(self) -> None:
        """Shut down in order; nothing where it is off. What does not end is killed."""
        if self.is_on:
            self._shut_down("poweroff")

    def kill(self) -> None:
        """Take the power away at once; nothing where it is off.

        What the file system of the guest had not written is lost. So may be what it had written and not flushed, as in
        the cache of a drive: QEMU keeps the tables of new clusters in its own memory until a flush.
        """
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def snapshot(self, file: Path) -> Path:
        """Its disk as it is now, off or killed, for ``Machine(…, disk=file)``."""
        if self.is_on:
            raise RuntimeError("a disk is copied when the machine is off")
        return Path(shutil.copy(self._disk, file))

    def _shut_down(self, verb: str) -> None:
        self.run(f"systemctl --no-block {verb}")
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(BOOT_S)
        self.kill()

    def _qemu(self) -> list[str]:
        assert self.booted is not None
        words = [
            *("setpriv", "--pdeathsig", "KILL"),  # it ends with the tests, however these end
            *(*_board(self._memory_bytes), "-dtb", str(self._tree), "-no-reboot"),
            *("-display", "none", "-monitor", "none"),
            *("-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console"),
            *("-drive", f"if=none,id=disk,file={self._disk},format=qcow2,cache=writeback"),
            *("-device", "virtio-blk-device,drive=disk"),
            # restrict: it reaches nothing outside, and only this machine reaches it
            *("-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-:22"),
            *("-device", "virtio-net-device,netdev=net"),
            *("-kernel", str(self.booted.kernel), "-append", self.booted.command_line),
        ]
        return words if self.booted.initrd is None else [*words, "-initrd", str(self.booted.initrd)]

    def _write_device_tree(self, carveouts: Mapping[str, int]) -> None:
        """QEMU's own device tree, always through dtc, so that machines differ in nothing but their carveouts."""
        dumped = self.folder / "virt.dtb"
        call(*_board(self._memory_bytes, f",dumpdtb={dumped}"), "-display", "none")
        source = call("dtc", "-q", "-I", "dtb", "-O", "dts", dumped)
        end, nodes = _RAM_START + self._memory_bytes - 64 * MIB, []
        for name, size in carveouts.items():
            end = (end - size) & -(2 * MIB)
            nodes.append(f"{name}@{end:x} {{ reg = /bits/ 64 <{end:#x} {size:#x}>; no-map; }};")
        cells = "#address-cells = <2>; #size-cells = <2>; ranges;"
        source += f"/ {{ reserved-memory {{ {cells} {' '.join(nodes)} }}; }};\n"
        # of one size whatever is in it: the kernel keeps the tree's pages
        call("dtc", "-q", "-I", "dts", "-O", "dtb", "-S", "65536", "-o", self._tree, given=source.encode())

    def _write_ssh_configuration(self) -> None:
        (self.folder / "known_hosts").write_text(f"{NAME} {self.image.host_key.read_text()}")
        (self.folder / "config").write_text(
            f"""
            Host {NAME}
                HostName 127.0.0.1
                Port {self._port}
                HostKeyAlias {NAME}
                User root
                IdentityFile {self.image.key}
                IdentitiesOnly yes
                IdentityAgent none
                BatchMode yes
                ConnectTimeout 30
                ServerAliveInterval 10
                UserKnownHostsFile {self.folder}/known_hosts
                GlobalKnownHostsFile none
                # the default takes an emulated processor seconds
                KexAlgorithms curve25519-sha256
            """
        )
        (self.folder / "config").chmod(0o600)

    def _wait_for_ssh(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise BootFailed(f"QEMU ended with {self._process.returncode}: {self._said()}")
            # QEMU itself accepts the connection; only sshd sends a greeting, for which it starts a process that takes
            # an emulated processor a second or more
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 60) as connection:
                if connection.recv(4) == b"SSH-":
                    return
            time.sleep(1)
        self.kill()
        raise BootFailed(f"no sshd answered in {BOOT_S:.0f} s: {self._said()}")

    def _said(self) -> str:
        texts = (path.read_text("utf-8", "replace")[-3000:] for path in (self.folder / "qemu.log", self.console))
        return "\n".join(texts)


def _board(memory_bytes: int, more: str = "") -> list[str]:
    """The machine itself, as for both its device tree and its life."""
    size = f"{memory_bytes // MIB}M"
    return ["qemu-system-aarch64", "-nodefaults", "-M", f"virt{more}", "-cpu", "cortex-a57", "-smp", "2", "-m", size]


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
