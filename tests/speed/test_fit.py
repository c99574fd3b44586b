"""The committed efficiencies are what the anchors give, and the page shows them."""

import math
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

from memfit.speed.anchors import SOURCES
from memfit.speed.efficiency import EFFICIENCIES
from memfit.speed.predict import SEVERAL_ERROR
from memfit.speed.records import Efficiency
from memfit.speed.roofline import step_time
from speed_fit.engines import fitted
from speed_fit.fit import Parameters, residual
from speed_fit.page import PAGE, expected, page
from speed_fit.points import decodes


def test_the_committed_numbers_are_those_of_the_anchors() -> None:
    found = fitted()
    assert set(found) == set(EFFICIENCIES.keys())
    for engine, chips in found.items():
        committed = EFFICIENCIES.get(engine).chips
        assert [chip.chip for chip in chips] == [chip.chip for chip in committed]
        for ours, theirs in zip(chips, committed, strict=True):
            _same(ours, theirs)


def _same(ours: Efficiency, theirs: Efficiency) -> None:
    # a last digit may turn out otherwise on another machine's floats
    assert (ours.engine, ours.anchors, ours.sources) == (theirs.engine, theirs.anchors, theirs.sources)
    for name in ("bandwidth_share", "layer_clocks", "expert_clocks", "error", "start_s"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=0.02, abs=0.006), (ours, name)
    assert (ours.weights_per_clock is None) == (theirs.weights_per_clock is None)
    assert ours.weights_per_clock is None or ours.weights_per_clock == pytest.approx(theirs.weights_per_clock, rel=0.02)
    for share, committed in zip(ours.compute, theirs.compute, strict=True):
        assert (share.math, share.anchors) == (committed.math, committed.anchors)
        assert share.share == pytest.approx(committed.share, rel=0.02)


def test_the_fit_computes_what_the_roofline_computes() -> None:
    parameters = Parameters(bandwidth=0.6, clocks=100_000.0, weights=9.0, experts=400_000.0)
    for point in decodes():
        seconds = step_time(point.touched, point.machine, parameters.efficiency("", "")).seconds
        assert residual(point, parameters) == pytest.approx(math.log(seconds / point.seconds))


def test_the_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run tools/fit_speed.py"


def test_nine_of_ten_speeds_of_eight_users_lie_within_the_bar_of_several() -> None:
    hits = []
    for source in SOURCES:
        for anchor in source.anchors:
            if anchor.concurrency > 1 and anchor.decode_tokens_per_s and not anchor.unfitted:
                found = expected(anchor).decode
                hits.append(found.low <= anchor.decode_tokens_per_s <= found.high)
    assert len(hits) > 15
    assert sum(hits) >= 0.85 * len(hits)
    assert SEVERAL_ERROR < 3
