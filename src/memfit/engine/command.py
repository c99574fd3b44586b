"""What people deploy with, as a deployment: the engine's own command line, or a file that describes a model."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from memfit.engine.records import Command, Profile
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError


def read_command(words: Sequence[str] | str, *, engine: str = "llama_cpp", profile: Profile | None = None) -> Command:
    """The deployment that a command starts, such as ``llama-server -m model.gguf -c 8192 -ctk q8_0``.

    Args:
        words: the command line, whole or cut into words.
        engine: key of ``engine.runtimes``.
        profile: whose defaults to take instead of the program's own.

    Raises:
        UsageError: it is no program of the engine, or one that cannot be read.
    """
    if isinstance(words, str):
        try:
            words = shlex.split(words)
        except ValueError as error:
            raise UsageError(f"not a command: {error}", hint="close every quote") from None
    runtime = ENGINES.get(engine)
    command = runtime.read_command(words, profile)
    if command is None and runtime.only_sized:
        raise UsageError(
            f"memfit reads no commands of {runtime.name}", hint="name the model and its options in a Deployment"
        )
    if command is None:
        raise UsageError(
            f"{' '.join(words[:3])!r} is no command of {runtime.name}",
            hint="give it from its program on, such as llama-server -m model.gguf",
        )
    return command


def read_modelfile(
    path: str | os.PathLike[str], *, engine: str = "llama_cpp", profile: Profile | None = None
) -> Command:
    """The deployment that a file describes, such as Ollama's ``Modelfile``.

    Args:
        path: the file.
        engine: key of ``engine.runtimes``.
        profile: whose defaults to take instead of the server's, which Ollama runs.

    Raises:
        UsageError: it is no such file, or one that cannot be read.
    """
    recipe = ENGINES.get(engine).read_modelfile(Path(path), profile)
    if recipe is None:
        raise UsageError(f"{os.fspath(path)}: no Modelfile", hint="its FROM line names the model: FROM ./model.gguf")
    return recipe
