"""``extlinux.conf``: read as the boot loader reads it, written so that nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfit.errors import ApplyError
from memfit.knob import _extlinux as extlinux
from memfit.knob._extlinux import check, default_label, parse, warnings, with_default, with_label, without_default

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "devices" / "extlinux"
STOCK = b"""TIMEOUT 30
DEFAULT primary

MENU TITLE L4T boot options

LABEL primary
      MENU LABEL primary kernel
      LINUX /boot/Image
      INITRD /boot/initrd
      APPEND ${cbootargs} root=/dev/mmcblk0p1 rw rootwait

# When testing a custom kernel, it is recommended that you create a backup of
# LABEL backup
#    APPEND ${cbootargs}
"""
NEW = "${cbootargs} root=/dev/mmcblk0p1 rw rootwait swiotlb=2048"


def added(content: bytes, label: str = "primary", append: str = NEW) -> bytes:
    return with_label(content, label, f"memfit-{label}", append, what="swiotlb=2048")


def refusal(content: bytes | None, loader: extlinux.Loader = "l4t") -> ApplyError:
    with pytest.raises(ApplyError) as caught:
        check(content, loader=loader)
    assert extlinux.PATH in caught.value.message
    assert caught.value.hint
    return caught.value


def labels(count: int) -> bytes:
    return b"".join(b"LABEL l%d\n  LINUX /boot/Image\n  APPEND number=%d\n" % (one, one) for one in range(count))


def samples() -> list[Path]:
    return sorted(SAMPLES.glob("*.extlinux.conf")) if SAMPLES.is_dir() else []


def test_a_stock_file_is_read() -> None:
    file = parse(STOCK)
    assert file.content == STOCK
    assert [label.name for label in file.labels] == ["primary"]
    label = default_label(file)
    assert label.value("LINUX") == "/boot/Image"
    assert label.value("APPEND") == "${cbootargs} root=/dev/mmcblk0p1 rw rootwait"
    assert label.value("MENU LABEL") == "primary kernel"
    assert label.value("FDT") == ""
    assert warnings(file, label) == ()


def test_a_label_is_added_and_made_the_default() -> None:
    new = added(STOCK)
    assert new == STOCK.replace(b"DEFAULT primary", b"DEFAULT memfit-primary") + (
        b"\n"
        b"LABEL memfit-primary\n"
        b"      MENU LABEL memfit: swiotlb=2048\n"
        b"      LINUX /boot/Image\n"
        b"      INITRD /boot/initrd\n"
        b"      APPEND " + NEW.encode() + b"\n"
    )
    file = check(new)
    assert default_label(file).name == "memfit-primary"
    assert default_label(file).is_ours
    assert extlinux.original_label(file).name == "primary"


def test_the_new_label_is_replaced_and_not_added_twice() -> None:
    once = added(STOCK)
    twice = with_label(once, "memfit-primary", "memfit-primary", f"{NEW} cma=64M", what="cma=64M")
    assert twice.count(b"LABEL memfit-primary\n") == 1
    assert twice == once.replace(NEW.encode(), NEW.encode() + b" cma=64M").replace(b": swiotlb=2048", b": cma=64M")
    # what somebody wrote behind it is not memfit's
    more = once + b"\n# a remark\nLABEL other\n  LINUX /boot/other\n"
    again = with_label(more, "memfit-primary", "memfit-primary", NEW, what="swiotlb=2048")
    assert again == more
    assert with_label(once, "primary", "memfit-primary", NEW, what="swiotlb=2048") == once


def test_all_of_a_label_of_ours_goes() -> None:
    """Whatever of it stayed would be a part of the new one, and its APPEND the one that counts."""
    apart = added(STOCK).replace(b"      APPEND ${cbootargs} root=/dev/mmcblk0p1 rw rootwait swiotlb", b"\n  APPEND x")
    new = with_label(apart, "primary", "memfit-primary", NEW, what="swiotlb=2048")
    assert new == added(STOCK)


def test_a_label_of_ours_that_was_copied_from_another_goes() -> None:
    two = STOCK + b"LABEL second\n  LINUX /boot/second\n  APPEND quiet\n"
    new = with_label(added(two), "second", "memfit-second", "quiet cma=64M")
    assert [label.name for label in parse(new).labels] == ["primary", "second", "memfit-second"]


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_line_ends_stay_as_they_are(ends: bytes) -> None:
    content = STOCK.replace(b"\n", ends)
    new = added(content)
    assert len(re.findall(rb"(?<!\r)\n", new)) == (0 if ends == b"\r\n" else new.count(b"\n"))
    assert default_label(parse(content)).value("APPEND") == "${cbootargs} root=/dev/mmcblk0p1 rw rootwait"
    assert with_default(new, "primary").startswith(content)


def test_a_file_without_an_end_of_line_gets_one() -> None:
    content = b"DEFAULT a\nLABEL a\n\tLINUX /boot/Image\n\tAPPEND quiet"
    new = added(content, "a", "quiet cma=64M")
    assert new.startswith(b"DEFAULT memfit-a\nLABEL a\n\tLINUX /boot/Image\n\tAPPEND quiet\n\nLABEL memfit-a\n")
    assert new.endswith(b"\n\tMENU LABEL memfit: swiotlb=2048\n\tLINUX /boot/Image\n\tAPPEND quiet cma=64M\n")


def test_a_label_without_append_or_title_gets_them() -> None:
    new = with_label(b"LABEL a\n  LINUX /boot/Image\n", "a", "memfit-a", "cma=64M")
    assert new == (
        b"DEFAULT memfit-a\nLABEL a\n  LINUX /boot/Image\n"
        b"\nLABEL memfit-a\n  MENU LABEL memfit: a\n  LINUX /boot/Image\n  APPEND cma=64M\n"
    )


def test_of_several_lines_of_a_keyword_the_last_counts() -> None:
    content = b"DEFAULT b\nLABEL a\nLINUX /a\nAPPEND one\nAPPEND two\nDEFAULT a\nLABEL a\nAPPEND three\n"
    file = parse(content)
    assert default_label(file).value("APPEND") == "two"
    new = with_label(content, "a", "memfit-a", "two cma=64M")
    assert b"DEFAULT b\n" in new
    assert new.count(b"DEFAULT") == 2
    assert default_label(parse(new)).name == "memfit-a"
    assert new.endswith(b"LABEL memfit-a\nMENU LABEL memfit: a\nLINUX /a\nAPPEND two cma=64M\n")


def test_a_remark_behind_the_default_stays() -> None:
    content = STOCK.replace(b"DEFAULT primary", b"  DEFAULT\tprimary  # flashed")
    assert b"  DEFAULT\tmemfit-primary  # flashed\n" in added(content)
    assert with_default(added(content), "primary").startswith(content)


def test_a_missing_default_is_the_first_label() -> None:
    content = STOCK.replace(b"DEFAULT primary\n", b"")
    assert default_label(parse(content)).name == "primary"
    new = added(content)
    assert b"\nDEFAULT memfit-primary\nLABEL primary\n" in new
    assert without_default(with_default(content, "primary")) == content
    assert without_default(new).startswith(content)


def test_keywords_need_no_space_and_capitals() -> None:
    """``CheckCommandString`` compares as many characters as the keyword has, and their case."""
    file = parse(b"DEFAULTa\nLABELa\nLINUX/boot/Image\nAPPENDquiet\n")
    label = default_label(file)
    assert (label.name, label.value("LINUX"), label.value("APPEND")) == ("a", "/boot/Image", "quiet")
    error = refusal(b"LABEL a\n  Append quiet\n")
    assert "line 2" in error.message
    assert "'Append' is in small letters" in error.message
    loose = parse(b"default a\nLabel a\n  append quiet # 1\n", loader="u-boot")
    assert default_label(loose).value("APPEND") == "quiet # 1"


def test_u_boot_has_more_ways() -> None:
    content = b"label a\n  kernel /Image\nlabel b\n  menu default\n  menu label B\n  kernel /Image\n  append x=#1\n"
    file = check(content, loader="u-boot")
    assert default_label(file).name == "b"
    new = with_label(content, "b", "memfit-b", "x=#1 cma=64M", loader="u-boot")
    assert new == b"DEFAULT memfit-b\n" + content + (
        b"\nlabel memfit-b\n  menu label memfit: b\n  kernel /Image\n  append x=#1 cma=64M\n"
    )
    many = labels(12)
    assert len(parse(many, loader="u-boot").labels) == 12
    assert default_label(parse(with_label(many, "l11", "memfit-l11", "a", loader="u-boot"), loader="u-boot")).is_ours


def test_an_eleventh_label_is_none() -> None:
    file = parse(labels(11))
    assert len(file.labels) == 10
    assert file.labels[-1].value("APPEND") == "number=10"  # its lines go to the tenth
    assert file.content == labels(11)


def test_what_is_refused() -> None:
    assert "no such file" in refusal(None).message
    assert "it is empty" in refusal(b" \n").message
    assert "no LABEL" in refusal(b"TIMEOUT 30\n").message
    missing = refusal(STOCK.replace(b"DEFAULT primary", b"DEFAULT backup"))
    assert "line 2: DEFAULT names 'backup'" in missing.message
    assert missing.hint == "name one of primary"
    cut = refusal(STOCK.replace(b" rootwait", b" # rootwait"))
    assert "line 10: L4TLauncher cuts APPEND at the '#'" in cut.message
    orphan = STOCK.replace(b"primary", b"memfit-primary")
    with pytest.raises(ApplyError, match="'primary', from which it was copied, is gone"):
        extlinux.original_label(parse(orphan))


def test_there_is_no_room_for_an_eleventh() -> None:
    with pytest.raises(ApplyError, match=r"line 28: it has 10 labels already") as caught:
        with_label(labels(10), "l0", "memfit-l0", "cma=64M")
    assert caught.value.hint == "remove one of them"
    nine = with_label(labels(9), "l0", "memfit-l0", "cma=64M")
    assert len(parse(nine).labels) == 10
    assert len(parse(with_label(nine, "l0", "memfit-l0", "cma=32M")).labels) == 10


@pytest.mark.parametrize("append", ["a # b", "a\nb", "a\rb", "a\0b"])
def test_what_cannot_stand_in_a_line(append: str) -> None:
    with pytest.raises(ApplyError, match="cannot stand in a line"):
        added(STOCK, append=append)


def test_a_label_that_is_not_there() -> None:
    with pytest.raises(ApplyError, match="no label is called 'other'"):
        added(STOCK, "other")
    with pytest.raises(ApplyError, match="no label is called 'other'"):
        with_default(STOCK, "other")


def test_what_the_loader_passes_over_is_said() -> None:
    content = STOCK.replace(b"      LINUX /boot/Image\n", b"      LINUX boot/Image\n      OVERLAYS /boot/a.dtbo\n")
    file = check(content)
    found = warnings(file, default_label(file))
    assert len(found) == 2
    assert "OVERLAYS count only with FDT" in found[0]
    assert "LINUX boot/Image is no absolute path" in found[1]
    assert b"OVERLAYS /boot/a.dtbo" in added(content).partition(b"LABEL memfit-primary")[2]


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_samples_of_boards(path: Path) -> None:
    content = path.read_bytes()
    file = check(content)
    label = default_label(file)
    append = label.value("APPEND")
    new = with_label(content, label.name, f"memfit-{label.name}", f"{append} swiotlb=2048")
    back = with_default(new, label.name)
    assert back.startswith(content)
    copy = default_label(parse(new))
    assert copy.value("APPEND") == f"{append} swiotlb=2048"
    for keyword in ("LINUX", "INITRD", "FDT", "OVERLAYS"):
        assert copy.value(keyword) == label.value(keyword)


def test_samples_are_there() -> None:
    if not samples():
        pytest.skip(f"no samples of boards: {SAMPLES} is not here")
    assert len(samples()) >= 6


WORDS = st.sampled_from(["primary", "a", "b c", "memfit-a", "/boot/Image", "${cbootargs} quiet", "x=é", ""])
KEYWORDS = st.sampled_from(
    [
        "DEFAULT",
        "LABEL",
        "MENU LABEL",
        "LINUX",
        "INITRD",
        "FDT",
        "APPEND",
        "TIMEOUT",
        "MENU TITLE",
        "label",
        "#",
        "MENU",
    ]
)
LINES = st.tuples(
    st.sampled_from(["", " ", "\t", "      "]),
    KEYWORDS,
    st.sampled_from(["", " ", "\t", "  "]),
    WORDS,
    st.sampled_from(["", " ", " # so", "\t"]),
    st.sampled_from(["\n", "\n", "\r\n", "\n\n"]),
).map("".join)
FILES = st.one_of(
    st.lists(LINES, max_size=40).map("".join).map(str.encode),
    st.lists(LINES, min_size=1, max_size=20).map(lambda lines: "".join(lines).rstrip("\r\n").encode()),
    st.binary(max_size=300),
)


@given(FILES, st.sampled_from(["l4t", "u-boot"]))
def test_every_byte_is_kept(content: bytes, loader: extlinux.Loader) -> None:
    file = parse(content, loader=loader)
    assert file.content == content
    assert all(label.lines[0].keyword == "LABEL" for label in file.labels)
    assert loader == "u-boot" or len(file.labels) <= 10


@given(FILES, st.sampled_from(["l4t", "u-boot"]))
@settings(max_examples=6000)
def test_nothing_but_the_default_changes(content: bytes, loader: extlinux.Loader) -> None:
    try:
        file = check(content, loader=loader)
        source = default_label(file)
        new = with_label(content, source.name, "memfit-new", "quiet cma=64M", loader=loader)
    except ApplyError:
        return
    after = parse(new, loader=loader)
    chosen = default_label(after)
    assert (chosen.name, chosen.value("APPEND")) == ("memfit-new", "quiet cma=64M")
    if any(label.is_ours for label in file.labels):
        assert sum(label.is_ours for label in after.labels) == 1
        return
    assert len(after.labels) == len(file.labels) + 1
    back = with_default(new, source.name, loader=loader)
    if file.default_line is None:
        back = without_default(back, loader=loader)
    assert back.startswith(content)
    assert with_default(with_default(new, source.name, loader=loader), "memfit-new", loader=loader) == new
    kept = [label for label in after.labels if label.name != "memfit-new"]
    assert [label.value("APPEND") for label in kept] == [label.value("APPEND") for label in file.labels]
