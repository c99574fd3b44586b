"""What a source pulls in: files of the tree are taken, whatever has no end or is elsewhere is refused by its line."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixture_tree import BCT, COMMON, DTB, MB1, MB2, Fixture, contents, make_tree, require_tools

from memfit.bsp import audit_tree, patch
from memfit.bsp.layout import find_layout
from memfit.bsp.merged import merge
from memfit.errors import ProbeError
from memfit.units import MIB

ORIN_NANO = "p3767-0003"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Fixture]:
    """Whatever it is, it takes no longer than an answer may."""
    require_tools()
    tree = make_tree(tmp_path)
    begin = time.monotonic()
    yield tree
    assert time.monotonic() - begin < 10


def embed(tree: Fixture, name: str, file: str = MB2, node: str = "eeprom {") -> None:
    tree.change(file, f"{node}\n", f'{node}\n\t\t\tblob = /incbin/("{name}");\n')


def include(tree: Fixture, line: str) -> None:
    tree.change(MB2, "/dts-v1/;\n", f"/dts-v1/;\n{line}\n")


def refused(tree: Fixture, *words: str) -> None:
    before = contents(tree)
    for style in ("override", "edit"):
        with pytest.raises(ProbeError) as caught:
            patch(str(tree.root), ORIN_NANO, style=style)
        told = f"{caught.value.message} | {caught.value.hint}"
        assert not [word for word in words if word not in told], told
        assert caught.value.hint, told
    assert contents(tree) == before


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("data.bin", f"{BCT}/data.bin"),
        ("sub/data.bin", f"{BCT}/sub/data.bin"),
        ("../../data.bin", "bootloader/data.bin"),
        ("data.bin", "bootloader/data.bin"),
        ("bootloader/data.bin", "bootloader/data.bin"),
    ],
)
@pytest.mark.parametrize("style", ["override", "edit"])
def test_a_file_of_the_tree_is_compiled_in(tree: Fixture, name: str, file: str, style: str) -> None:
    tree.write(file, "abc")
    embed(tree, name)
    assert patch(str(tree.root), ORIN_NANO, style=style).reclaimed_bytes == 101 * MIB
    layout = find_layout(str(tree.root), ORIN_NANO)
    eeprom = merge(layout.root, layout.mb2, layout.includes).root.at("/mb2-misc/eeprom")
    assert eeprom is not None
    assert eeprom.properties["blob"] == b"abc"
    assert 'blob = /incbin/("' + name in tree.text(MB2)


def test_it_is_looked_for_beside_the_file_that_names_it(tree: Fixture) -> None:
    for folder, content in (("bootloader", "of the include"), (BCT, "of the board")):
        tree.write(f"{folder}/data.bin", content)
    embed(tree, "data.bin", COMMON, "auxp_ast_config@2 {")
    layout = find_layout(str(tree.root), ORIN_NANO)
    node = merge(layout.root, layout.mb2, layout.includes).root.at("/mb2-misc/auxp_ast_config@2")
    assert node is not None
    assert node.properties["blob"] == b"of the include"


@pytest.mark.parametrize("name", ["/etc/passwd", "../../../../outside.bin", "link.bin"])
def test_what_leads_out_of_the_tree_is_refused_by_its_line(tree: Fixture, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.bin").write_text("secret")
    tree.file(f"{BCT}/link.bin").symlink_to(tmp_path / "outside.bin")
    embed(tree, name)
    refused(tree, f"{MB2}, line 8", name, "outside of the tree", "copy it into the tree")


@pytest.mark.parametrize(("name", "kind"), [("/dev/zero", "a device"), ("pipe", "a pipe"), (".", "a folder")])
def test_what_is_no_file_is_refused_before_anything_opens_it(tree: Fixture, name: str, kind: str) -> None:
    os.mkfifo(tree.file(f"{BCT}/pipe"))
    embed(tree, name)
    refused(tree, f"{MB2}, line 8", name, kind)


@pytest.mark.parametrize(("name", "kind"), [("/dev/zero", "a device"), ("pipe", "a pipe"), ("lost", "a device")])
def test_an_include_of_no_file_is_refused_before_cpp_opens_it(tree: Fixture, name: str, kind: str) -> None:
    os.mkfifo(tree.file(f"{BCT}/pipe"))
    tree.file(f"{BCT}/lost").symlink_to("/dev/zero")
    include(tree, '#include "more.dtsi"')
    tree.write(f"{BCT}/more.dtsi", f'\n# include "{name}"\n')
    refused(tree, f"{BCT}/more.dtsi, line 2", name, kind)


def test_one_that_only_cpp_can_tell_is_stopped(tree: Fixture) -> None:
    include(tree, '#define NAME "/dev/zero"\n#include NAME')
    refused(tree, MB2, "cpp", "look for an include of a device")


def test_an_include_from_outside_is_refused_by_its_line(tree: Fixture, tmp_path: Path) -> None:
    (tmp_path / "outside.dtsi").write_text("/ { };\n")
    include(tree, '\n#include "../../../../outside.dtsi"')
    refused(tree, f"{MB2}, line 3", "outside of the tree")


def test_what_is_not_there_or_not_plainly_named(tree: Fixture) -> None:
    embed(tree, "gone.bin")
    refused(tree, f"{MB2}, line 8", "gone.bin", "which is not in the tree")
    tree.change(MB2, '"gone.bin"', '"gone\\x2ebin"')
    refused(tree, f"{MB2}, line 8", "without a plain name")
    tree.change(MB2, '/incbin/("gone\\x2ebin")', '"a text of /incbin/(x)"')
    assert audit_tree(str(tree.root), ORIN_NANO).published_bytes == 101 * MIB


def test_a_name_that_no_file_can_have(tree: Fixture) -> None:
    include(tree, f'#include "{"x" * 300}"')
    refused(tree, MB2, "cpp", "fatal error")
    tree.change(MB2, f'#include "{"x" * 300}"\n', "")
    embed(tree, "x" * 300)
    refused(tree, f"{MB2}, line 8", "which is not in the tree")


def test_a_tree_whose_path_has_quotes(tmp_path: Path) -> None:
    require_tools()
    tree = make_tree(tmp_path / 'a "b" \\c é')
    tree.write(f"{BCT}/data.bin", "abc")
    embed(tree, "data.bin")
    assert patch(str(tree.root), ORIN_NANO).reclaimed_bytes == 101 * MIB


def test_an_include_of_dtc_is_refused(tree: Fixture) -> None:
    include(tree, '/include/ "/etc/passwd"')
    refused(tree, f"{MB2}, line 2", "/include/", "#include")


def test_a_source_that_is_far_too_large(tree: Fixture) -> None:
    """Comments alone: no program but memfit would have read them for long."""
    tree.add(MB2, "/* a comment of a line */\n" * (27 * MIB // 26))
    refused(tree, f"{MB2} has 28,31", "up to 1,048,576")
    tree.write(f"{BCT}/large.dtsi", tree.text(MB2))
    tree.write(MB2, tree.text(MB2)[:4000])
    include(tree, '#include "large.dtsi"')
    refused(tree, f"{MB2}, line 2", "large.dtsi, which has 28,31")


def test_sources_that_are_too_large_together(tree: Fixture) -> None:
    for number in range(5):
        tree.write(f"{BCT}/part{number}.dtsi", "/* a comment of a line */\n" * (1000 * 1024 // 26))
        include(tree, f'#include "part{number}.dtsi"')
    refused(tree, MB2, "more than 4,194,304 bytes with all that it includes")


def test_a_file_that_includes_itself_without_end(tree: Fixture) -> None:
    again = '#if __INCLUDE_LEVEL__ < 40\n#include "again.dtsi"\n#include "again.dtsi"\n#endif\n'
    tree.write(f"{BCT}/again.dtsi", f'/ {{ a = "{"x" * 1000}"; }};\n{again}')
    include(tree, '#include "again.dtsi"')
    refused(tree, MB2, "cpp makes more than 2.0 MiB")


def test_a_large_source_is_read_in_time(tree: Fixture) -> None:
    tree.change(MB1, "\t\tsoctherm {\n", "\t\tsoctherm {\n\t\t\tlong = <" + "0x1 " * 250_000 + ">;\n")
    assert patch(str(tree.root), ORIN_NANO, style="edit").reclaimed_bytes == 101 * MIB


def test_a_kernel_tree_that_is_far_too_large(tree: Fixture) -> None:
    with tree.file(DTB).open("ab") as file:
        file.truncate(64 * MIB)
    with pytest.raises(ProbeError, match=r"p3767-0003-nv\.dtb: it has more than 4\.0 MiB"):
        patch(str(tree.root), ORIN_NANO)
