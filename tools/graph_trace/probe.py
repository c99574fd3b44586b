"""Asks the engine for the graph of a model that exists only as metadata, from a child process that may die of it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from graph_trace.engine import ContextOptions, Engine
from graph_trace.lifetimes import Lifetimes, lifetimes
from memfit.engine._llama_cpp.settings import resolve
from memfit.engine.records import Options
from memfit.model._build import card_tensors, shape_of
from memfit.model.cards import Card
from memfit.model.gguf.writer import TensorSpec, write_model
from memfit.model.metadata import Value
from memfit.model.shape import ModelShape


class Refused(Exception):
    """The engine would not load or run this shape."""


def describe(card: Card) -> ModelShape:
    """The shape that a card's metadata means."""
    return shape_of(card.hyperparameters(), card_tensors(card), name=card.name)


class Prober:
    """A child process with the engine; started again when a shape has killed it."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._child: multiprocessing.process.BaseProcess | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="memfit-trace-")
        self.asked = 0

    def ask(self, card: Card, options: Options) -> Lifetimes:
        """The graph that the engine reserves for this model and these options.

        Raises:
            Refused: the engine refused or died.
        """
        shape = describe(card)
        request = (
            Path(self._folder.name) / "stub.gguf",
            {**card.header(), "tokenizer.ggml.model": "no_vocab"},
            [(tensor.name, tensor.dims, tensor.format) for tensor in shape.tensors],
            len(shape.trunk),
            context_options(shape, options),
        )
        self.asked += 1
        connection = self._connect()
        try:
            connection.send(request)
            answer = connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._connection = None
            raise Refused(f"{card.name}: the engine died") from None
        if isinstance(answer, str):
            raise Refused(f"{card.name}: {answer}")
        assert isinstance(answer, Lifetimes)
        return answer

    def close(self) -> None:
        """End the child."""
        if self._connection is not None:
            self._connection.send(None)
            self._connection = None
        if self._child is not None:
            self._child.join()
        self._folder.cleanup()

    def _connect(self) -> Connection:
        if self._connection is None:
            ours, theirs = multiprocessing.Pipe()
            self._child = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs,), daemon=True)
            self._child.start()
            theirs.close()
            self._connection = ours
        return self._connection


def context_options(shape: ModelShape, options: Options) -> ContextOptions:
    """The engine's context parameters for memfit's options, as a user of the library would set them."""
    settings = resolve(shape, options)
    return ContextOptions(
        context_tokens=options.context_tokens,
        batch_tokens=options.batch_tokens,
        ubatch_tokens=options.ubatch_tokens,
        slots=settings.slots,
        unified=options.unified_kv,
        flash_attention=options.flash_attention,
        kv_type_k=options.kv_type_k,
        kv_type_v=options.kv_type_v,
        full_window_cache=options.full_window_cache,
        rows=options.output_rows,
        rollback_tokens=options.rollback_tokens,
    )


def _serve(connection: Connection) -> None:
    # an assertion of the engine would print a backtrace through a debugger, which takes seconds
    os.environ["GGML_NO_BACKTRACE"] = "1"
    gc.disable()  # graphs are large, and hold no circles
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    engine = Engine()
    while (request := connection.recv()) is not None:
        try:
            connection.send(_answer(engine, *request))
        except RuntimeError as error:
            connection.send(str(error))


def _answer(
    engine: Engine,
    path: Path,
    header: dict[str, Value],
    tensors: list[TensorSpec],
    layers: int,
    options: ContextOptions,
) -> Lifetimes:
    path.unlink(missing_ok=True)
    write_model(path, header, tensors)
    with engine.context(path, options) as context:
        nodes, leafs = engine.graph(context, options)
        return lifetimes(nodes, leafs, layers)
