import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.device.control_groups import find_owner

ID = "4f1f0bb4a9d14e47b1c2d3e4f5a6b7c84f1f0bb4a9d14e47b1c2d3e4f5a6b7c8"
SHORT = ID[:12]


@pytest.mark.parametrize(
    ("path", "unit", "kind"),
    [
        ("/system.slice/ssh.service", "ssh.service", "service"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "service"),
        ("/system.slice/snap.cups.cupsd.service", "snap.cups.cupsd.service", "service"),
        (
            r"/system.slice/systemd-fsck@dev-disk-by\x2duuid-1.service",
            "systemd-fsck@dev-disk-by-uuid-1.service",
            "service",
        ),
        ("/init.scope", "init.scope", "service"),
        ("/user.slice/user-1000.slice/session-2.scope", "session-2.scope", "session"),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000.service", "session"),
        (
            "/user.slice/user-1000.slice/user@1000.service/session.slice/pulseaudio.service",
            "pulseaudio.service",
            "session",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-4481.scope",
            "app-gnome-firefox-4481.scope",
            "session",
        ),
        (f"/system.slice/docker-{ID}.scope", f"docker {SHORT}", "container"),
        (f"/docker/{ID}", f"docker {SHORT}", "container"),
        (f"/machine.slice/libpod-{ID}.scope/container", f"podman {SHORT}", "container"),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope", f"podman {SHORT}", "container"),
        (f"/kubepods.slice/kubepods-besteffort.slice/cri-containerd-{ID}.scope", f"containerd {SHORT}", "container"),
        (f"/system.slice/nerdctl-{ID}.scope", f"containerd {SHORT}", "container"),
        (f"/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope", f"cri-o {SHORT}", "container"),
        (f"/kubepods/besteffort/pod2f9c/{ID}", f"kubernetes {SHORT}", "container"),
        ("/lxc.payload.web/init.scope", "lxc web", "container"),
        ("/machine.slice/systemd-nspawn@build.service", "machine build", "container"),
        ("/", None, "other"),
        ("/some/folder", None, "other"),
    ],
)
def test_owners_of_version_2(path: str, unit: str | None, kind: str) -> None:
    owner = find_owner(f"0::{path}\n")
    assert (owner.unit, owner.kind) == (unit, kind)


def test_version_1_is_asked_where_systemd_keeps_its_own() -> None:
    text = "12:memory:/system.slice\n9:name=systemd:/system.slice/cron.service\n0::/\n"
    assert find_owner(text).unit == "cron.service"


def test_an_engine_that_manages_groups_itself_shows_in_other_hierarchies() -> None:
    text = f"12:memory:/docker/{ID}\n3:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/system.slice/docker.service\n"
    assert find_owner(text).unit == f"docker {SHORT}"


def test_a_group_that_was_removed_is_still_named() -> None:
    assert find_owner("0::/system.slice/old.service (deleted)\n").unit == "old.service"


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    find_owner(text)
    find_owner(f"0::/{text}")
