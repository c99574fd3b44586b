"""A whole audit through every door: what does not change from one moment to the next is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memfit.device.audit import audit, audit_paths
from memfit.device.audit_records import Audit
from memfit.host import LocalHost, Manifest
from memfit.host.record import record
from memfit.host.recorded import RecordedHost
from memfit.host.rootfs import RootfsHost
from memfit.host.ssh import SshHost
from memfit.units import MIB
from ssh_server import Server, require_sshd

MANIFEST = Manifest(paths=audit_paths())


def stable(found: Audit) -> dict[str, object]:
    """What a second audit of the same machine finds again."""
    return {
        **{
            name: getattr(found, name)
            for name in ("board", "board_key", "compatible", "l4t", "jetpack", "stack", "boot")
        },
        **{name: getattr(found, name) for name in ("power", "engines", "physical_bytes", "linux_bytes")},
        "storage": [(row.mount, row.device, row.kind, row.total_bytes) for row in found.storage],
        "swaps": [(row.name, row.kind, row.size_bytes) for row in found.swaps],
        "zones": [row.name for row in found.zones],
        "clocks": [(row.name, row.low_hz, row.high_hz) for row in found.clocks],
        "firmware": [term for term in found.terms if term.layer == "firmware"],
        "terms": {term.name for term in found.terms if term.layer in ("boot", "kernel")},
        "checks": {check.name for check in found.checks},
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    require_sshd()
    started = Server(tmp_path_factory.mktemp("ssh") / "server")
    yield started
    started.stop()


def test_here_over_ssh_and_from_recordings_of_both(server: Server, tmp_path: Path) -> None:
    here, there = LocalHost(), SshHost("board", MANIFEST, client=server.client)
    known = stable(audit(here))
    assert stable(audit(there)) == known
    peak = there.snapshot.peak_bytes
    assert peak is not None
    assert peak <= 20 * MIB
    record(there, MANIFEST, tmp_path / "there.tar.gz")
    told = record(here, MANIFEST, tmp_path / "here.tar.gz")
    assert stable(audit(RecordedHost(tmp_path / "there.tar.gz"))) == known
    recorded = audit(RecordedHost(tmp_path / "here.tar.gz"))
    assert stable(recorded) == known
    assert recorded == audit(told)  # to the last byte: it is the same moment


def test_redacted_it_has_the_same_figures(tmp_path: Path) -> None:
    told = record(LocalHost(), MANIFEST, tmp_path / "plain.tar.gz")
    record(told, MANIFEST, tmp_path / "redacted.tar.gz", redact=True)
    plain, redacted = audit(told), audit(RecordedHost(tmp_path / "redacted.tar.gz"))
    assert redacted.terms
    for name in ("physical_bytes", "linux_bytes", "available_bytes", "unexplained_bytes", "stack", "clocks"):
        assert getattr(redacted, name) == getattr(plain, name)
    assert [(term.name, term.bytes) for term in redacted.terms] == [(term.name, term.bytes) for term in plain.terms]
    shares = [[(row.pid, row.pss_bytes) for row in found.processes] for found in (plain, redacted)]
    assert shares[0] == shares[1]


def test_an_image_tells_what_is_installed() -> None:
    here, image = audit(LocalHost()), audit(RootfsHost(Path("/")))
    assert image.stack.distribution == here.stack.distribution
    assert image.stack.cuda == here.stack.cuda
    assert not image.terms
    assert image.linux_bytes is None
