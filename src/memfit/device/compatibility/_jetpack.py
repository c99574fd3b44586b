"""The record of a JetPack, and how releases of Jetson Linux are ordered."""

from __future__ import annotations

import re

import msgspec

from memfit.device.records import Grade

_RELEASE = re.compile(r"R?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:[-+].*)?", re.ASCII)


class JetPack(msgspec.Struct, frozen=True, kw_only=True):
    """A JetPack and its stack.

    Attributes:
        version: as NVIDIA counts it, ``6.2.1``.
        l4t: the first release of Jetson Linux that is this JetPack; later patches of it (apt) belong to it too.
        kernel, ubuntu, python: as shipped.
        cuda, tensorrt, cudnn: as shipped; None where no source says it.
        chips: Tegras it is for: ``t210 t186 t194 t234 t264``.
        grade, source: how the row is known.
        doubtful: fields of a weaker grade, with that grade.
    """

    version: str
    l4t: str
    kernel: str
    ubuntu: str
    python: str
    cuda: str | None = None
    tensorrt: str | None = None
    cudnn: str | None = None
    chips: tuple[str, ...]
    grade: Grade
    source: str
    doubtful: dict[str, Grade] = {}


def parse_release(text: str) -> tuple[int, int, int] | None:
    """``36.4.7``, ``R36.4`` or a package's ``36.4.7-20250918154033`` as three numbers; None of anything else."""
    found = _RELEASE.fullmatch(text.strip())
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
