from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from memfit.device.spans import Span, join, total_bytes, without

_SPANS = st.lists(st.builds(lambda start, size: Span(start, start + size), st.integers(0, 60), st.integers(0, 20)))


def addresses(spans: tuple[Span, ...] | list[Span]) -> set[int]:
    return {address for span in spans for address in range(span.start, span.end)}


@given(_SPANS, _SPANS)
def test_spans_are_sets_of_addresses(some: list[Span], others: list[Span]) -> None:
    assert addresses(join(some)) == addresses(some)
    assert addresses(without(some, others)) == addresses(some) - addresses(others)
    assert total_bytes(some) == len(addresses(some))


@given(_SPANS)
def test_joined_spans_neither_touch_nor_overlap(spans: list[Span]) -> None:
    joined = join(spans)
    assert all(before.end < after.start for before, after in pairwise(joined))
