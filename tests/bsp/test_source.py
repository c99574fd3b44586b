"""Device tree source read without losing a byte, and edited without touching another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.bsp import _write
from memfit.bsp._tokens import tokens
from memfit.bsp._write import Block, Replacement
from memfit.bsp.recipes import RECIPES
from memfit.bsp.source import parse
from memfit.errors import ProbeError

NASTY = """/dts-v1/; /plugin/;
#include "a.dtsi" // { not a brace
#if defined(X) && \\
    (Y > 2) /* } */
#endif
/* { "unbalanced */
/memreserve/ 0x80000000 0x1000;
/ {
	#address-cells = <2>;
	model = "a \\"quoted\\" { brace } ; and // no comment";
	label1: label2: misc {
		carveout {
			aux_info@CARVEOUT_VPR { size = <0x0 0x0>; };
			/delete-node/ aux_info@44;
			/delete-property/ gone;
		};
		bytes = [00 11 {HEX} ff];
		flag;
		sum = <(1 << 2) &label1 &{/misc/carveout}>, "x";
	};
};
&label1 { more = <1>; };
&{/misc} { again { }; };
"""
NASTY = NASTY.replace("{HEX}", "22")


def test_every_byte_belongs_to_a_token() -> None:
    for text in (NASTY, NASTY.replace("\n", "\r\n"), NASTY + "no newline at the end", ""):
        assert "".join(token.text for token in tokens(text, "x")) == text


def test_nodes_properties_and_removals_are_found_where_they_stand() -> None:
    source = parse(NASTY, "nasty.dts")
    paths = [node.path for node in source.nodes()]
    assert paths == [
        *("/", "/misc", "/misc/carveout", "/misc/carveout/aux_info@CARVEOUT_VPR"),
        *("&label1", "&{/misc}", "&{/misc}/again"),
    ]
    (misc,) = source.at("/misc")
    assert misc.labels == ("label1", "label2")
    assert [one.name for one in misc.properties] == ["bytes", "flag", "sum"]
    assert NASTY[misc.open] == "{"
    assert NASTY[misc.close : misc.end] == "};"
    (root,) = source.at("/")
    assert root.properties[0].name == "#address-cells"
    assert root.properties[1].value.startswith('"a \\"quoted')
    (carveout,) = source.at("/misc/carveout")
    assert [(one.keyword, one.name) for one in carveout.removals] == [
        ("/delete-node/", "aux_info@44"),
        ("/delete-property/", "gone"),
    ]
    (vpr,) = carveout.children
    (size,) = vpr.properties
    assert NASTY[size.value_start : size.value_start + len(size.value)] == "<0x0 0x0>"
    assert source.line(vpr.start) == 13


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("/ {\n\ta {\n};\n", "line 1: the { of / is never closed"),
        ("/ { };\n};\n", "line 2: a } without its {"),
        ('/ {\n\tstatus = "okay"\n};\n', "line 2: 'status' has no ; before the }"),
        ("/ {\n/* comment\n};\n", "line 2: a comment that never ends"),
        ('/ {\n\ta = "text;\n};\n', "line 2: a string that never ends"),
        ("/ {\n\t{ };\n};\n", "line 2: a { without a name"),
        ("/ {\n\ta b { };\n};\n", "line 2: 'a b' is no name"),
        ("a {" * 100 + "};" * 100, "without end"),
    ],
)
def test_what_is_no_source_is_refused_with_its_line(text: str, what: str) -> None:
    with pytest.raises(ProbeError) as error:
        parse(text, "broken.dts")
    assert error.value.message.startswith("broken.dts, line ")
    assert what in error.value.message


_PIECES = [
    "/ {",
    "};",
    "a {",
    "b = <1>;",
    "/*",
    "*/",
    "//",
    '"',
    "'",
    "\n",
    "\r\n",
    "#if",
    "#a",
    "&l",
    ";",
    "<",
    "\\",
    "é",
]


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=40).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert "".join(token.text for token in tokens(text, "x")) == text
        source = parse(text, "x")
    except ProbeError:
        return
    for node in source.nodes():
        assert text[node.open] == "{"
        assert text[node.close] == "}"
        assert node.start <= node.open < node.close < node.end


def test_replacements_are_made_from_the_back_and_may_not_overlap() -> None:
    assert _write.replaced("abcdef", [Replacement(1, 2, "BB"), Replacement(4, 6, "")]) == "aBBcd"
    assert _write.replaced("abc", [Replacement(3, 3, "d"), Replacement(0, 0, "_")]) == "_abcd"
    with pytest.raises(ValueError, match="two replacements"):
        _write.replaced("abcdef", [Replacement(1, 4, ""), Replacement(3, 5, "")])


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_node_is_inserted_as_its_neighbours_are_written(newline: str) -> None:
    text = "/ {\n  misc {\n    carveout {\n      a@1 {\n        size = <1>;\n      };\n    };\n  };\n};\n"
    source = parse(text.replace("\n", newline), "x")
    found = _write.replaced(source.text, _write.inserted(source, "/misc/carveout", [Block("b@2", ("size = <0>;",))]))
    expected = "      };\n\n      b@2 {\n        size = <0>;\n      };\n    };\n"
    assert expected.replace("\n", newline) in found
    assert found.replace(newline, "").count("\n") == 0
    assert found.startswith(source.text[: source.text.index("    };")])


def test_missing_nodes_on_the_way_are_made() -> None:
    source = parse("/ {\n    misc {\n        flag;\n    };\n};\n", "x")
    found = _write.replaced(source.text, _write.inserted(source, "/misc/carveout", [Block("b@2", ("size = <0>;",))]))
    assert [node.path for node in parse(found, "x").nodes()] == ["/", "/misc", "/misc/carveout", "/misc/carveout/b@2"]
    assert "        carveout {\n            b@2 {\n                size = <0>;\n" in found
    assert _write.inserted(parse("#include <x>\n", "x"), "/misc/carveout", [Block("b", ())]) == []


def test_a_cluster_is_switched_off_in_place_and_its_comments_stay() -> None:
    wanted = RECIPES.get("display").cluster
    assert wanted is not None
    text = (
        "/ {\n\tmb2-misc {\n\t\tauxp_controls@3 { /* first */\n\t\t\tenable_init = <1>; // why\n"
        "\t\t\tenable_fw_load = <(1)>;\n\t\t\tother = <5>; // goes\n\t\t\treset_vector = <0x1>;\n\t\t};\n\t};\n};\n"
    )
    source = parse(text, "x")
    (node,) = source.at("/mb2-misc/auxp_controls@3")
    found = _write.replaced(text, _write.set_cluster(source, node, wanted))
    assert "{ /* first */\n\t\t\tenable_init = <0>; // why\n\t\t\tenable_fw_load = <0>;\n" in found
    assert "// goes" in found
    assert "\t\t\treset_vector = <0x40000000>;\n\t\t\tenable_unhalt = <0>;\n\t\t};" in found
    (node,) = parse(found, "x").at("/mb2-misc/auxp_controls@3")
    assert {one.name for one in node.properties} == {name for name, _ in wanted.properties}


def test_all_on_one_line() -> None:
    wanted = RECIPES.get("camera").cluster
    assert wanted is not None
    source = parse("/ { mb2-misc { auxp_controls@2 { enable_init = <1>; x; }; keep { }; }; };", "x")
    (node,) = source.at("/mb2-misc/auxp_controls@2")
    found = parse(_write.replaced(source.text, _write.set_cluster(source, node, wanted)), "x")
    (node,) = found.at("/mb2-misc/auxp_controls@2")
    assert {one.name: one.value for one in node.properties} == {name: "<0>" for name, _ in wanted.properties}
    assert found.at("/mb2-misc/keep")
    gone = _write.replaced(source.text, [_write.removed(source, source.at("/mb2-misc/keep")[0])])
    assert gone == "/ { mb2-misc { auxp_controls@2 { enable_init = <1>; x; };  }; };"
