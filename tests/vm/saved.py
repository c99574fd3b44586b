"""A machine whose memory can be kept, so that it goes on from the same moment again and again, without a boot."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from machine import Machine

# QEMU 7.2 loses the interrupt of a packet that comes while a machine begins to go on, and then that hears nothing more:
# no connection may be ending when it is saved, and where one was, it is begun again
_REST_S, _ANSWER_S, _TRIES = 3.0, 20.0, 5
_STEP = re.compile(rb"memfit-step (\d+)\r?\n")
# On the serial line it says when anything changes in the folders that memfit writes to: no connection takes so little
# time, and none outlives the saving of memory. It counts from the moment at which it was saved.
_WATCHER = """
import os, time
folders = ("/var/lib/memfit", "/var/lib/memfit/journal", "/etc/systemd/system", "/etc/sysctl.d", "/boot/extlinux")
def look():
    seen = []
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                seen.append(sorted((entry.name, entry.inode()) for entry in entries))
        except OSError:
            seen.append(None)
    return seen
said, count = look(), 0
while True:
    now = look()
    if now != said:
        said, count = now, count + 1
        with open("/dev/ttyAMA0", "w") as line:
            line.write("memfit-step %d\\n" % count)
    time.sleep(0.004)
"""


class Saved(Machine):
    """``save`` keeps memory and disk, ``resume`` goes on from there, ``steps`` counts what memfit does since."""

    def watch(self) -> None:
        """Count changes of memfit's folders from now on, also after ``resume``."""
        (self.folder / "watcher.py").write_text(_WATCHER)
        self.copy(self.folder / "watcher.py", "/run/watcher.py")
        self.ssh("systemd-run --quiet --unit=watcher --property=StandardOutput=null python3 -IS /run/watcher.py")
        time.sleep(3)  # an emulated processor takes its time

    def save(self, disk: Path) -> Path:
        """Keep memory and disk as they are now in ``disk``, and switch off."""
        time.sleep(_REST_S)
        self._say("savevm now")
        self.kill()
        return Path(shutil.copy(self.disk, disk))

    def resume(self, disk: Path) -> None:
        """Go on where ``save`` was, with a copy of that disk."""
        for _ in range(_TRIES):
            shutil.copy(disk, self.disk)
            self._heard = self.console.stat().st_size
            with (self.folder / "qemu.log").open("ab") as log:
                words = [*self._qemu(), "-loadvm", "now"]
                self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            time.sleep(1)
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self.run("true", timeout_s=_ANSWER_S).returncode == 0:
                    return
            self.kill()
        raise RuntimeError(f"it does not go on: {(self.folder / 'qemu.log').read_text()[-1000:]}")

    @property
    def disk(self) -> Path:
        """The disk that it runs from."""
        return self._disk

    @property
    def steps(self) -> int:
        """How many changes were seen since it goes on; several at once are one."""
        with self.console.open("rb") as console:
            console.seek(self._heard)
            return len(_STEP.findall(console.read()))

    def _qemu(self) -> list[str]:
        words = super()._qemu()
        words[words.index("-monitor") + 1] = f"unix:{self.folder / 'monitor'},server,nowait"
        return words

    def _say(self, command: str) -> None:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(120)
            monitor.connect(str(self.folder / "monitor"))
            self._until_prompt(monitor)
            monitor.sendall(command.encode() + b"\n")
            answer = self._until_prompt(monitor)
            if b"Error" in answer:
                raise RuntimeError(f"{command}: {answer!r}")

    @staticmethod
    def _until_prompt(monitor: socket.socket) -> bytes:
        heard = b""
        while not heard.endswith(b"(qemu) "):
            piece = monitor.recv(4096)
            if not piece:
                raise RuntimeError(f"the monitor ended: {heard[-300:]!r}")
            heard += piece
        return heard
