"""Swap in compressed memory of a size that is asked for, and what is said of weights that would go there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from memfit.device.audit_records import Swap
from memfit.errors import UsageError
from memfit.knob import Compressed, Offer, Wish, offers
from memfit.knob._zram import packed_by, script, unit_text
from memfit.knob.changes import FileChange, LinkChange
from memfit.units import GIB, MIB
from whole_machine import machine

UNIT = "/usr/lib/systemd/system/nvzramconfig.service"
ALGORITHMS = "/sys/block/zram0/comp_algorithm"
SYSTEM = "/etc/systemd/system"
FILES: dict[str, str | bytes] = {UNIT: b"[Unit]\n", ALGORITHMS: "lzo [lzo-rle] lz4 zstd\n"}


def weights(ratio: float, algorithm: str = "lz4", size: int = 5 * GIB) -> Compressed:
    return Compressed(
        algorithm=algorithm, pages=1000, stored_bytes=round(4096_000 / ratio), file="model.gguf", file_bytes=size
    )


def zram(
    value: str = "",
    *packed: Compressed,
    stored: int = 0,
    cost: int = 0,
    size: int = 3 * GIB,
    files: dict[str, str | bytes] | None = None,
    **fields: Any,
) -> Offer:
    host, known = machine(FILES if files is None else files)
    sizes = {"original_bytes": stored, "compressed_bytes": cost, "cost_bytes": cost}
    swaps = (Swap(name="/dev/zram0", kind="zram", size_bytes=size, used_bytes=stored, **sizes),) if size else ()
    known = msgspec.structs.replace(known, **{"swaps": swaps, **fields})
    (offer,) = offers(host, known, names=["zram"], wishes={"zram": Wish(value=value, weights=packed)})
    return offer


def test_what_set_it_up_is_masked_and_one_device_takes_its_place() -> None:
    offer = zram("2GiB,lz4")
    mask, unit, link = offer.changes
    assert mask == LinkChange(
        path=f"{SYSTEM}/nvzramconfig.service", target="/dev/null", why="boot without swap in compressed memory"
    )
    assert isinstance(unit, FileChange)
    assert unit.path == f"{SYSTEM}/memfit-zram.service"
    assert f"echo lz4 > comp_algorithm; echo {2 * GIB} > disksize" in unit.content.decode()
    assert isinstance(link, LinkChange)
    assert (link.path, link.target) == (
        f"{SYSTEM}/swap.target.wants/memfit-zram.service",
        "../memfit-zram.service",
    )
    assert (offer.effect.when, offer.saves) == ("reboot", False)


def test_the_generator_is_told_by_a_drop_in() -> None:
    offer = zram("1GiB", files={**FILES, "/etc/systemd/zram-generator.conf": "[zram0]\n"})
    (file,) = offer.changes
    assert isinstance(file, FileChange)
    assert file.path == "/etc/systemd/zram-generator.conf.d/60-memfit.conf"
    assert file.content.decode().splitlines()[1:] == ["[zram0]", "zram-size = 1024", "compression-algorithm = lzo-rle"]


def test_tables_follow_the_size_and_what_lies_there_the_ratio() -> None:
    empty = zram("1GiB")
    fewer = 2 * GIB // 4096
    assert (empty.effect.gain.likely_bytes, empty.effect.gain.low_bytes) == (fewer * 19, fewer * 19)
    assert empty.effect.gain.high_bytes == fewer * 27
    assert "was not measured" in empty.effect.gain.evidence
    larger = zram("4GiB", stored=1 * GIB, cost=GIB // 4)
    more = GIB // 4096
    assert larger.effect.gain.low_bytes == -more * 27
    assert larger.effect.gain.likely_bytes == -more * 19
    assert larger.effect.gain.high_bytes > 0  # what idles, at 4 : 1
    assert "at the 4.0 : 1 of now" in larger.effect.gain.evidence
    smaller = zram("1GiB", stored=2 * GIB, cost=GIB // 2)
    assert smaller.effect.gain.likely_bytes == fewer * 19 - round(GIB * 0.75)  # one of the two has no place any more


def test_it_is_asked_for_what_it_is() -> None:
    assert "already" in zram("3GiB", size=3 * GIB - 4096).effect.reason
    own = {**FILES, f"{SYSTEM}/nvzramconfig.service": b"[Unit]\n"}
    assert "somebody's own" in zram("2GiB", files=own).effect.reason


def test_a_machine_without_any_gets_one_where_its_kernel_can() -> None:
    module: dict[str, str | bytes] = {"/lib/modules/5.15.148-tegra/kernel/drivers/block/zram/zram.ko": b""}
    offer = zram("2GiB", size=0, files=module)
    assert offer.applies
    assert len(offer.changes) == 2
    assert offer.effect.gain.likely_bytes == -2 * GIB // 4096 * 19
    assert zram("2GiB", size=0, files={}).effect.reason == "not on this machine"
    assert zram("", size=0, files=module).effect.reason == "no unit sets it up"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2GiB,zst", "this kernel has lzo, lzo-rle, lz4, zstd"),
        ("2GiB,", "2GiB or 2GiB,zstd"),
        ("2048", "2GiB or 2GiB,zstd"),
        ("4G", "1024-based"),
        ("64GiB", "2GiB or 2GiB,zstd"),
        ("1MiB", "2GiB or 2GiB,zstd"),
    ],
)
def test_what_it_does_not_take(value: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        zram(value)
    assert said in str(caught.value.hint)


def test_an_algorithm_that_no_kernel_has_is_refused_where_it_does_not_say() -> None:
    files: dict[str, str | bytes] = {UNIT: b"[Unit]\n"}
    assert zram("2GiB,zstd", files=files).applies
    with pytest.raises(UsageError, match="no algorithm 'brotli'"):
        zram("2GiB,brotli", files=files)


def test_no_memory_is_so_large_where_nobody_knows_how_much_there_will_be() -> None:
    image, known = machine({UNIT: b"[Unit]\n"}, live=False)
    (offer,) = offers(image, known, names=["zram"], wishes={"zram": Wish(value="200GiB")})
    assert offer.applies
    with pytest.raises(UsageError, match="more than twice the memory"):
        offers(image, known, names=["zram"], wishes={"zram": Wish(value="300GiB")})


def test_weights_that_would_not_shrink_are_said_to_and_get_no_room() -> None:
    poor = zram("4GiB", weights(1.02))
    assert not poor.applies
    assert "model.gguf packs 1.02 : 1 by lz4 (1000 of its pages)" in poor.effect.reason
    fewer = zram("2GiB", weights(1.02))
    assert fewer.applies  # it takes nothing for them
    assert "model.gguf would not shrink there (1.02 : 1)" in fewer.effect.cost
    off = zram("", weights(1.02))
    assert off.saves
    assert "1.02 : 1 by lz4 (1000 of its pages)" in off.effect.gain.evidence
    assert "model.gguf would not shrink there (1.02 : 1)" in off.effect.cost


def test_weights_that_shrink_count_at_best() -> None:
    offer = zram("4GiB", weights(2.0))
    assert offer.applies
    table = GIB // 4096
    assert offer.effect.gain.high_bytes == -table * 19 + 2 * GIB
    assert "of those weights go there" in offer.effect.gain.evidence


def test_the_nearest_algorithm_stands_in() -> None:
    tried = (weights(1.1, "lz4"), weights(1.2, "zstd"))
    assert packed_by(tried, "zstd") == tried[1]
    assert packed_by(tried, "lzo-rle") == tried[0]
    assert packed_by(tried[1:], "lzo") == tried[1]
    assert packed_by((), "lz4") is None
    assert "by zstd" in zram("1GiB,zstd", *tried).effect.gain.evidence


def test_a_dollar_is_systemds_unless_it_is_doubled() -> None:
    start, stop = script(64 * MIB, "lz4")
    text = unit_text(64 * MIB, "lz4")
    assert f"ExecStart=/bin/sh -ec '{start.replace('$', '$$')}'" in text
    assert f"ExecStop=/bin/sh -ec '{stop}'" in text
    assert "%" not in text
    assert "'" not in start + stop
