"""How an engine is started, and what its log says."""

from __future__ import annotations

from typing import Literal

import msgspec

from memfit.engine.records import Buffer

Protocol = Literal["events", "openai"]


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A program to start for a deployment, and how it is made to work.

    Attributes:
        words: the program with its arguments.
        environment: variables beside those that memfit has itself.
        job: one line for its standard input; none for a server.
        protocol: ``events``: JSON lines on its standard output, where each ``phase`` waits for a line of input;
            ``openai``: a server that is asked over HTTP.
        url: of the server, without a path; empty for ``events``.
        key: that the server wants to be shown.
        files: what it reads weights from, whose cached pages would hide what it reads.
        prompt_tokens, generate_tokens: of each user, as the workload comes out in this deployment's context.
        vocabulary_tokens: ids that a prompt may hold; 0 where it is not known.
    """

    words: tuple[str, ...]
    environment: dict[str, str] = {}
    job: bytes = b""
    protocol: Protocol = "events"
    url: str = ""
    key: str = ""
    files: tuple[str, ...] = ()
    prompt_tokens: int = 0
    generate_tokens: int = 0
    vocabulary_tokens: int = 0


class EngineLog(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine's log tells of itself; empty where it does not say.

    Attributes:
        buffers: in the order they were made, rounded as it prints them.
        version: with its commit.
        instructions: what it was built for or found, as it prints them.
    """

    buffers: tuple[Buffer, ...] = ()
    version: str = ""
    instructions: str = ""
