"""Finds the calibration that holds for a footprint, and corrects it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from memfit.device.machine_key import machine_key
from memfit.engine._engine import Models
from memfit.engine.records import Workload
from memfit.engine.runtimes import ENGINES
from memfit.errors import UsageError
from memfit.footprint.calibration import Calibration, calibrated
from memfit.footprint.calibration_file import find, read, same_version
from memfit.footprint.filling import filling_of
from memfit.footprint.records import Footprint
from memfit.footprint.setting import setting_digest


def corrected(
    footprint: Footprint,
    models: Models,
    calibration: Calibration | os.PathLike[str] | str | None = "auto",
    workload: Workload | None = None,
) -> Footprint:
    """The footprint as runs corrected it.

    Args:
        footprint: predicted without calibration.
        models: the shapes of all that its deployment names.
        calibration: ``auto``: what ``memfit verify`` learned on this machine, where the footprint is for this machine
            and the engine is the one that ran; a file; a record; or None.
        workload: that it is a prediction of; None: of any use of the deployment.

    Raises:
        UsageError: the file cannot be read, or holds for another engine or backend.
    """
    if calibration is None:
        return footprint
    warnings: tuple[str, ...] = ()
    if calibration == "auto":
        found, warning = _own(footprint)
        warnings = (warning,) if warning else ()
    elif isinstance(calibration, Calibration):
        found = calibration
    else:
        found = read(Path(calibration))
        warnings = _strange(footprint, found, os.fspath(calibration))
    if found is not None:
        options, threads = footprint.deployment.options, footprint.device.threads
        setting = setting_digest(models, options, footprint.profile, threads=threads)
        trained = footprint.model.context_trained_tokens
        filling = None if workload is None else filling_of(workload, options, trained)
        footprint = calibrated(footprint, found, setting, filling)
    if not warnings:
        return footprint
    return msgspec.structs.replace(footprint, warnings=(*footprint.warnings, *warnings))


def _own(footprint: Footprint) -> tuple[Calibration | None, str]:
    """This machine's own calibration; None for any other device."""
    if footprint.device.name != "this machine":
        return None, ""
    deployment = footprint.deployment
    return find(machine_key(), deployment.engine, _version(footprint), deployment.options.backend)


def _version(footprint: Footprint) -> str:
    """Of the engine that was asked, or else of the one that is installed."""
    installed = ENGINES.get(footprint.deployment.engine).installed_version()
    return footprint.engine if same_version(footprint.engine, installed) else installed


def _strange(footprint: Footprint, calibration: Calibration, file: str) -> tuple[str, ...]:
    """What a calibration that was given by hand does not hold for.

    Raises:
        UsageError: it is another engine's or another backend's, so that nothing of it applies.
    """
    deployment = footprint.deployment
    asked = (deployment.engine, deployment.options.backend)
    if (calibration.engine, calibration.backend) != asked:
        raise UsageError(
            f"{file} is a calibration of {calibration.engine} on {calibration.backend},"
            f" and this runs {' on '.join(asked)}",
            hint="leave out --calibration, or give the file of this engine and backend",
        )
    found = []
    if footprint.device.name == "this machine" and calibration.machine != machine_key():
        found.append(f"the calibration is of another machine ({calibration.machine})")
    elif footprint.device.name != "this machine":
        found.append(
            f"the calibration is of {calibration.machine}: whether {footprint.device.name} is the same, you say"
        )
    version = _version(footprint)
    if version and not same_version(calibration.version, version):
        found.append(f"the calibration is of engine {calibration.version}, and here is {version}")
    return tuple(found)
