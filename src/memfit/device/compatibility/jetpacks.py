"""Every JetPack from 4.6.6 to 7.2.1 with what it ships.

The published matrix ('LLM Optimization on Jetson', five rows from 5.0.2 to 6.1) corrected and extended: its versions
agree with these as far as it goes (two numbers each); it lacks everything after 6.1, and advises 6.1 where 6.2 brought
the Super modes and 6.2.2 is the newest for Orin that most engines are built for.

Source of rows graded ``source``: names and versions of recipes on the release branches of OE4T/meta-tegra.
"""

from __future__ import annotations

from functools import partial

from memfit.device.compatibility._jetpack import JetPack, parse_release

_RECIPES = "recipes of OE4T/meta-tegra on the branch of this release"
_BIONIC = partial(JetPack, ubuntu="18.04", python="3.6")
_FOCAL = partial(JetPack, ubuntu="20.04", python="3.8")
_JAMMY = partial(JetPack, ubuntu="22.04", python="3.10")
_NOBLE = partial(JetPack, ubuntu="24.04", python="3.12", kernel="6.8.12")
_XAVIER_AND_ORIN = ("t194", "t234")


def _five(version: str, l4t: str) -> JetPack:
    return _FOCAL(
        version=version, l4t=l4t, kernel="5.10", cuda="11.4.19", tensorrt="8.5.2", cudnn="8.6.0.166",
        chips=_XAVIER_AND_ORIN, grade="source", source=_RECIPES,
    )  # fmt: skip


def _six(version: str, l4t: str) -> JetPack:
    return _JAMMY(
        version=version, l4t=l4t, kernel="5.15.148", cuda="12.6.68", tensorrt="10.3.0.30",
        cudnn="9.3.0.75", chips=("t234",), grade="source", source=_RECIPES,
    )  # fmt: skip


def _six_zero(version: str, l4t: str) -> JetPack:
    return _JAMMY(
        version=version, l4t=l4t, kernel="5.15", cuda="12.2.140", tensorrt="8.6.2.3", cudnn="8.9.4.25",
        chips=("t234",), grade="measured", source="package lists of devices with R36.2 and R36.3",
    )  # fmt: skip


def _seven(version: str, l4t: str) -> JetPack:
    return _NOBLE(
        version=version, l4t=l4t, cuda="13.0.48", tensorrt="10.13.3.9", cudnn="9.12.0.46",
        chips=("t264",), grade="source", source=f"{_RECIPES}; nv_tegra_release of devices",
    )  # fmt: skip


def _seven_two(version: str, l4t: str, cuda: str = "13.2.1", source: str = _RECIPES) -> JetPack:
    return _NOBLE(
        version=version, l4t=l4t, cuda=cuda, tensorrt="10.16.2.10", cudnn="9.20.0.46",
        chips=("t234", "t264"), grade="source", source=source,
    )  # fmt: skip


JETPACKS: tuple[JetPack, ...] = (
    _BIONIC(
        version="4.6.6",
        l4t="32.7.6",
        kernel="4.9",
        cuda="10.2.460",
        tensorrt="8.2.1",
        cudnn="8.2.1.32",
        chips=("t210", "t186", "t194"),
        grade="source",
        source=_RECIPES,
    ),
    _FOCAL(
        version="5.0.2",
        l4t="35.1.0",
        kernel="5.10.104",
        cuda="11.4",
        tensorrt="8.4.1",
        cudnn="8.4.1",
        chips=_XAVIER_AND_ORIN,
        grade="source",
        source=f"{_RECIPES}; TensorRT and cuDNN of NVIDIA's release notes, not re-read",
        doubtful={"tensorrt": "datasheet", "cudnn": "datasheet"},
    ),
    _five("5.1", "35.2.1"),
    _five("5.1.1", "35.3.1"),
    _five("5.1.2", "35.4.1"),
    _five("5.1.3", "35.5.0"),
    _five("5.1.4", "35.6.0"),
    _five("5.1.5", "35.6.1"),
    _five("5.1.6", "35.6.4"),
    _six_zero("6.0 DP", "36.2.0"),
    _six_zero("6.0", "36.3.0"),
    _six("6.1", "36.4.0"),
    _six("6.2", "36.4.3"),
    _six("6.2.1", "36.4.4"),
    _six("6.2.2", "36.5.0"),
    _seven("7.0", "38.2.0"),
    _seven("7.1", "38.4.0"),
    _seven_two("7.2 EA", "39.0.0"),
    _seven_two("7.2", "39.2.0"),
    _seven_two("7.2.1", "39.2.1", "13.2.2", "package list of a Thor developer kit (nvidia-jetpack 7.2.1-b49, R39.2.1)"),
)


def find_jetpack(l4t: str | None) -> JetPack | None:
    """The JetPack of a release of Jetson Linux such as ``36.4.7``; None where no source places it.

    Patches that came by apt alone belong to the newest JetPack before them of the same minor release: 36.4.7 is 6.2.1.
    A minor release that is not in the table is not guessed at.
    """
    release = parse_release(l4t) if l4t else None
    if release is None:
        return None
    found = None
    for jetpack in JETPACKS:
        first = parse_release(jetpack.l4t)
        if first is not None and first[:2] == release[:2] and first <= release:
            found = jetpack
    return found


def jetpack_of(l4t: str | None) -> str | None:
    """The JetPack's version: ``6.2.1`` for 36.4.4 and for 36.4.7."""
    found = find_jetpack(l4t)
    return None if found is None else found.version
