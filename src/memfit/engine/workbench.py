"""llama.cpp as a workbench for precision: a base model and a text are held, and questions about formats answered.

The engine runs in a child process: what kills it does not kill memfit, and its memory is gone with it. Everything that
needs the engine's kernels or ggml's quantizers is asked of it; what follows from the answers is decided here and above.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from memfit.engine._llama_cpp.child import package_folder, package_version
from memfit.engine._llama_cpp.conversation import Conversation
from memfit.engine.predictions import Continuation, Place, Scored, Speed, Window
from memfit.model.shape import ModelShape, Tensor
from memfit.precision.formats import FORMATS

if TYPE_CHECKING:
    from typing_extensions import Self

_CHILD = Path(__file__).parent / "_llama_cpp" / "_child" / "run.py"
_F16 = 1
_AUTO = -1  # LLAMA_FLASH_ATTN_TYPE_AUTO, include/llama.h (0c1e57098)


class Workbench:
    """A child process with a base model.

    Args:
        shape: of the base, read from its file.
        window_tokens: of the windows that texts are cut into, and of every context.
        threads: all that this process may use where None is given.
        changeable: weights are read into memory, so that ``probe`` can exchange them.
        gpu_layers: of every model; 0: all on the CPU.

    Raises:
        EngineMissing: llama-cpp-python is not installed.
        EngineFailed: it does not start, or cannot load the model.
    """

    def __init__(
        self,
        shape: ModelShape,
        *,
        window_tokens: int = 512,
        threads: int | None = None,
        changeable: bool = False,
        gpu_layers: int = 0,
    ) -> None:
        self._shape = shape
        job = {
            "kind": "bench",
            "library": str(package_folder()),
            "search": [path for path in sys.path if path],
            "settings": {
                "window_tokens": window_tokens,
                "threads": threads or len(os.sched_getaffinity(0)),
                "kv_type_k": _F16,
                "kv_type_v": _F16,
                "flash_attention": _AUTO,
                "gpu_layers": gpu_layers,
            },
        }
        environment = {
            **os.environ,
            "GGML_NO_BACKTRACE": "1",  # else an abort starts a debugger
            "OPENBLAS_NUM_THREADS": "1",  # rows are shared out above it: threads of its own would wait for each other
        }
        if not gpu_layers:
            environment["CUDA_VISIBLE_DEVICES"] = ""
        self._talk = Conversation([sys.executable, "-I", "-S", str(_CHILD)], environment)
        try:
            self._talk.send(job)
            self.engine = self._engine(self._ask("open", path=shape.shards[0].path, changeable=changeable))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, and all that it holds."""
        self._talk.close()

    def text(self, texts: Sequence[str], *, more: bool = False) -> tuple[int, int]:
        """Give it the text to work on; returns its tokens, and the windows that they fill.

        ``more``: its windows follow those that are there, and no window holds both.
        """
        answer = self._ask("text", texts=list(texts), more=more)
        return answer["tokens"], answer["windows"]

    def tokens(self, windows: Sequence[int]) -> Iterator[list[int]]:
        """The ids of windows, in this order."""
        for part in self._parts("tokens", windows=list(windows)):
            yield part["ids"]

    def reference(
        self, name: str, windows: Sequence[int], *, first: int, likeliest: int = 48, drawn: int = 16, seed: int = 0
    ) -> Iterator[Window]:
        """Keep a sample of the base's predictions of these windows; what it made of each, as it comes."""
        asked: dict[str, Any] = {
            "windows": list(windows),
            "first": first,
            "likeliest": likeliest,
            "drawn": drawn,
            "seed": seed,
        }
        for part in self._parts("reference", name=name, **asked):
            yield msgspec.convert(part, Window)

    def keep_reference(self, name: str, path: Path) -> None:
        """Write a reference to a new file."""
        self._ask("keep_reference", name=name, path=str(path))

    def take_reference(self, name: str, path: Path) -> list[int]:
        """Use a reference that was written; returns the windows that it covers."""
        windows: list[int] = self._ask("take_reference", name=name, path=str(path))["windows"]
        return windows

    def score(
        self,
        path: str | None,
        windows: Sequence[int],
        *,
        first: int,
        against: str,
        kv: tuple[str, str] | None = None,
    ) -> Iterator[Window | Scored]:
        """Hold a model against the base: windows as they come, and all of them at last.

        Args:
            path: of the model; None for the base.
            windows: numbers of windows.
            first: position in each from which predictions count.
            against: the name of a reference, ``base`` (exactly), or ``""`` for nothing.
            kv: formats of K and V in the cache, F16 where None.
        """
        found: list[Window] = []
        answer: dict[str, Any] = {}
        asked = {"path": path, "windows": list(windows), "first": first, "against": against, "kv": _numbers(kv)}
        for part in self._parts("score", answer, **asked):
            found.append(msgspec.convert(part, Window))
            yield found[-1]
        yield Scored(windows=tuple(found), p99=answer.get("p99"), most=answer.get("most"))

    def importance(self, windows: Sequence[int], *, moments: bool = True) -> Iterator[int]:
        """Gather the importance of every weight's columns; yields the windows that are done.

        Args:
            windows: numbers of windows.
            moments: gather second moments too, with which rounding feeds its errors back: about 0.9 GiB for 8B
                parameters.
        """
        answer: dict[str, Any] = {}
        for part in self._parts("importance", answer, windows=list(windows), moments=moments):
            yield part["window"]
        self._learned(answer)

    def gradients(self, windows: Sequence[int], network: Mapping[str, Any]) -> Iterator[int]:
        """Learn what errors of outputs do to the predictions, of a network of ``memfit.search.network``.

        Rounding then couples rows, moments count tokens by it, and the head is balanced (``bench_balance``). Yields
        steps that are done, of two a layer. The memory it takes is some 3 GiB for 8B parameters, beside the moments.
        """
        weights = [self._place(one) for one in self._shape.tensors]
        answer: dict[str, Any] = {}
        asked = {"weights": weights, "network": dict(network), "windows": list(windows)}
        for part in self._parts("gradients", answer, **asked):
            yield part["done"]
        self.balanced = frozenset(answer["balanced"])

    def keep_importance(self, path: Path) -> None:
        """Write the importances to a new file."""
        self._ask("keep_importance", path=str(path))

    def take_importance(self, path: Path) -> None:
        """Use importances that were written."""
        self._learned(self._ask("take_importance", path=str(path)))

    def _learned(self, answer: Mapping[str, Any]) -> None:
        self.important, self.balanced = frozenset(answer["weights"]), frozenset(answer["balanced"])
        self.idle_experts: dict[str, int] = answer["idle_experts"]

    def probe(
        self, tensors: Iterable[Tensor], format: str, windows: Sequence[int], *, first: int, against: str
    ) -> Iterator[tuple[str, float]]:
        """The divergence a token, in nats, when one weight alone is stored in a format, weight by weight."""
        kind = FORMATS.get(format).number
        asked: dict[str, Any] = {"weights": [self._place(one) for one in tensors], "kind": kind}
        for part in self._parts("probe", **asked, windows=list(windows), first=first, against=against):
            yield part["weight"], part["divergence"]

    def foresee(self, tensors: Iterable[Tensor], format: str, *, most_rows: int) -> Iterator[tuple[str, float | None]]:
        """What ``probe`` would likely show, from gradients and some rows; None where no gradients are known."""
        kind = FORMATS.get(format).number
        weights = [self._place(one) for one in tensors]
        for part in self._parts("foresee", weights=weights, kind=kind, most_rows=most_rows):
            yield part["weight"], part["divergence"]

    def errors(
        self, tensors: Iterable[Tensor], formats: Sequence[str], *, most_rows: int
    ) -> Iterator[tuple[str, float, tuple[tuple[float, float, float], ...]]]:
        """What each format loses on each weight, as shares of the power of the weight's product.

        Its weighted squared error with errors fed back along rows, the same without, and what rounding activations adds
        to either. Before them, the share of the first that is left when rows are coupled.
        """
        kinds = [FORMATS.get(name).number for name in formats]
        for part in self._parts(
            "errors", weights=[self._place(one) for one in tensors], kinds=kinds, most_rows=most_rows
        ):
            pairs = zip(part["errors"], part["noises"], strict=True)
            yield part["weight"], part["left"], tuple((fed, plain, noise) for (fed, plain), noise in pairs)

    def encode(
        self,
        tensors: Iterable[tuple[Tensor, str]],
        *,
        plain: bool = False,
        replaced: Mapping[str, Place] | None = None,
    ) -> Iterator[bytes]:
        """The bytes of weights in the formats beside them, one weight behind another, in pieces.

        Args:
            tensors: with their formats.
            plain: as llama-quantize makes them with the same importances: no error of rounding is fed back.
            replaced: weights that are read from elsewhere, by name: trained for these formats, so that no error is fed
                back and no column is balanced.
        """
        elsewhere = replaced or {}
        wanted = list(tensors)
        weights = [
            [*self._place(tensor, elsewhere.get(tensor.name)), FORMATS.get(format).number] for tensor, format in wanted
        ]
        changed = [tensor.name for tensor, format in wanted if tensor.format != format]
        self._talk.send({"do": "encode", "weights": weights, "plain": plain, "trained": changed if elsewhere else None})
        while (event := self._talk.hear())["event"] != "answer":
            if event["event"] == "data":
                yield self._talk.exactly(event["bytes"])

    def generate(self, path: str, tokens: int = 64, *, kv: tuple[str, str] | None = None) -> Speed:
        """How fast a model answers here; ``kv`` as of ``score``."""
        found = self._ask("generate", path=path, tokens=tokens, kv=_numbers(kv))
        return Speed(
            prefill_tokens_per_s=round(found["prompt_tokens"] / found["prompt_s"], 3),
            decode_tokens_per_s=round(tokens / found["seconds"], 3),
        )

    def lengths(self, items: Sequence[tuple[str, str]]) -> list[int]:
        """Tokens of each second text behind its first, both together."""
        found: list[int] = self._ask("lengths", items=[list(item) for item in items])["tokens"]
        return found

    def continuations(
        self, path: str | None, items: Sequence[tuple[str, str]], *, kv: tuple[str, str] | None = None
    ) -> Iterator[Continuation]:
        """How likely each second text is behind its first; ``kv`` as of ``score``."""
        asked: dict[str, Any] = {"items": [list(item) for item in items], "kv": _numbers(kv)}
        for part in self._parts("continuations", path=path, **asked):
            yield msgspec.convert(part, Continuation)

    def _place(self, tensor: Tensor, elsewhere: Place | None = None) -> list[Any]:
        if elsewhere is not None:
            number = FORMATS.get(elsewhere.format).number
            return [tensor.name, elsewhere.path, elsewhere.offset, list(tensor.dims), number]
        shard = self._shape.shards[tensor.shard]
        number = FORMATS.get(tensor.format).number
        return [tensor.name, shard.path, shard.data_offset + tensor.offset, list(tensor.dims), number]

    def _engine(self, identity: dict[str, Any]) -> str:
        version = identity["commit"] or identity["llama_version"] or "unknown version"
        return f"{version} (llama-cpp-python {package_version() or ''})".replace(" )", ")")

    def _ask(self, do: str, **question: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for _ in self._parts(do, answer, **question):
            pass
        return answer

    def _parts(self, do: str, answer: dict[str, Any] | None = None, **question: Any) -> Iterator[dict[str, Any]]:
        """Parts of an answer as they come; what comes with its end goes into ``answer``."""
        self._talk.send({"do": do, **question})
        while True:
            event = self._talk.hear()
            kind = event.pop("event")
            if kind == "answer":
                if answer is not None:
                    answer.update(event)
                return
            yield event


def _numbers(kv: tuple[str, str] | None) -> list[int] | None:
    """Formats of the cache as ggml numbers them; None for what contexts have anyway."""
    return None if kv is None or kv == ("F16", "F16") else [FORMATS.get(name).number for name in kv]
