"""What gradients tell of probes: beside probes that were made."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

pytest.importorskip("llama_cpp", reason="the engine: pip install 'memfit[llama]'")
import numpy as np
from small_search import MODEL, text

from memfit.search.base import Base
from memfit.search.session import Session
from memfit.search.setting import Setting
from memfit.search.text import read_text

pytestmark = pytest.mark.engine


def test_what_is_foreseen_is_near_what_probes_show(tmp_path: Path) -> None:
    base, passage = Base(str(MODEL)), read_text(text(tmp_path))
    setting = Setting(window_tokens=256, threads=1)
    with Session(base, passage, None, setting, work=tmp_path / "work", said=lambda *_: None) as session:
        told = dict(session.bench.foresee(base.changeable, "Q3_K", most_rows=64))
        assert {name for name, one in told.items() if one is None} == {"token_embd.weight", "output.weight"}
        # one of each kind: from those that matter least to those that matter most, a thousand times apart
        some = [one for one in base.changeable if one.name.startswith(("blk.0.", "blk.4."))]
        session.prepare_probes()
        windows, first, against = session.probes
        shown = dict(session.bench.probe(some, "Q3_K", windows, first=first, against=against))
        more = dict(session.bench.foresee(some, "Q3_K", most_rows=1000))
    ratios = [math.log((told[name] or 0.0) / one) for name, one in shown.items()]
    assert abs(np.mean(ratios)) < 0.3
    assert np.std(ratios) < 0.5
    assert np.std([math.log(one) for one in shown.values()]) > 1.5
    assert all(abs(math.log((more[name] or 0.0) / (told[name] or 0.0))) < 0.25 for name in shown)
