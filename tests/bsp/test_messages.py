"""What is said: each thing once, every refusal with what to do about it, one record of JSON and nothing else."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import msgspec
import pytest
from fixture_tree import COMMON, DTB, MB2, Fixture, contents, make_tree, require_tools

import memfit.bsp
from memfit.bsp import BspAudit, BspDiff, BspReceipt, Patch, patch, plan_patch
from memfit.cli._group import run as run_words
from memfit.errors import ProbeError
from memfit.render import render

ORIN_NANO = "p3767-0003"
BOARD = ("--board", ORIN_NANO)
_RAISED = ("ProbeError", "ApplyError", "UsageError", "NeedsRoot", "Drift", "UndoFailed")


@pytest.fixture
def tree(tmp_path: Path) -> Fixture:
    require_tools()
    return make_tree(tmp_path)


def test_every_refusal_says_what_to_do() -> None:
    """Also those that no test comes to."""
    rooms = Path(memfit.bsp.__file__).parent
    found = 0
    for path in (*rooms.rglob("*.py"), rooms.parent / "cli/verbs/bsp.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _RAISED:
                found += 1
                hints = [word.value for word in node.keywords if word.arg == "hint"]
                assert hints, f"{path.name}, line {node.lineno}"
                assert not (isinstance(hints[0], ast.Constant) and hints[0].value in (None, "", "nothing was written"))
    assert found > 30


def test_what_several_recipes_have_in_common_is_said_once(tree: Fixture) -> None:
    told = plan_patch(str(tree.root), "p3701-0005", ["display", "camera"], experimental=True)
    about = [caution for caution in told.cautions if "nobody has published a boot" in caution]
    assert len(about) == len({caution.partition(": ")[2] for caution in about})
    (shared,) = (caution for caution in about if caution.endswith("p3767 modules ship without it"))
    assert shared.startswith("protected video, safety island: ")
    assert len(told.cautions) == len(set(told.cautions))


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("/ { mb2-misc { /* never ends\n", "unterminated comment", "BSP again"),
        ("/ { mb2-misc { broken };\n", "syntax error", "BSP again"),
        ('#include "vendor.dtsi"\n', "vendor.dtsi", "beside what includes it"),
        ("/ { mb2-misc { a { }; a { }; }; };\n/ { mb2-misc { uses = <&nobody>; }; };\n", "nobody", "BSP again"),
    ],
)
def test_what_a_program_refuses_is_told_by_file_and_reason(tree: Fixture, text: str, said: str, hint: str) -> None:
    tree.add(MB2, text)
    before = contents(tree)
    with pytest.raises(ProbeError) as caught:
        plan_patch(str(tree.root), ORIN_NANO)
    assert MB2 in caught.value.message
    assert said in caught.value.message
    assert hint in str(caught.value.hint)
    assert "aborting" not in caught.value.message
    assert contents(tree) == before


def record_of(capsys: pytest.CaptureFixture[str], kind: type[msgspec.Struct], *words: str) -> msgspec.Struct:
    """One record on standard output, and not a byte besides."""
    code = run_words(("bsp", *words, "--json"))
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    record: msgspec.Struct = msgspec.json.decode(said.out, type=kind)  # one value, to its end
    assert json.loads(said.out) == json.loads(msgspec.json.encode(record))  # and every field of it
    return record


def test_json_is_exactly_one_record(tree: Fixture, capsys: pytest.CaptureFixture[str]) -> None:
    root, needs = str(tree.root), ("--needs", "none")
    record_of(capsys, BspDiff, "diff", root)
    assert getattr(record_of(capsys, BspAudit, "audit", root, *BOARD), "module", "") == ORIN_NANO
    record_of(capsys, Patch, "patch", root, *BOARD, *needs, "--dry-run")
    record_of(capsys, Patch, "diff", root, *BOARD, *needs, "--style", "edit")
    states = [
        record_of(capsys, BspReceipt, "patch", root, *BOARD, *needs, "--yes"),
        record_of(capsys, BspReceipt, "patch", root, *BOARD, *needs, "--yes"),
    ]
    record_of(capsys, Patch, "patch", root, *BOARD, *needs)  # nothing to do: nobody is asked
    record_of(capsys, BspDiff, "diff", root)
    record_of(capsys, BspDiff, "undo", root, "--dry-run")
    record_of(capsys, BspAudit, "audit", root, *BOARD)
    states.append(record_of(capsys, BspReceipt, "undo", root))
    assert [getattr(one, "state", "") for one in states] == ["applied", "nothing to do", "undone"]


def test_json_of_a_question_is_still_one_record(
    tree: Fixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked about is shown to people, not to whoever reads the answer."""
    monkeypatch.setattr("memfit.cli.verbs.bsp.agree", lambda question, yes: None, raising=False)
    code = run_words(("bsp", "patch", str(tree.root), *BOARD, "--needs", "none", "--json"))
    said = capsys.readouterr()
    assert code == 0
    assert msgspec.json.decode(said.out, type=BspReceipt).state == "applied"
    assert "101.0 MiB to win" in said.err


def test_a_refusal_with_json_leaves_standard_output_empty(tree: Fixture, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tree.root)
    patch(root, ORIN_NANO)
    tree.file(DTB).write_bytes(b"somebody's")
    for words in (
        ("undo", root),
        ("patch", root, *BOARD, "--needs", "none", "--yes"),
        ("audit", f"{root}/kernel", *BOARD),
    ):
        code = run_words(("bsp", *words, "--json"))
        said = capsys.readouterr()
        assert code in (2, 3, 5)
        assert said.out == ""
        assert "hint: " in said.err


def test_the_views_name_the_files_of_a_refusal_made_whole(tree: Fixture) -> None:
    tree.file(DTB).write_bytes(b"none")
    found = str(render(memfit.bsp.audit_tree(str(tree.root), ORIN_NANO), width=200))
    assert f"{DTB}: it is no device tree blob" in found
    assert COMMON not in found
