from pathlib import Path

import pytest

from memfit.device.nvmap import NvMap, count_unread, parse_clients, parse_free, parse_total, read_clients, read_nvmap
from memfit.errors import NeedsRoot
from memfit.host import LocalHost
from memfit.units import KIB

SAMPLES = Path(__file__).parents[3] / "shared/data/devices/nvmap"
HEADING = "CLIENT                        PROCESS      PID        SIZE\n"


class Guarded(LocalHost):
    """A machine as everybody but root sees it: debugfs is shut."""

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        if path.startswith("/sys/kernel/debug"):
            raise NeedsRoot(f"{path}: only root may read it")
        return super().read_bytes(path, most=most)


def sample(name: str) -> str:
    file = SAMPLES / name
    if not file.is_file():
        pytest.skip("the device logs are not beside this checkout")
    return file.read_text()


def test_names_with_spaces_and_the_kernels_own_clients() -> None:
    rows = "user      Web Content: tab   4481     118372K\nuser  nvgpu  kernel        0        512K\ntotal   118884K\n"
    first, second = parse_clients(HEADING + rows)
    assert (first.name, first.pid, first.bytes) == ("Web Content: tab", 4481, 118_372 * KIB)
    assert (second.name, second.pid) == ("nvgpu  kernel", None)
    assert parse_total(HEADING + rows) == 118_884 * KIB


def test_the_sample_tables() -> None:
    clients = parse_clients(sample("orin_clients.txt"))
    assert [(client.name, client.pid) for client in clients] == [
        ("gem", 4481),
        ("gnome-shell", 2831),
        ("Xorg", 1731),
        ("nvargus-daemon", 1012),
    ]
    assert sum(client.bytes for client in clients) == parse_total(sample("orin_clients.txt")) == 141_896 * KIB


def test_the_total_may_exceed_what_clients_hold() -> None:
    text = sample("nvidia-docs_vllm_clients.txt")
    (client,) = parse_clients(text)
    assert client.name == "VLLM::EngineCor"
    assert (parse_total(text) or 0) - client.bytes == (15_319_584 - 14_617_792) * KIB


def test_rows_without_a_size_are_no_rows() -> None:
    text = sample("clients_bad.txt")
    assert parse_clients(text) == ()
    assert parse_total(text) is None
    assert count_unread(text) == 4
    assert count_unread(sample("orin_clients.txt")) == count_unread(sample("nvidia-docs_vllm_clients.txt")) == 0


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("Max allocatable IOVMM memory: 6135873536 bytes\n", 6_135_873_536),
        ("6135873536\n", 6_135_873_536),
        ("", None),
        ("none", None),
    ],
)
def test_what_it_could_still_give(text: str, size: int | None) -> None:
    assert parse_free(text) == size


def test_without_root_it_says_that_it_was_not_seen(tmp_path: Path) -> None:
    (tmp_path / "sys/module/nvmap/parameters").mkdir(parents=True)
    (tmp_path / "sys/module/nvmap/parameters/pool_size").write_text("243835\n")
    assert read_nvmap(Guarded(tmp_path)) == NvMap(readable=False)
    with pytest.raises(NeedsRoot):
        read_clients(Guarded(tmp_path))


def test_a_machine_without_it_has_none(tmp_path: Path) -> None:
    assert read_nvmap(LocalHost(tmp_path)) is None
    assert read_nvmap(Guarded(tmp_path)) is None
    assert read_clients(LocalHost(tmp_path)) == ()
