"""A workbench for precision: one conversation about one base model, a line of JSON for a question.

A question is ``{"do": ..., ...}``. Its answer is any number of lines ``{"event": "part", ...}`` with results as they
come, or ``{"event": "data", "bytes": n}`` with n bytes behind it, and one line ``{"event": "answer", ...}``, or
``{"event": "failed", "what": ..., "why": ...}``. When the input ends, so does this process.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from memfit.engine._llama_cpp._child import bench_work, scores
from memfit.engine._llama_cpp._child.bench_activations import shared_by
from memfit.engine._llama_cpp._child.bench_coupling import Outputs
from memfit.engine._llama_cpp._child.bench_foresight import foreseen
from memfit.engine._llama_cpp._child.bench_gradients import Gradients
from memfit.engine._llama_cpp._child.bench_importance import Importance
from memfit.engine._llama_cpp._child.bench_known import Known, read_known, write_known
from memfit.engine._llama_cpp._child.bench_model import Model, Refused
from memfit.engine._llama_cpp._child.bench_moments import Moments
from memfit.engine._llama_cpp._child.bench_network import Network
from memfit.engine._llama_cpp._child.bench_talk import Talk, kept, whole
from memfit.engine._llama_cpp._child.bench_weights import Codec, Weight
from memfit.engine._llama_cpp._child.library import Library


def bench(job: dict[str, Any], answer_fd: int) -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides what an interruption means
    talk = Talk(answer_fd)
    held = Bench(Library(job["library"], []), job["settings"], talk)
    for line in sys.stdin:
        question = json.loads(line)
        held.library.log.begin()
        try:
            answer = getattr(held, f"do_{question.pop('do')}")(**question)
            talk.say("answer", **answer)
        except Refused as refused:
            talk.say("failed", what=str(refused), why=held.library.log.reasons)
        except OSError as failure:
            talk.say("failed", what=f"read {failure.filename}", why=failure.strerror or str(failure))
        except MemoryError:
            talk.say("failed", what="go on", why="no memory left")


class Bench:
    """What is held between questions: the base, the text's windows, its reference and importances.

    Args:
        settings: of every context, see ``Model``.
        talk: where parts of an answer go.
    """

    def __init__(self, library: Library, settings: dict[str, Any], talk: Talk) -> None:
        self.library = library
        self._settings = settings
        self._talk = talk
        self._base: Model | None = None
        self._path = ""
        self._windows: list[list[int]] = []
        self._references: dict[str, tuple[scores.Sample, dict[int, int]]] = {}  # and where each window's rows begin
        self._known = Known({}, {}, Moments(), {}, Outputs(), {})
        self._codec: Codec | None = None

    def do_open(self, path: str, changeable: bool) -> dict[str, Any]:
        """Load the base model."""
        if self._base is not None:
            self._base.close()
            self._base = None
        self._path = path
        self._base = Model(self.library, path, self._settings, changeable=changeable)
        return {"vocabulary_tokens": self._base.vocabulary_tokens, **self.library.identity()}

    def do_text(self, texts: list[str], more: bool) -> dict[str, Any]:
        """Tokenize texts one behind another, cut into windows; what fills none is left out."""
        tokens = [token for text in texts for token in self._model.tokens(text.encode())]
        length = self._settings["window_tokens"]
        found = list(bench_work.windows(tokens, length, self._model.first_token))
        self._windows = [*self._windows, *found] if more else found
        self._references = {}
        return {"tokens": len(tokens), "windows": len(found)}

    def do_tokens(self, windows: list[int]) -> dict[str, Any]:
        """The ids of windows."""
        for index in windows:
            self._talk.part(ids=[int(token) for token in self._windows[index]])
        return {}

    def do_reference(
        self, name: str, windows: list[int], first: int, likeliest: int, drawn: int, seed: int
    ) -> dict[str, Any]:
        """Sample the base's predictions of these windows, from position ``first`` of each on."""
        random = np.random.default_rng(seed)
        kept: list[scores.Sample] = []
        places: dict[int, int] = {}
        count = 0
        for index in windows:
            logits, ids = bench_work.rows(self._model, self._windows[index], first)
            kept.append(scores.sample(logits, ids, likeliest, drawn, random))
            places[index] = count
            count += len(ids)
            self._talk.part(window=index, nats=-float(kept[-1].expected.sum(dtype=np.float64)), tokens=len(ids))
        self._references[name] = scores.joined(kept), places
        return {}

    def do_keep_reference(self, name: str, path: str) -> dict[str, Any]:
        """Write a reference to a file."""
        with kept(path):
            bench_work.write_reference(Path(path), *self._references[name])
        return {}

    def do_take_reference(self, name: str, path: str) -> dict[str, Any]:
        """Read a reference that was written."""
        with whole(path):
            self._references[name] = bench_work.read_reference(Path(path))
        return {"windows": sorted(self._references[name][1])}

    def do_score(
        self, path: str | None, windows: list[int], first: int, against: str, kv: list[int] | None
    ) -> dict[str, Any]:
        """Hold a model's predictions against the base's.

        Args:
            path: of the model; None for the base as its weights are now.
            windows: their numbers.
            first: position in each from which predictions count.
            against: ``""`` for nothing, the name of a reference, or ``base``, which then computes as well.
            kv: ggml's numbers of the formats of K and V, the settings' where None.
        """
        other = self._model if path is None and kv is None else self._another(path or self._path, kv)
        divergences: list[Any] = []
        try:
            # the arithmetic of a window is done beside the engine's work on the next
            with ThreadPoolExecutor(1) as beside:
                waiting: deque[Any] = deque()
                for index in windows:
                    waiting.append((index, beside.submit(*self._begun(other, index, first, against))))
                    if len(waiting) > 1:
                        divergences += self._told(*waiting.popleft())
                while waiting:
                    divergences += self._told(*waiting.popleft())
        finally:
            if other is not self._model:
                other.close()
        found = np.concatenate(divergences) if divergences else None
        return {} if found is None else {"p99": float(np.quantile(found, 0.99)), "most": float(found.max())}

    def do_importance(self, windows: list[int], moments: bool) -> dict[str, Any]:
        """Gather importances of these windows in a context of its own; weights that nothing touched are named.

        ``moments``: gather second moments as well, which takes memory, see ``bench_moments``.
        """
        gathered = Moments()
        found = Importance(self.library, gathered if moments else None)
        model = Model(self.library, self._path, self._settings, watch=found.watch)
        try:
            for index in windows:
                window = self._windows[index]
                model.logits(window, 0, len(window))  # else the last layer would see one row only
                self._talk.part(window=index)
        finally:
            model.close()
        gathered.finish()
        importance, idle = bench_work.means(found)
        self._known = Known(importance, bench_work.noises(found), gathered, idle, Outputs(), {})
        return self._weights()

    def do_gradients(self, weights: list[Any], network: dict[str, Any], windows: list[int]) -> dict[str, Any]:
        """Learn what errors of outputs do to the predictions, of a network that is known; moments are weighted by it.

        Fewer windows are used where what is held between forward and backward would be too much.
        """
        known = {one.name: one for one in map(_weight, weights)}
        found = Gradients(self._quantizer, known, Network(**network), self._settings["threads"], self._known.moments)
        chosen = found.fitting([self._windows[index] for index in windows])
        for done in found.gather(chosen):
            self._talk.part(done=done)
        noise = self._known.noise | found.noise
        self._known = self._known._replace(outputs=Outputs(found.outputs), noise=noise, balance=found.balance)
        return {"windows": len(chosen), "balanced": sorted(found.balance)}

    def do_keep_importance(self, path: str) -> dict[str, Any]:
        """Write the importances to a file, and the moments."""
        with kept(path), Path(path).open("wb") as file:
            write_known(file, self._known)
        return {}

    def do_take_importance(self, path: str) -> dict[str, Any]:
        """Read importances that were written."""
        with whole(path), np.load(path) as found:
            self._known = read_known(found)
        return self._weights()

    def do_probe(self, weights: list[Any], kind: int, windows: list[int], first: int, against: str) -> dict[str, Any]:
        """The divergence when one weight alone is stored in a format: the base with it, weight by weight."""
        for weight in map(_weight, weights):
            with bench_work.Exchanged(self.library, self._quantizer, self._model, weight) as place:
                guide = self._known.guide(weight)._replace(rows=None)  # which takes longer, and tells no more
                place.put(self._quantizer, kind, guide)
                self._talk.part(weight=weight.name, divergence=self._divergence(windows, first, against))
        return {}

    def do_foresee(self, weights: list[Any], kind: int, most_rows: int) -> dict[str, Any]:
        """What ``do_probe`` would likely show, from moments; None where these are missing."""
        for weight in map(_weight, weights):
            means = self._known.outputs.means.get(weight.name)
            found = foreseen(self._quantizer, weight, kind, self._known.guide(weight), means, most_rows)
            self._talk.part(weight=weight.name, divergence=found)
        return {}

    def do_errors(self, weights: list[Any], kinds: list[int], most_rows: int) -> dict[str, Any]:
        """The weighted squared error of each format on each weight, and what rounding its activations adds to that."""
        blocks = {kind: shared_by(self.library, kind, gpu=bool(self._settings["gpu_layers"])) for kind in kinds}
        for weight in map(_weight, weights):
            errors, noises = bench_work.losses(self._quantizer, weight, blocks, self._known, most_rows)
            left = self._known.outputs.left(weight.name)
            self._talk.part(weight=weight.name, left=left, errors=errors, noises=noises)
        return {}

    def do_encode(self, weights: list[Any], plain: bool, trained: list[str] | None) -> dict[str, Any]:
        """The bytes of weights in other formats: each with its ``kind`` and what it becomes, one behind another.

        Args:
            weights: all of a file: the norm before a head that changes is not what it was.
            plain: as llama-quantize makes them: importances are used, and no error is fed back.
            trained: see ``Known.guides``.
        """
        wanted = [(_weight(weight), kind) for *weight, kind in weights]
        guides = self._known.guides(wanted, plain=plain, trained=trained)
        for (weight, kind), guide in zip(wanted, guides, strict=True):
            for data in self._quantizer.encoded(weight, kind, guide):
                self._talk.data(data)
            self._talk.part(weight=weight.name)
        return {}

    def do_lengths(self, items: list[list[str]]) -> dict[str, Any]:
        """Tokens of each second text behind its first, both together."""
        return {"tokens": [len(self._model.tokens((before + after).encode())) for before, after in items]}

    def do_generate(self, path: str, tokens: int, kv: list[int] | None) -> dict[str, Any]:
        """How fast a model answers: tokens one by one, behind a window of the text."""
        return bench_work.generate(self._another(path, kv), self._windows[0], tokens)

    def do_continuations(self, path: str | None, items: list[list[str]], kv: list[int] | None) -> dict[str, Any]:
        """The log probability of each second text behind its first, and whether it is the likeliest throughout."""
        other = self._model if path is None and kv is None else self._another(path or self._path, kv)
        try:
            for before, after in items:
                self._talk.part(**bench_work.continuation(other, before, after))
        finally:
            if other is not self._model:
                other.close()
        return {}

    def _told(self, index: int, done: Future[tuple[dict[str, Any], Any]]) -> list[Any]:
        figures, divergence = done.result()
        self._talk.part(window=index, **figures)
        return [] if divergence is None else [divergence]

    def _window(self, other: Model, index: int, first: int, against: str) -> tuple[dict[str, Any], Any]:
        count, *inputs = self._begun(other, index, first, against)
        figures: tuple[dict[str, Any], Any] = count(*inputs)
        return figures

    def _begun(self, other: Model, index: int, first: int, against: str) -> tuple[Any, ...]:
        """What the engines make of a window, and the function that counts it: their buffers are free again."""
        base_logits = None
        if against == "base":
            base_logits = bench_work.rows(self._model, self._windows[index], first)[0].copy()
        logits, ids = bench_work.rows(other, self._windows[index], first)
        reference, places = self._references.get(against, (None, {}))
        return bench_work.counted, logits.copy(), ids, base_logits, reference, places.get(index, 0)

    def _divergence(self, windows: list[int], first: int, against: str) -> float:
        """Nats a token over these windows."""
        figures = [self._window(self._model, index, first, against)[0] for index in windows]
        return float(sum(one["divergence"] for one in figures) / sum(one["tokens"] for one in figures))

    def _weights(self) -> dict[str, Any]:
        known = self._known
        return {"weights": sorted(known.importance), "idle_experts": known.idle, "balanced": sorted(known.balance)}

    def _another(self, path: str, kv: list[int] | None) -> Model:
        settings = self._settings if kv is None else {**self._settings, "kv_type_k": kv[0], "kv_type_v": kv[1]}
        return Model(self.library, path, settings)

    @property
    def _model(self) -> Model:
        assert self._base is not None
        return self._base

    @property
    def _quantizer(self) -> Codec:
        if self._codec is None:
            self._codec = Codec(self.library, self._settings["threads"])
        return self._codec


def _weight(given: Any) -> Weight:
    name, path, offset, dims, kind = given
    return Weight(name, path, offset, tuple(dims), kind)
