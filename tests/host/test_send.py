"""Files sent to a drive and over ssh: resumed, checked at the other end, named when complete."""

import hashlib
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from memfit.errors import ProbeError, UsageError
from memfit.host import _far_folder
from memfit.host._drive import Drive
from memfit.host._target import Target
from memfit.host.links import LINKS
from memfit.host.send import Place, Sent, import_into_ollama, parse_place, send

DATA = bytes(range(256)) * 10240
SHA = hashlib.sha256(DATA).hexdigest()

# a machine that is reached by running the command here, with its own idea of where / is
_SSH = """#!/bin/sh
for last; do :; done
case "$FAKE_SSH" in refuse) echo "ssh: connect to host device port 22: Connection refused" >&2; exit 255;; esac
exec sh -c "$last"
"""


@pytest.fixture
def client(tmp_path: Path) -> tuple[str, ...]:
    script = tmp_path / "fake-ssh"
    script.write_text(_SSH)
    script.chmod(0o755)
    return (str(script),)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model's file.gguf"
    path.write_bytes(DATA)
    return path


@pytest.fixture(params=["drive", "ssh"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    folder = tmp_path / "there is space"
    folder.mkdir()
    return Place(folder=str(folder), target=Target(host="device") if request.param == "ssh" else None)


def names(place: Place) -> set[str]:
    return {path.name for path in Path(place.folder).iterdir()}


def test_a_file_arrives_whole_and_checked(file: Path, place: Place, client: tuple[str, ...]) -> None:
    seen: list[tuple[int, int]] = []
    sent = send(file, place, client=client, progress=lambda *at: seen.append(at))
    assert (sent.bytes, sent.sha256, sent.sent_bytes) == (len(DATA), SHA, len(DATA))
    assert sent.path.endswith("there is space/model's file.gguf")
    assert names(place) == {file.name}
    assert (Path(place.folder) / file.name).read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))


def test_what_is_there_is_not_sent_again(file: Path, place: Place, client: tuple[str, ...]) -> None:
    send(file, place, client=client)
    again = send(file, place, client=client)
    assert again.sent_bytes == 0
    assert isinstance(again, Sent)


class _Stop(Exception):
    pass


def test_it_goes_on_where_it_broke(file: Path, place: Place, client: tuple[str, ...]) -> None:
    (Path(place.folder) / f"{file.name}.part").write_bytes(DATA[:1000])
    sent = send(file, place, client=client)
    assert sent.sent_bytes == len(DATA) - 1000
    assert (Path(place.folder) / file.name).read_bytes() == DATA


def test_an_interruption_leaves_no_file_under_the_name(file: Path, place: Place, client: tuple[str, ...]) -> None:
    def stop(there: int, total: int) -> None:
        if there >= total // 2:
            raise _Stop

    with pytest.raises(_Stop):
        send(file, place, client=client, progress=stop)
    assert file.name not in names(place)
    send(file, place, client=client)
    assert (Path(place.folder) / file.name).read_bytes() == DATA


def test_a_part_of_another_file_is_begun_anew(file: Path, place: Place, client: tuple[str, ...]) -> None:
    (Path(place.folder) / f"{file.name}.part").write_bytes(b"other" * 100)
    assert send(file, place, client=client).sent_bytes == len(DATA)
    (Path(place.folder) / file.name).unlink()
    (Path(place.folder) / f"{file.name}.part").write_bytes(DATA + b"more")
    assert send(file, place, client=client).sent_bytes == len(DATA)


def test_another_file_of_that_name_stays_until_it_may_go(file: Path, place: Place, client: tuple[str, ...]) -> None:
    there = Path(place.folder) / file.name
    there.write_bytes(b"theirs")
    with pytest.raises(ProbeError, match="is another file"):
        send(file, place, client=client)
    assert there.read_bytes() == b"theirs"
    send(file, place, client=client, overwrite=True)
    assert there.read_bytes() == DATA


def test_what_arrives_damaged_is_removed(
    file: Path, place: Place, client: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_far_folder, "_TAKE", 'cd -- "$1" && tr "\\1" "\\2" > "$2"')
    real = Drive.digest
    monkeypatch.setattr(Drive, "digest", lambda self, name, count: real(self, name, count - 1))
    with pytest.raises(ProbeError, match="another checksum"):
        send(file, place, client=client)
    assert names(place) == set()


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_no_space_is_said_before_it_is_filled(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(10, 9, 1 << 20))
    (tmp_path / "mnt").mkdir()
    with pytest.raises(ProbeError, match=r"2\.5 MiB are still to come, and 1\.0 MiB are free"):
        send(file, Place(folder=str(tmp_path / "mnt")))


def test_no_space_on_the_machine(file: Path, client: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "df").write_text("#!/bin/sh\necho head; echo /dev/x 100 99 1 99% /\n")
    (tmp_path / "df").chmod(0o755)
    (tmp_path / "fake-ssh").write_text(_SSH.replace("exec", f"PATH={tmp_path}:$PATH exec"))
    with pytest.raises(ProbeError, match=r"2\.5 MiB are still to come, and .* are free"):
        send(file, Place(folder=str(tmp_path / "to"), target=Target(host="device")), client=client)


def test_a_drive_that_is_not_there_is_not_made(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="No such file"):
        send(file, Place(folder=str(tmp_path / "mnt")))
    assert not (tmp_path / "mnt").exists()


def test_a_folder_on_the_machine_is_made(file: Path, client: tuple[str, ...], tmp_path: Path) -> None:
    place = Place(folder=str(tmp_path / "opt" / "models"), target=Target(host="device"))
    assert send(file, place, client=client).sent_bytes == len(DATA)


def test_a_machine_that_does_not_answer_is_named(
    file: Path, client: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SSH", "refuse")
    with pytest.raises(ProbeError, match="device: nothing answers there"):
        send(file, Place(folder=str(tmp_path), target=Target(host="device")), client=client)


def test_a_folder_that_may_not_be_written_is_named(file: Path, client: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file")
    with pytest.raises(ProbeError, match=r"device: .*blocked"):
        send(file, Place(folder=str(tmp_path / "blocked"), target=Target(host="device")), client=client)


def test_without_an_ssh_client_it_says_so(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="No such file"):
        send(file, Place(folder=str(tmp_path), target=Target(host="x")), client=(str(tmp_path / "none"),))


@pytest.mark.parametrize(
    ("text", "folder", "target"),
    [
        ("/mnt/drive", "/mnt/drive", None),
        ("ssh://device/opt/models/", "/opt/models", Target(host="device")),
        ("ssh://me@192.168.55.1:2222/opt", "/opt", Target(host="192.168.55.1", user="me", port=2222)),
        ("ssh://device/~/models", "models", Target(host="device")),
    ],
)
def test_places(text: str, folder: str, target: Target | None) -> None:
    assert parse_place(text) == Place(folder=folder, target=target)


@pytest.mark.parametrize("text", ["", "ssh://device", "ssh://device/", "ssh://-oProxyCommand=x/y", "ssh://a b/c"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(UsageError):
        parse_place(text)


def test_ollama_there_is_told_of_the_file(file: Path, client: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "ollama").write_text('#!/bin/sh\necho "$@" > created; cat "$4" >> created\n')
    (tmp_path / "ollama").chmod(0o755)
    (tmp_path / "fake-ssh").write_text(_SSH.replace("exec", f"PATH={tmp_path}:$PATH exec"))
    place = Place(folder=str(tmp_path / "models"), target=Target(host="device"))
    send(file, place, client=client)
    import_into_ollama(place, file.name, "mine", client=client)
    assert (tmp_path / "models" / "created").read_text().splitlines() == [
        f"create mine -f {file.name}.Modelfile",
        f"FROM {tmp_path}/models/{file.name}",
    ]


def test_without_ollama_there_it_says_so(file: Path, client: tuple[str, ...], tmp_path: Path) -> None:
    place = Place(folder=str(tmp_path), target=Target(host="device"))
    with pytest.raises(ProbeError, match=r"device: .*ollama.*not found"):
        import_into_ollama(place, file.name, "mine", client=client)
    with pytest.raises(UsageError, match="needs a machine"):
        import_into_ollama(Place(folder=str(tmp_path)), file.name, "mine")


def test_links_are_as_published() -> None:
    times = {link.name.split()[0]: round(link.seconds(2_000_000_000)) for link in LINKS if "USB" not in link.name}
    assert times == {"WiFi": 50, "Gigabit": 18}
    assert {round(link.seconds(2_000_000_000)) for link in LINKS if "USB" in link.name} == {67, 20}
