"""Device tree blobs, whole and damaged."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from memfit.bsp.fdt import Blob, number, read_blob, strings
from memfit.bsp.merged import differences
from memfit.errors import ProbeError

KEPT = Path(__file__).parents[1] / "fixtures/bsp/Linux_for_Tegra/kernel/dtb"
WHOLE = (KEPT / "tegra234-p3768-0000+p3767-0003-nv.dtb").read_bytes()


def test_a_blob_is_read() -> None:
    root = read_blob(WHOLE, "x")
    assert [node.path for node in root.walk()] == [
        *("/", "/bus@0", "/bus@0/serial@3100000", "/display@13800000", "/gpu@17000000"),
    ]
    assert root.compatible() == ("nvidia,p3768-0000+p3767-0003", "nvidia,p3767-0003", "nvidia,tegra234")
    display = root.at("/display@13800000")
    assert display is not None
    assert (display.name, strings(display.properties["status"])) == ("display@13800000", ("okay",))
    assert root.at("/nothing") is None
    assert (number(b"\0\0\0\2"), number(b"\0\0\0\1\0\0\0\0"), number(b"1"), number(None)) == (2, 1 << 32, None, None)


def test_differences_are_the_highest_nodes_that_differ() -> None:
    def tree(**values: bytes) -> Blob:
        inner = Blob("/a/b", {name: value for name, value in values.items() if name != "gone"}, ())
        return Blob("/", {}, (Blob("/a", {}, (inner,)),) if "gone" not in values else ())

    assert differences(tree(x=b"1"), tree(x=b"1")) == ()
    assert differences(tree(x=b"1"), tree(x=b"2")) == ("/a/b",)
    assert differences(tree(x=b"1"), tree(gone=b"")) == ("/a",)
    assert differences(tree(gone=b""), tree(x=b"1")) == ("/a",)


@given(st.integers(0, len(WHOLE)), st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8))
def test_whatever_the_bytes_it_is_read_or_refused(end: int, changed: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, value in changed:
        content[place] = value
    for damaged in (bytes(content), bytes(content[:end])):
        with suppress(ProbeError):
            assert list(read_blob(damaged, "damaged.dtb").walk())
