"""An sshd of one's own: a high port, own keys, own configuration, all in one folder."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SSHD = "/usr/sbin/sshd"


class Server:
    """A running sshd, and a client that knows it as ``board``.

    The server's ``python3`` (and any other program) is what ``put`` places in ``bin``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.home = folder / "home"
        for made in (self.bin, self.home):
            made.mkdir(parents=True)
        for key in ("host", "user", "other"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / key)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        shutil.copy(folder / "user.pub", folder / "authorized_keys")
        self.port = free_port()
        (folder / "sshd_config").write_text(
            f"""
            Port {self.port}
            ListenAddress 127.0.0.1
            HostKey {folder}/host
            AuthorizedKeysFile {folder}/authorized_keys
            PidFile none
            UsePAM no
            StrictModes no
            PermitRootLogin yes
            PasswordAuthentication yes
            PrintMotd no
            SetEnv PATH={self.bin} HOME={self.home}
            """
        )
        self.put("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        self.put("env", '#!/bin/sh\nexec /usr/bin/env "$@"\n')
        self.know("host")
        self.configure()
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stdin=subprocess.DEVNULL, stderr=log
            )
        self._wait()

    def put(self, name: str, script: str) -> None:
        """A program on the server's PATH, written beside and moved there: it may be running."""
        fresh = self.folder / "fresh"
        fresh.write_text(script)
        fresh.chmod(0o755)
        fresh.replace(self.bin / name)

    def know(self, key: str | None) -> None:
        """Which host key the client expects."""
        known = "" if key is None else f"[127.0.0.1]:{self.port} {(self.folder / f'{key}.pub').read_text()}"
        (self.folder / "known_hosts").write_text(known)

    def configure(self, *, key: str = "user", more: str = "") -> None:
        """The client's configuration."""
        (self.folder / "config").write_text(
            f"""
            Host board
                HostName 127.0.0.1
                Port {self.port}
            Host behind
                HostName 127.0.0.1
                Port {self.port}
                ProxyJump board
            Host *
                User {getpass.getuser()}
                IdentityFile {self.folder / key}
                IdentitiesOnly yes
                IdentityAgent none
                UserKnownHostsFile {self.folder}/known_hosts
                GlobalKnownHostsFile none
                {more}
            """
        )
        (self.folder / "config").chmod(0o600)

    @property
    def client(self) -> tuple[str, ...]:
        return ("ssh", "-F", str(self.folder / "config"))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def _wait(self) -> None:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.process.kill()
        pytest.skip(f"sshd does not start here: {(self.folder / 'log').read_text()[-300:]}")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def require_sshd() -> None:
    """Skip where there is none."""
    if not os.access(SSHD, os.X_OK) or shutil.which("ssh") is None:
        pytest.skip("no sshd here: apt install openssh-server openssh-client")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # else it refuses to run as root
