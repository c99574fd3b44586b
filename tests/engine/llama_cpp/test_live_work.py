"""What a running model is made to compute: which tokens of whom, at which positions, with which rows of logits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfit.engine._llama_cpp._child.library import Library
from memfit.engine._llama_cpp._child.live_work import Refused, Work

VOCABULARY = 50


class Engine:
    """The part of llama.cpp's interface that the work needs; keeps every batch."""

    def __init__(self, batch: int = 16, ubatch: int = 8, *, memory: bool = True, status: int = 0) -> None:
        self.batches: list[tuple[str, list[tuple[int, int, int, bool]]]] = []
        self.read: list[list[int]] = [[]]
        self.cleared = 0
        self._batch, self._ubatch, self._memory, self._status = batch, ubatch, memory, status

    def llama_n_batch(self, _: str) -> int:
        return self._batch

    def llama_n_ubatch(self, _: str) -> int:
        return self._ubatch

    def llama_get_memory(self, context: str) -> str | None:
        return f"memory of {context}" if self._memory else None

    def llama_memory_clear(self, _memory: str, data: bool) -> None:
        assert not data
        self.cleared += 1

    def llama_get_model(self, context: str) -> str:
        return context

    def llama_model_get_vocab(self, model: str) -> str:
        return model

    def llama_vocab_n_tokens(self, _: str) -> int:
        return VOCABULARY

    def llama_batch_init(self, tokens: int, embeddings: int, sequences: int) -> Any:
        assert (embeddings, sequences) == (0, 1)
        rows: list[list[int]] = [[0] for _ in range(tokens)]
        names = ("token", "pos", "n_seq_id", "logits")
        return SimpleNamespace(n_tokens=0, seq_id=rows, **{name: [0] * tokens for name in names})

    def llama_decode(self, context: str, batch: Any) -> int:
        entries = [
            (batch.seq_id[index][0], batch.pos[index], batch.token[index], bool(batch.logits[index]))
            for index in range(batch.n_tokens)
        ]
        assert all(count == 1 for count in batch.n_seq_id[: batch.n_tokens])
        self.batches.append((context, entries))
        return self._status

    def llama_synchronize(self, _: str) -> None:
        self.read.append([])

    def llama_get_logits_ith(self, _: str, row: int) -> None:
        self.read[-1].append(row)


def work(engine: Engine, contexts: tuple[str, ...] = ("model",), **settings: int) -> Work:
    known = {"users": 1, "prompt_tokens": 10, "generate_tokens": 3, "seed": 0, **settings}
    return Work(cast("Library", SimpleNamespace(api=engine)), list(contexts), known, lambda: None)


@given(users=st.integers(1, 5), prompt=st.integers(1, 40), generate=st.integers(0, 5), batch=st.integers(5, 20))
def test_every_user_gets_a_prompt_and_an_answer(users: int, prompt: int, generate: int, batch: int) -> None:
    engine = Engine(batch)
    doing = work(engine, users=users, prompt_tokens=prompt, generate_tokens=generate)
    assert doing.prompt()["tokens"] == users * prompt
    prompts = len(engine.batches)
    assert doing.generate()["tokens"] == users * generate
    assert all(0 < len(entries) <= batch for _, entries in engine.batches)
    # prompts share batches, so there are no more than needed
    assert prompts == -(-users * prompt // batch)
    for user in range(users):
        mine = [entry for _, entries in engine.batches for entry in entries if entry[0] == user]
        assert [position for _, position, _, _ in mine] == list(range(prompt + generate))
        # a server asks for the last token of a prompt and for every generated one
        assert [wanted for _, _, _, wanted in mine] == [False] * (prompt - 1) + [True] * (generate + 1)
        assert all(0 <= token < VOCABULARY for _, _, token, _ in mine)
    for (_, entries), rows in zip(engine.batches, engine.read[1:], strict=True):
        assert rows == [index for index, entry in enumerate(entries) if entry[3]]


def test_one_seed_sends_the_same_tokens() -> None:
    sent = []
    for seed in (1, 1, 2):
        engine = Engine()
        work(engine, seed=seed).prompt()
        sent.append([entry[2] for _, entries in engine.batches for entry in entries])
    assert sent[0] == sent[1]
    assert sent[0] != sent[2]
    assert len(set(sent[0])) > 3


def test_a_draft_computes_before_its_target_the_same_tokens() -> None:
    engine = Engine()
    work(engine, ("model", "draft")).prompt()
    (first, proposed), (second, checked) = engine.batches
    assert (first, second) == ("draft", "model")
    assert proposed == checked


def test_a_round_begins_with_empty_caches() -> None:
    engine = Engine()
    doing = work(engine, ("model", "draft"))
    doing.prompt()
    doing.forget()
    assert engine.cleared == 2
    doing.prompt()
    assert engine.batches[-1][1][0][1] == 0


def test_an_encoder_takes_whole_texts_in_one_ubatch_and_generates_nothing() -> None:
    engine = Engine(batch=64, ubatch=12, memory=False)
    doing = work(engine, users=3, prompt_tokens=5)
    assert doing.prompt()["tokens"] == 15
    assert [[entry[0] for entry in entries] for _, entries in engine.batches] == [[0] * 5 + [1] * 5, [2] * 5]
    assert doing.generate() == {"tokens": 0, "seconds": pytest.approx(0, abs=1)}
    assert engine.read[1:] == [[], []]


def test_what_the_engine_refuses_ends_the_work() -> None:
    with pytest.raises(Refused, match="llama_decode of 10 tokens returned 1"):
        work(Engine(status=1)).prompt()
