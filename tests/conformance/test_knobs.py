"""Every knob of the catalog: what holds for all, where a machine has everything and where it has nothing."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

from memfit.agent.denied import Aliases, check
from memfit.agent.tree import Tree
from memfit.device.audit import audit, audit_paths
from memfit.device.audit_records import Audit
from memfit.errors import UnknownName
from memfit.host.rootfs import RootfsHost
from memfit.host.snapshot import SnapshotHost, _matches
from memfit.knob import NEEDS, Offer, offers
from memfit.knob._sysctl import SYSCTL, TMPFILES
from memfit.knob.changes import as_request
from memfit.knob.combine import changes_of
from memfit.knob.knobs import KNOBS
from memfit.units import KIB
from whole_machine import machine, whole_machine

FOLDER = Path(str(KNOBS._folder))
SHARED = {SYSCTL, TMPFILES}


@cache
def whole() -> tuple[SnapshotHost, Audit]:
    return whole_machine()


@cache
def offered() -> dict[str, Offer]:
    host, known = whole()
    return {offer.name: offer for offer in offers(host, known)}


@pytest.mark.parametrize("name", KNOBS.keys())
def test_it_says_what_it_does_and_what_that_costs(name: str) -> None:
    knob = KNOBS.get(name)
    first = (ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text())) or "").splitlines()[0]
    assert first.endswith(".")
    assert first[0].isupper()
    assert ": " in first
    assert knob.summary
    assert not knob.summary.endswith(".")
    assert knob.summary.split()[0].islower()
    assert knob.spares <= set(NEEDS)
    assert all(path.startswith("/") for path in knob.paths)
    assert KNOBS.key(name) == name
    assert all(KNOBS.key(alias) == name for alias in knob.aliases)


@pytest.mark.parametrize("name", KNOBS.keys())
def test_it_decides_by_what_it_read_alone(name: str) -> None:
    host, known = whole()
    knob = KNOBS.get(name)
    first, second = knob.read(host, known), knob.read(host, known)
    assert first == second
    if first is None:
        return
    assert knob.effect(first) == knob.effect(second)
    assert knob.change(first) == knob.change(second)


@pytest.mark.parametrize("name", KNOBS.keys())
def test_its_gain_is_a_range_of_this_machines_own_figures(name: str) -> None:
    effect = offered()[name].effect
    gain = effect.gain
    assert gain.low_bytes <= gain.likely_bytes <= gain.high_bytes
    if not effect.applies:
        assert effect.reason
        return
    assert not effect.reason
    assert effect.cost
    assert gain.evidence
    if not effect.saves:
        assert gain.likely_bytes == 0


@pytest.mark.parametrize("name", KNOBS.keys())
def test_the_agent_takes_its_changes_and_they_are_some(name: str, tmp_path: Path) -> None:
    host, known = whole()
    offer = offered()[name]
    changes = changes_of(host, known, [offer]) if offer.effect.applies else ()
    assert bool(changes) == offer.effect.applies
    target = tmp_path / "lib/systemd/system/multi-user.target"
    target.parent.mkdir(parents=True)
    target.touch()
    aliases = Aliases(Tree(str(tmp_path)))
    for change in as_request(changes):
        check(change, aliases)
        assert change["why"]


@pytest.mark.parametrize("name", KNOBS.keys())
def test_what_it_needs_of_a_path_is_declared(name: str) -> None:
    """Over SSH and in a recording nothing else is there: the answer must be the same."""
    host, known = whole()
    asked = Asked(host)
    KNOBS.get(name).read(asked, known)
    patterns = set(KNOBS.get(name).paths)
    # the sizes of the journal's files are known only where they can be read, and never fetched
    undeclared = {
        path
        for path in asked.paths
        if not any(_matches(path, pattern) for pattern in (*patterns, *audit_paths()))
        and not path.startswith("/run/log/journal/")
    }
    assert not undeclared


def test_no_two_knobs_change_the_same() -> None:
    host, known = whole()
    every = [offer for offer in offered().values() if offer.effect.applies]
    paths: Counter[str] = Counter()
    settings: Counter[str] = Counter()
    for offer in every:
        paths.update({str(getattr(change, "path", getattr(change, "unit", ""))) for change in offer.changes} - {""})
        settings.update(offer.settings.keys())
    assert [path for path, count in paths.items() if count > 1] == []
    assert [path for path, count in settings.items() if count > 1] == []
    assert not SHARED & paths.keys()
    together = Counter(getattr(change, "path", "") for change in changes_of(host, known, every))
    assert all(together[path] <= 1 for path in SHARED)


def test_most_of_them_apply_to_a_machine_that_has_everything() -> None:
    idle = {name: offer.effect.reason for name, offer in offered().items() if not offer.effect.applies}
    ours = {
        *("desktop", "audio", "journald", "tmpfs", "zram", "swappiness", "min_free", "drop_caches", "compaction"),
        *("huge_pages", "power_mode", "clocks"),
    }
    assert not idle.keys() & ours, idle


@pytest.mark.parametrize("name", KNOBS.keys())
def test_an_empty_image_is_no_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    host = RootfsHost(tmp_path)
    (offer,) = offers(host, audit(host), names=[name])
    assert not offer.effect.applies
    assert offer.effect.reason
    assert offer.changes == ()


@pytest.mark.parametrize("name", KNOBS.keys())
def test_nothing_is_an_error_where_nothing_may_be_read(name: str) -> None:
    host, known = machine(name="orin-nano-8gb-headless")
    (offer,) = offers(host, known, names=[name])
    assert offer.effect.gain.low_bytes <= offer.effect.gain.high_bytes


def test_needs_spare_and_unknown_names_are_refused() -> None:
    host, known = whole()
    spared = {offer.name for offer in offers(host, known, needs=["display"]) if offer.spared}
    assert {"desktop", "weston"} <= spared
    assert not any(offer.applies for offer in offers(host, known, needs=NEEDS) if KNOBS.get(offer.name).spares)
    with pytest.raises(UnknownName):
        offers(host, known, names=["dekstop"])


def test_gains_follow_the_machine() -> None:
    """Twice the memory in processes, in tables and in files gives twice the gain: none is a constant."""
    host, known = whole()
    small = {offer.name: offer.effect.gain for offer in offers(host, known)}
    rows = tuple(
        msgspec.structs.replace(
            row,
            pss_bytes=2 * (row.pss_bytes or 0),
            anonymous_bytes=2 * row.anonymous_bytes,
            shared_bytes=2 * row.shared_bytes,
            kernel_bytes=2 * row.kernel_bytes,
        )
        for row in known.processes
    )
    large = msgspec.structs.replace(
        known,
        processes=rows,
        nvmap=tuple(msgspec.structs.replace(client, bytes=2 * client.bytes) for client in known.nvmap),
        swaps=tuple(
            msgspec.structs.replace(
                swap, size_bytes=2 * swap.size_bytes, original_bytes=2 * (swap.original_bytes or 0),
                cost_bytes=2 * (swap.cost_bytes or 0),
            )
            for swap in known.swaps
        ),
        terms=tuple(msgspec.structs.replace(term, bytes=2 * term.bytes) for term in known.terms),
    )  # fmt: skip
    grown = {offer.name: offer.effect.gain for offer in offers(host, large)}
    for name in ("desktop", "audio", "snapd", "packagekit", "zram", "drop_caches", "camera_daemon"):
        assert small[name].likely_bytes > 0, name
        assert abs(grown[name].likely_bytes - 2 * small[name].likely_bytes) < KIB, name


class Asked(SnapshotHost):
    """A host that notes what it was asked for."""

    def __init__(self, host: SnapshotHost) -> None:
        super().__init__(host.snapshot)
        self.paths: set[str] = set()

    def read_bytes(self, path: str, *, most: int = 1 << 20) -> bytes:
        self.paths.add(path)
        return super().read_bytes(path, most=most)

    def read_link(self, path: str) -> str:
        self.paths.add(path)
        return super().read_link(path)

    def list_dir(self, path: str) -> tuple[str, ...]:
        self.paths.add(path)
        return super().list_dir(path)
