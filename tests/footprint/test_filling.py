from memfit.engine.records import Options, Workload
from memfit.footprint.filling import Filling, filling_of


def test_a_ubatch_is_whole_when_all_users_together_fill_it() -> None:
    options = Options(context_tokens=4096, ubatch_tokens=512)
    assert filling_of(Workload(), options, 0) == Filling("ubatch")
    assert filling_of(Workload(prompt_tokens=511), options, 0) == Filling("part", 511)
    assert filling_of(Workload(prompt_tokens=512), options, 0) == Filling("ubatch")
    assert filling_of(Workload(prompt_tokens=256, users=2), options, 0) == Filling("ubatch")
    assert filling_of(Workload(fill_context=True), options, 0) == Filling("context")


def test_a_small_context_makes_a_small_ubatch() -> None:
    options = Options(context_tokens=0, ubatch_tokens=512)
    assert filling_of(Workload(prompt_tokens=128), options, 128) == Filling("ubatch")
