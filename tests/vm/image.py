"""The disk that the machines of these tests boot from: Debian for arm64, made once and kept outside of the repository.

What is installed and what stands in for a Jetson's services is in ``PACKAGES`` and in ``rootfs``; nothing of it is
NVIDIA's. A folder of the cache is named by a digest of this file, ``rootfs`` and ``initrd``: a change makes a new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SUITE = "bookworm"
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "iproute2", "openssh-server", "python3"),
    *("avahi-daemon", "bluez", "cups-daemon", "modemmanager", "packagekit", "unattended-upgrades"),
)
SERVICES = (
    *("systemd-networkd", "gdm", "snapd.socket", "snapd", "nvargus-daemon", "nvmemwarning", "nvpower"),
    *("nvfancontrol", "nv-tee-supplicant"),
)
STAND_INS = ("gdm3", "Xorg", "gnome-shell", "snapd", "nvargus-daemon", "nvmemwarning")
# of the kernel's modules, what a machine of QEMU and a setting of memfit can need: all are 400 MB, and udev loads
# whatever fits the processor
MODULES = (
    *("kernel/lib", "kernel/mm", "kernel/drivers/virtio", "kernel/drivers/block/zram", "kernel/drivers/block/loop.ko"),
    *("kernel/drivers/block/virtio_blk.ko", "kernel/drivers/net/virtio_net.ko", "kernel/drivers/net/net_failover.ko"),
    *("kernel/net/core/failover.ko", "kernel/net/bluetooth/bluetooth.ko", "kernel/net/rfkill"),
    *("kernel/fs/autofs", "kernel/fs/configfs", "kernel/fs/ext4", "kernel/fs/jbd2", "kernel/fs/mbcache.ko"),
    *("kernel/fs/fuse", "kernel/fs/overlayfs", "kernel/fs/binfmt_misc.ko"),
    *("kernel/crypto/crc32c_generic.ko", "kernel/crypto/ecc.ko", "kernel/crypto/ecdh_generic.ko"),
    *("kernel/crypto/lz4.ko", "kernel/crypto/lz4hc.ko", "kernel/crypto/zstd.ko"),
)
# what mounts the root file system, each after what it needs
EARLY_MODULES = (
    *("kernel/drivers/virtio/virtio_mmio", "kernel/drivers/block/virtio_blk", "kernel/lib/crc16", "kernel/fs/mbcache"),
    *("kernel/fs/jbd2/jbd2", "kernel/crypto/crc32c_generic", "kernel/fs/ext4/ext4"),
)
DISK_BYTES = 3 << 30
# tools by the package of Debian that has them: to make the disk, and to boot from it
MAKERS = {
    "mmdebstrap": "mmdebstrap",
    "qemu-aarch64-static": "qemu-user-static",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
    "ssh-keygen": "openssh-client",
}
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_BINFMT_ENTRY = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")


class Unavailable(Exception):
    """The machine at hand cannot make or boot the image; says why."""


class Image(NamedTuple):
    """A made image; its files are never written again.

    Attributes:
        disk: qcow2, one ext4 file system without partitions.
        kernel: what a board has in its kernel partition beside the file system.
        initrd: likewise.
        key: the private key that lets root in.
        host_key: the public key of its sshd.
    """

    disk: Path
    kernel: Path
    initrd: Path
    key: Path
    host_key: Path


def find_image() -> Image:
    """The image, made now where the cache has none (some minutes).

    Raises:
        Unavailable: it is not there and cannot be made here.
    """
    folder = cache_folder()
    if not folder.exists():
        _make(folder)
    names = ("disk.qcow2", "Image", "initrd", "user", "host.pub")
    return Image(*(folder / name for name in names))


def cache_folder() -> Path:
    """Where the image of this recipe is kept."""
    recipe = hashlib.sha256()
    for path in (Path(__file__), *sorted(HERE.glob("rootfs/**/*")), *sorted(HERE.glob("initrd/*"))):
        if path.is_file():
            recipe.update(f"{path.relative_to(HERE)}\0{path.stat().st_mode & 0o111}\0".encode() + path.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "memfit" / "vm" / recipe.hexdigest()[:16]


def require(tools: dict[str, str]) -> None:
    """Refuse where one of ``tools`` is missing.

    Raises:
        Unavailable: names all packages that are missing.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))  # not on everybody's
    missing = sorted({package for tool, package in tools.items() if shutil.which(tool, path=path) is None})
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)} (apt install {' '.join(missing)})")


def call(*command: str | Path, folder: Path | None = None, given: bytes | None = None) -> str:
    """Run a program of this machine and return what it printed; what it complained of is in the exception."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    words = [str(word) for word in command]
    done = subprocess.run(words, input=given, capture_output=True, cwd=folder, env={**os.environ, "PATH": path})
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: code {done.returncode}: {said[-2000:]}")
    return done.stdout.decode("utf-8", "replace")


def _make(folder: Path) -> None:
    if os.geteuid() != 0:
        raise Unavailable("no image is made yet, and only root can make one: sudo make test-vm")
    require(MAKERS)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # somebody else made it
            return
        with tempfile.TemporaryDirectory(prefix="making-", dir=folder.parent) as temporary, _emulated():
            made = Path(temporary) / "made"
            made.mkdir()
            _make_in(made, Path(temporary) / "tree", Path(temporary) / "kernel")
            made.rename(folder)


def _make_in(made: Path, tree: Path, kernel: Path) -> None:
    _debian(tree, "minbase", PACKAGES)
    _debian(kernel, "extract", ("linux-image-arm64", "busybox-static"))
    (release,) = (path.name for path in (kernel / "lib" / "modules").iterdir())
    modules = kernel / "lib" / "modules" / release
    for name in (*MODULES, "modules.order", "modules.builtin", "modules.builtin.modinfo"):
        _copy(modules / name, tree / "usr" / "lib" / "modules" / release / name)
    shutil.copy(kernel / "boot" / f"vmlinuz-{release}", made / "Image")
    _make_initrd(made / "initrd", kernel / "bin" / "busybox", modules)
    for name in ("user", "host"):
        call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", made / name)
    _furnish(tree, made)
    call("chroot", tree, "depmod", release)
    call("chroot", tree, "systemctl", "enable", *SERVICES)
    call("chroot", tree, "systemctl", "set-default", "graphical.target")
    # it waits for an adapter, which no machine of QEMU has
    call("chroot", tree, "systemctl", "add-wants", "multi-user.target", "bluetooth.service")
    # it looks for LVM, which an emulated processor takes half a minute for
    call("chroot", tree, "systemctl", "disable", "e2scrub_reap.service")
    raw = made / "disk.raw"
    with raw.open("wb") as disk:
        disk.truncate(DISK_BYTES)
    call("mke2fs", "-q", "-t", "ext4", "-L", "APP", "-d", tree, raw)
    call("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made / "disk.qcow2")
    raw.unlink()


def _debian(tree: Path, variant: str, packages: Sequence[str]) -> None:
    """Debian into a folder; the variant ``extract`` only unpacks, which needs no emulation.

    The packages are kept in an archive beside the images, so that a change of ``rootfs`` does not install them again.
    """
    digest = hashlib.sha256(" ".join((SUITE, variant, *packages)).encode()).hexdigest()[:16]
    archive = tree.parents[1] / f"debian-{digest}.tar"
    if not archive.exists():
        _install(tree.with_suffix(".tar"), variant, packages)
        tree.with_suffix(".tar").rename(archive)
    tree.mkdir()
    call("tar", "--xattrs", "--xattrs-include=*", "--exclude=./dev/*", "-xpf", archive, "-C", tree)


def _install(archive: Path, variant: str, packages: Sequence[str]) -> None:
    # its own check of the emulation needs one more package
    options = ["--mode=root", "--skip=check/qemu", "--arch=arm64", f"--variant={variant}"]
    options.append(f"--include={','.join(packages)}")
    for useless in ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"):
        options.append(f"--dpkgopt=path-exclude={useless}")
    try:
        call("mmdebstrap", *options, SUITE, archive)
    except RuntimeError as error:
        causes = ("Could not resolve", "Temporary failure", "nable to connect", "ould not connect", "Failed to fetch")
        said = [line for line in str(error).splitlines() if any(cause in line for cause in causes)]
        if said:
            raise Unavailable(f"no image is made yet, and no mirror of Debian is reached: {said[0]}") from error
        raise


def _make_initrd(target: Path, busybox: Path, modules: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary)
        _copy(HERE / "initrd" / "init", tree / "init")
        _copy(busybox, tree / "bin" / "busybox")
        names = [name.rpartition("/")[2] for name in EARLY_MODULES]
        for path, name in zip(EARLY_MODULES, names, strict=True):
            _copy(modules / f"{path}.ko", tree / "lib" / f"{name}.ko")
        (tree / "modules").write_text("\n".join(names))
        listed = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
        call("cpio", "--quiet", "-o", "-H", "newc", "-O", target, folder=tree, given=listed.encode())


def _furnish(tree: Path, made: Path) -> None:
    """Place ``rootfs``, what boots, keys and stand-ins."""
    for source in (path for path in (HERE / "rootfs").rglob("*") if path.is_file()):
        target = tree / source.relative_to(HERE / "rootfs")
        _copy(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)  # whatever the umask of a checkout was
    for name in ("Image", "initrd"):
        _copy(made / name, tree / "boot" / name)
    for key in (tree / "etc" / "ssh").glob("ssh_host_*"):
        key.unlink()
    _copy(made / "host", tree / "etc" / "ssh" / "ssh_host_ed25519_key")
    _copy(made / "user.pub", tree / "root" / ".ssh" / "authorized_keys")
    for name in STAND_INS:
        (tree / "usr" / "libexec" / "stand-in" / name).symlink_to("hold")
    (tree / "usr" / "lib" / "systemd" / "system" / "gdm3.service").symlink_to("gdm.service")


def _copy(source: Path, target: Path) -> None:
    """A file or a folder, at a place whose folders may not be there yet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


@contextmanager
def _emulated() -> Iterator[None]:
    """Programs for arm64 run on this machine; what had to be switched on for that is switched off again."""
    if platform.machine() == "aarch64" or (_BINFMT / "qemu-aarch64").exists():
        yield
        return
    mounted = not (_BINFMT / "register").exists()
    try:
        if mounted:
            call("mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT)
        (_BINFMT / "register").write_text(_BINFMT_ENTRY.read_text())
    except (OSError, RuntimeError) as error:
        raise Unavailable(f"the kernel cannot be told to run programs for arm64 (binfmt_misc): {error}") from error
    try:
        yield
    finally:
        (_BINFMT / "qemu-aarch64").write_text("-1")
        if mounted:
            call("umount", _BINFMT)
