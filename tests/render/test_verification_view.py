import msgspec
import pytest
from render_samples import KILLED, VERIFIED

from memfit.engine.records import Workload
from memfit.measure.records import Growth, Limit, Sample, Verification
from memfit.render import find_view, render, schema
from memfit.render.document import Bullets, Command, Document, Facts, Headline, Table, Timeline, Waterfall
from memfit.units import GIB, MIB
from verified_samples import CUDA, HERE, predicted, ran, term, verified


def show(record: Verification) -> Document:
    return find_view(type(record)).document(record)


def headline(record: Verification) -> Headline:
    found = show(record).blocks[0]
    assert isinstance(found, Headline)
    return found


def fact(record: Verification, name: str) -> str:
    items = [item for block in show(record).blocks if isinstance(block, Facts) for item in block.items]
    return next(item.value for item in items if item.name == name)


def table(record: Verification, title: str) -> Table:
    return next(block for block in show(record).blocks if isinstance(block, Table) and block.title.startswith(title))


def row(record: Verification, name: str) -> list[str]:
    shown = table(record, "Predicted")
    return next([cell.text for cell in each] for each in (*shown.rows, *shown.footers) if each[0].text == name)


def test_the_headline_has_both_figures_and_how_far_they_are_apart() -> None:
    assert headline(VERIFIED) == Headline("within", "ok", "800.0 MiB predicted, 803.0 MiB observed, +0.4%")
    assert headline(verified(verdict="over")).tone == "bad"
    assert headline(verified(verdict="under")).tone == "warn"


def test_a_kill_says_why_and_whether_it_was_foretold() -> None:
    said = headline(KILLED)
    assert (said.verdict, said.tone) == ("killed", "bad")
    assert said.sentence.startswith("killed for memory at 698.0 MiB")
    assert "predicted: fits, 761.0 MiB must stay in memory of 2.00 GiB" in said.sentence


def test_what_cannot_be_judged_does_not_look_like_what_runs() -> None:
    said = headline(verified(runs=False, reason="900.0 MiB of the model were held by another process"))
    assert (said.verdict, said.tone) == ("not judged", "warn")
    assert said.sentence.startswith("900.0 MiB of the model were held by another process; 800.0 MiB predicted")


def test_an_interrupted_run_says_so_and_judges_nothing() -> None:
    cut = ran(outcome="interrupted", reason="it was interrupted (Ctrl-C)", limit=Limit(limit_bytes=GIB))
    document = show(verified(observation=cut, runs=False, reason="it was interrupted (Ctrl-C)"))
    told = [item for block in document.blocks if isinstance(block, Bullets) for item in block.items]
    assert "not run to its end: it was interrupted (Ctrl-C)" in told
    assert not [block for block in document.blocks if isinstance(block, Command)]
    facts = [item.name for block in document.blocks if isinstance(block, Facts) for item in block.items]
    assert "runs in it" not in facts


def test_predicted_and_observed_stand_side_by_side() -> None:
    assert row(VERIFIED, "compute buffers") == ["compute buffers", "50.0", "80.0", "80.0", "53.0", "3.0"]
    assert row(VERIFIED, "tokenizer") == ["tokenizer", "10.0", "15.0", "", "", ""]
    assert row(VERIFIED, "everything else") == ["everything else", "50.0", "", "", "50.0", "0.0"]
    assert row(VERIFIED, "total, at the peak") == ["total, at the peak", "800.0", "861.0", "", "803.0", "3.0"]


def test_what_the_limit_was_charged_is_told_where_there_was_one() -> None:
    assert row(KILLED, "charged to the limit, with page cache")[4] == "700.0"
    assert not any("charged" in each[0].text for each in table(VERIFIED, "Predicted").footers)


def test_pages_shared_with_others_are_told_where_there_are_any() -> None:
    shared = row(
        verified(observation=ran(mapped_elsewhere_bytes=17 * MIB)), "libraries and files that other programs map too"
    )
    assert shared[4] == "17.0"
    assert not any("other programs" in each[0].text for each in table(verified(), "Predicted").footers)


def test_what_did_not_run_is_followed_by_what_to_ask() -> None:
    commands = [block for block in show(KILLED).blocks if isinstance(block, Command)]
    assert [command.line for command in commands] == ["memfit estimate made-up.gguf"]
    assert not [block for block in show(VERIFIED).blocks if isinstance(block, Command)]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(), "none"),
        (Limit(mechanism="cgroup_v2", limit_bytes=GIB), "1.00 GiB by cgroup v2"),
        (
            Limit(limit_bytes=GIB, note="no permission for /sys/fs/cgroup"),
            "1.00 GiB, only watched and not enforced (no permission for /sys/fs/cgroup)",
        ),
        (
            Limit(mechanism="systemd_scope", limit_bytes=GIB, swap_bytes=GIB // 2),
            "1.00 GiB by systemd scope, 512.0 MiB of swap",
        ),
    ],
)
def test_how_well_it_was_limited(limit: Limit, words: str) -> None:
    assert fact(verified(observation=ran(limit=limit)), "limit") == words


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        (Workload(), "a prompt of a whole ubatch, then 32 tokens generated"),
        (Workload(prompt_tokens=2048, users=2), "a prompt of 2k tokens, then 32 tokens generated, 2 users"),
        (
            Workload(fill_context=True, generate_tokens=8, soak_s=600),
            "prompts of the whole context, then 8 tokens generated, over and over for 10 min",
        ),
    ],
)
def test_what_it_was_made_to_do(workload: Workload, words: str) -> None:
    assert fact(verified(observation=ran(workload=workload)), "workload") == words


def test_speed_is_beside_that_without_a_limit() -> None:
    slow = verified(observation=ran(decode_tokens_per_s=15.0), unlimited_decode_tokens_per_s=20.0)
    assert fact(slow, "speed") == "prompt 80.0 tokens/s · decode 15.0 tokens/s, 75% of its 20.0 without a limit"
    assert fact(verified(observation=ran(decode_tokens_per_s=None, prompt_tokens_per_s=None)), "speed") == (
        "not measured"
    )


def test_growth_says_whether_it_leaks() -> None:
    leak = Growth(
        rounds=60,
        warm_up_bytes=MIB,
        bytes_per_round=65536,
        low_bytes_per_round=60000,
        high_bytes_per_round=70000,
        leaks=True,
    )
    assert fact(verified(growth=leak), "growth").startswith("a leak")
    assert fact(verified(growth=leak), "slope").startswith("+64.0 KiB a round")
    assert fact(VERIFIED, "growth") == "none that differs from noise"


def test_the_pictures_mark_what_was_observed() -> None:
    waterfall = next(block for block in show(VERIFIED).blocks if isinstance(block, Waterfall))
    marks = {step.name: step.observed_bytes for step in waterfall.steps}
    assert marks["compute buffers"] == 53 * MIB
    assert marks["tokenizer"] is None
    assert waterfall.totals[0].observed_bytes == 803 * MIB
    svg = str(render(VERIFIED, "svg"))
    assert "compute buffers: 53.0 MiB observed" in svg
    assert "Memory over time" in svg


def test_the_course_of_memory_keeps_its_peak() -> None:
    samples = tuple(
        Sample(at_s=index / 10, resident_bytes=(900 if index == 333 else 500) * MIB) for index in range(1000)
    )
    plot = next(
        block for block in show(verified(observation=ran(samples=samples))).blocks if isinstance(block, Timeline)
    )
    (trace,) = plot.traces
    assert max(trace.values) == 900 * MIB
    assert trace.at_s[trace.values.index(900 * MIB)] == 33.3
    assert len(trace.values) <= 300
    assert [mark.name for mark in plot.marks] == ["started", "loaded", "prompt", "decode"]
    assert not [block for block in show(verified(observation=ran(samples=()))).blocks if isinstance(block, Timeline)]


def test_many_rounds_are_told_by_their_ends() -> None:
    from verified_samples import phase

    phases = tuple(phase(f"round {index}", 800) for index in range(100))
    shown = table(verified(observation=ran(phases=phases)), "Phases")
    assert [shown.rows[0][0].text, shown.rows[-1][0].text] == ["round 0", "round 99"]
    assert "87 rounds in the middle left out" in shown.title


def test_a_term_in_two_pools_has_no_mark_of_its_own() -> None:
    footprint = predicted(
        term("weights", 500, 500, 500, pool="gpu"), term("weights", 100, 100, 100), options=CUDA, device=HERE
    )
    waterfall = next(block for block in show(verified(footprint)).blocks if isinstance(block, Waterfall))
    assert {step.observed_bytes for step in waterfall.steps} == {None}


def test_the_record_is_what_json_prints_and_has_a_schema() -> None:
    printed = str(render(VERIFIED, "json"))
    assert msgspec.json.decode(printed, type=Verification) == VERIFIED
    fields = set(schema("verification")["$defs"]["Verification"]["properties"])
    assert fields >= {
        "predicted",
        "observed",
        "residual_bytes",
        "residual_ratio",
        "verdict",
        "decode_tokens_per_s",
        "limit_bytes",
    }
    assert set(schema("verification")["$defs"]["Observed"]["properties"]) >= {
        "peak_pss_bytes",
        "peak_limit_bytes",
        "unevictable_bytes",
        "terms",
    }
