"""What a running model is made to compute: prompts of seeded token ids for each user, then tokens one by one.

Tokens are drawn and not sampled: text plays no part in memory, random ids reach every row of the embedding and every
expert in time, and no end-of-text ends a run early. The rows of logits asked for are those a server asks for: the last
token of each prompt and every generated token (``server_slot`` in tools/server/server-context.cpp, 0c1e57098).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from memfit.engine._llama_cpp._child.library import Library

_KEPT_IDS = 4096  # drawn once and gone through in circles: drawing would cost more than some models' computing


class Refused(Exception):
    """The engine does not compute this."""


class Work:
    """Decodes for ``users`` sequences on one context, and on its draft's where there is one.

    Args:
        contexts: the model's, and behind it the draft's.
        settings: ``users``, ``prompt_tokens`` and ``generate_tokens`` of each, ``seed``.
        alive: called after every batch, so that a long prompt does not look like a hang.
    """

    def __init__(self, library: Library, contexts: list[Any], settings: dict[str, Any], alive: Callable[[], None]):
        self._api = library.api
        self._contexts = contexts
        self._users = settings["users"]
        self._prompt = settings["prompt_tokens"]
        self._generate = settings["generate_tokens"]
        self._alive = alive
        self._at = [0] * self._users
        context = contexts[0]
        self._encodes = not self._api.llama_get_memory(context)
        # an encoder sees a text whole, in one ubatch
        most = self._api.llama_n_ubatch if self._encodes else self._api.llama_n_batch
        self._batch_tokens = int(most(context))
        vocabulary = self._api.llama_vocab_n_tokens(self._api.llama_model_get_vocab(self._api.llama_get_model(context)))
        draw = random.Random(settings["seed"])
        self._ids = [draw.randrange(vocabulary) for _ in range(_KEPT_IDS)]
        self._drawn = 0
        self._batch = self._api.llama_batch_init(max(self._batch_tokens, self._users), 0, 1)

    def forget(self) -> None:
        """Empty the caches, as a server does for prompts that have nothing in common with the last."""
        for context in self._contexts:
            memory = self._api.llama_get_memory(context)
            if memory:
                self._api.llama_memory_clear(memory, False)
        self._at = [0] * self._users

    def prompt(self) -> dict[str, Any]:
        """Every user's prompt, as many tokens in a batch as it takes, users one after another.

        Returns:
            ``tokens`` and ``seconds``.

        Raises:
            Refused: the engine cannot.
        """
        began = time.monotonic()
        left = [self._prompt] * self._users
        while any(left):
            entries: list[tuple[int, int, bool]] = []
            for user in range(self._users):
                room = self._batch_tokens - len(entries)
                if not room or (self._encodes and entries and left[user] > room):
                    break
                count = min(left[user], room)
                entries += self._entries(user, count, last=count == left[user])
                left[user] -= count
            self._compute(entries)
        return {"tokens": self._prompt * self._users, "seconds": time.monotonic() - began}

    def generate(self) -> dict[str, Any]:
        """One token for every user at a time; an encoder generates nothing.

        Returns:
            ``tokens`` and ``seconds``.

        Raises:
            Refused: the engine cannot.
        """
        count = 0 if self._encodes else self._generate
        began = time.monotonic()
        for _ in range(count):
            self._compute([entry for user in range(self._users) for entry in self._entries(user, 1, last=True)])
        return {"tokens": count * self._users, "seconds": time.monotonic() - began}

    def _entries(self, user: int, count: int, *, last: bool) -> list[tuple[int, int, bool]]:
        start = self._at[user]
        self._at[user] += count
        return [(user, start + index, last and index == count - 1) for index in range(count)]

    def _compute(self, entries: list[tuple[int, int, bool]]) -> None:
        batch = self._batch
        batch.n_tokens = len(entries)
        rows = []
        for index, (user, position, wanted) in enumerate(entries):
            batch.token[index] = self._ids[self._drawn % _KEPT_IDS]
            self._drawn += 1
            batch.pos[index], batch.n_seq_id[index] = position, 1
            batch.seq_id[index][0] = user
            batch.logits[index] = wanted
            rows += [index] if wanted else []
        for context in reversed(self._contexts):  # the draft proposes before the model checks
            status = self._api.llama_decode(context, batch)
            if status != 0:
                raise Refused(f"llama_decode of {len(entries)} tokens returned {status}")
            self._read(context, rows)
        self._alive()

    def _read(self, context: Any, rows: list[int]) -> None:
        """Look at the results as a sampler does; this also waits for a GPU."""
        self._api.llama_synchronize(context)
        if not self._encodes:
            for row in rows:
                self._api.llama_get_logits_ith(context, row)
