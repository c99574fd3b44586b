"""Tasks that no window can hold, and those that have nothing to follow from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from memfit.errors import UsageError
from memfit.search.tasks import read_tasks, refuse_unfit


class StubBench:
    """A character is a token."""

    def lengths(self, items: Sequence[tuple[str, str]]) -> list[int]:
        return [len(before + after) for before, after in items]


@pytest.mark.parametrize(
    ("prompt", "answer", "said", "hint"),
    [
        ("x" * 60, "yyyyy", "line 3: 65 tokens, and a window has 64", "--window 128"),
        ("", "y", "line 3: nothing that the answer could follow from", "prompt"),
    ],
)
def test_what_cannot_be_answered_is_named_by_its_line(
    tmp_path: Path, prompt: str, answer: str, said: str, hint: str
) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(f'{{"prompt": "{"x" * 60}", "answer": "yyyy"}}\n\n{{"prompt": "{prompt}", "answer": "{answer}"}}\n')
    with pytest.raises(UsageError, match=said) as refused:
        refuse_unfit(StubBench(), read_tasks(str(path)), 64)  # type: ignore[arg-type]
    assert str(path) in refused.value.message
    assert hint in (refused.value.hint or "")
