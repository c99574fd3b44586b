"""The record of an engine: its defaults and how it is asked for a ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from memfit.device.records import Device
from memfit.engine._start import EngineLog, Start
from memfit.engine.records import Asked, Command, Compared, Deployment, Options, Profile, Term, Workload
from memfit.errors import UsageError
from memfit.model.metadata import Value
from memfit.model.shape import ModelShape


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's answer: its terms, who answered, what the reader must know, and figures that were compared."""

    terms: tuple[Term, ...]
    engine: str
    warnings: tuple[str, ...] = ()
    compared: tuple[Compared, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where a shape comes from, for an engine that is asked about it: a file, or the header of a model not yet made."""

    path: str | None = None
    header: Mapping[str, Value] | None = None


@dataclass(frozen=True)
class Models:
    """The shapes a deployment names: the model and what runs beside it."""

    model: ModelShape
    draft: ModelShape | None = None
    projector: ModelShape | None = None
    adapters: tuple[ModelShape, ...] = ()
    origin: Origin = Origin()
    draft_origin: Origin = Origin()


@dataclass(frozen=True)
class Engine:
    """One inference runtime.

    Attributes:
        name: as its makers write it.
        profiles: options in force when none is given, for its library and for its server.
        ledger: what a deployment takes: models, deployment, device, profile and whom to ask.
        read_command: the words of a command line, and the profile that replaces its own (or None), to what it deploys;
            None where they are no program of this engine. Raises ``UsageError`` for one that cannot be read.
        read_modelfile: the same for a file that describes a model and its options; None where it is no such file.
        start: how it is started with a deployment inside a program of memfit's own that speaks ``events``, and made to
            work. Raises ``UsageError``, ``ModelError``, ``EngineMissing``.
        serve: how a server that a command names is started, and where it answers; no words for one that runs already,
            whose address is then left empty. Raises the same.
        read_log: what such a program has printed.
        installed_version: of the one that is installed here, read and not imported; empty where there is none.
        reads: ``gguf`` files, whose formats are presets, or ``checkpoints``, whose formats are schemes.
        default_format: what a model that is no file is sized in where no format was asked for.
        smaller_formats: those that may be proposed as a change, most bits first.
        only_sized: memfit knows what it takes, and neither starts it nor reads what it says.
        on_the_processor: it has no use for a GPU.
        peak_bytes: room for what no term names on a GPU (the ``high`` of ``peak_headroom``), by the bytes of weights
            and of all else that cannot be evicted.
        of_device: what it takes by the size of the device alone, likely and at most: a table that holds for every
            device leaves it out.
    """

    name: str
    summary: str
    profiles: dict[Profile, Options]
    ledger: Callable[[Models, Deployment, Device, Profile, Asked], Ledger]
    read_command: Callable[[Sequence[str], Profile | None], Command | None]
    read_modelfile: Callable[[Path, Profile | None], Command | None]
    start: Callable[[Deployment, Profile, Workload], Start]
    serve: Callable[[Sequence[str], Deployment, Workload], Start]
    read_log: Callable[[str], EngineLog]
    installed_version: Callable[[], str]
    reads: Literal["gguf", "checkpoints"] = "gguf"
    default_format: str = "Q4_K_M"
    smaller_formats: tuple[str, ...] = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")
    only_sized: bool = False
    on_the_processor: bool = False
    peak_bytes: Callable[[int, int], int] = lambda weights, rest: 0
    of_device: Callable[[Device], tuple[int, int]] = lambda device: (0, 0)
    aliases: tuple[str, ...] = ()


def sized(
    name: str,
    *,
    summary: str,
    options: Options,
    ledger: Callable[[Models, Deployment, Device, Profile, Asked], Ledger],
    default_format: str,
    peak_bytes: Callable[[int, int], int],
    smaller_formats: tuple[str, ...] = (),
    on_the_processor: bool = False,
    of_device: Callable[[Device], tuple[int, int]] = lambda device: (0, 0),
    aliases: tuple[str, ...] = (),
) -> Engine:
    """An engine that is only sized: whatever would start it or read what it says is refused in words.

    Args:
        name: as its makers write it.
        summary: one line for people.
        options: in force when none is given.
        ledger: what a deployment takes.
        default_format: name of a scheme, see ``Engine``.
        peak_bytes: see ``Engine``.
        smaller_formats: names of schemes, see ``Engine``.
        on_the_processor: see ``Engine``.
        of_device: see ``Engine``.
        aliases: other names.
    """

    def refuse(*_: object) -> Start:
        raise UsageError(
            f"memfit sizes {name} and does not start it",
            hint=f"say what it runs instead: memfit estimate MODEL --engine {name.lower().replace(' ', '-')}",
        )

    return Engine(
        name=name,
        summary=summary,
        profiles={"library": options, "server": options},
        ledger=ledger,
        read_command=lambda words, profile: None,
        read_modelfile=lambda path, profile: None,
        start=refuse,
        serve=refuse,
        read_log=lambda text: EngineLog(),
        installed_version=lambda: "",
        reads="checkpoints",
        default_format=default_format,
        smaller_formats=smaller_formats,
        only_sized=True,
        on_the_processor=on_the_processor,
        peak_bytes=peak_bytes,
        of_device=of_device,
        aliases=aliases,
    )
