"""The one door: every view on every output, names that do not exist, JSON there and back, schemas."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest
from render_samples import CURVE, FITS, ORIN_NANO, RECORDS

from memfit.errors import UnknownName, UsageError
from memfit.footprint.records import Curve, Footprint
from memfit.render import OUTPUTS, VIEWS, Document, find_view, record_names, render, schema
from memfit.render.document import Note

SHOWN = [
    (name, view)
    for view, _ in VIEWS.items()
    for name, record in RECORDS.items()
    if isinstance(record, VIEWS.get(view).record)
]


def test_every_view_has_a_sample() -> None:
    assert {view for _, view in SHOWN} == set(VIEWS.keys())


@pytest.mark.parametrize(("name", "view"), SHOWN)
@pytest.mark.parametrize("output", [key for key, _ in OUTPUTS.items() if key != "png"])
def test_every_view_on_every_output(name: str, view: str, output: str) -> None:
    record = RECORDS[name]
    if output == "svg" and not find_view(type(record), view).document(record).pictures():
        with pytest.raises(UsageError, match="no picture"):
            render(record, output, view=view)
        return
    shown = render(record, output, view=view)
    assert isinstance(shown, str)
    assert shown.endswith("\n")
    assert " object at 0x" not in shown  # an object that nobody turned into text


def test_default_view_bears_the_name_of_the_record() -> None:
    assert render(FITS) == render(FITS, view="footprint")
    assert render(CURVE) == render(CURVE, view="curve")


def test_unknown_names_name_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown output") as wrong_output:
        render(FITS, "htm")
    assert "html" in (wrong_output.value.hint or "")
    with pytest.raises(UnknownName, match="unknown view") as wrong_view:
        render(FITS, view="budgets")
    assert "budget" in (wrong_view.value.hint or "")


def test_a_view_of_other_records_says_which_would_do() -> None:
    with pytest.raises(UsageError, match="view 'curve' shows a Curve, not a Footprint") as error:
        render(FITS, view="curve")
    assert error.value.hint == "views of a Footprint: budget, explain, footprint"


def test_a_record_without_a_view_is_a_clear_mistake() -> None:
    with pytest.raises(UsageError, match="no view shows a ModelSummary"):
        render(FITS.model)


@pytest.mark.parametrize("name", RECORDS)
def test_json_is_exactly_the_record(name: str) -> None:
    record = RECORDS[name]
    text = render(record, "json")
    assert msgspec.json.decode(text, type=type(record)) == record
    assert isinstance(text, str)
    assert list(json.loads(text)) == [field.name for field in msgspec.structs.fields(record)]
    assert text.startswith('{\n  "')


def test_json_has_no_views() -> None:
    assert render(FITS, "json", view="budget") == render(FITS, "json")


def test_json_of_an_undecodable_path_can_be_read_by_anyone() -> None:
    path = "/models/b\udcffd.gguf"  # how Python holds a file name that is not UTF-8
    record = msgspec.structs.replace(FITS, deployment=msgspec.structs.replace(FITS.deployment, model=path))
    text = render(record, "json")
    assert isinstance(text, str)
    read = msgspec.json.decode(text.encode(), type=Footprint)
    assert read.deployment.model == "/models/b\N{REPLACEMENT CHARACTER}d.gguf"
    assert read.terms == FITS.terms


def test_a_document_renders_as_itself_and_survives_json() -> None:
    document = Document("Catalog", (Note("two models"), *find_view(Footprint).document(FITS).blocks))
    assert "two models" in str(render(document))
    assert msgspec.json.decode(render(document, "json"), type=Document) == document


def test_schema_describes_what_json_prints() -> None:
    for record in (FITS, CURVE, ORIN_NANO):
        described = schema(type(record).__name__)
        body = described["$defs"][type(record).__name__]
        printed = json.loads(render(record, "json"))
        assert set(printed) == set(body["properties"])
        assert set(body["required"]) <= set(printed)


def test_schema_knows_every_record_inside_the_shown_ones() -> None:
    assert {"footprint", "curve", "device", "term", "part", "options", "relief", "curve_point"} <= set(record_names())
    assert schema("CurvePoint") == schema("curve_point")
    assert schema("curve_point")["$defs"]["CurvePoint"]["properties"]["required_bytes"] == {"type": "integer"}
    with pytest.raises(UnknownName, match="unknown record: 'footprnt'") as error:
        schema("footprnt")
    assert "footprint" in (error.value.hint or "")


def test_only_the_terminal_imports_rich() -> None:
    program = (
        "import sys\n"
        "from render_samples import FITS\n"
        "from memfit.render import render\n"
        "for output in ('json', 'html', 'markdown', 'svg'): render(FITS, output)\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('rich', 'resvg_py')]\n"
        "render(FITS)\n"
        "assert 'rich.console' in sys.modules\n"
        "assert not {'rich.markdown', 'rich.syntax', 'rich.progress', 'pygments'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_the_curve_sample_is_the_record_the_footprint_wing_makes() -> None:
    assert isinstance(CURVE, Curve)
    assert [point.verdict for point in CURVE.points] == ["fits"] * 5 + ["no"] * 2
