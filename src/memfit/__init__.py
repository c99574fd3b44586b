"""Fit bigger AI models into the memory an edge device really has.

The public interface in one place::

    import memfit

    footprint = memfit.estimate("model.gguf", device=memfit.find_device("orin-nano-8gb"))
    print(footprint.verdict, footprint.required_bytes)
    print(memfit.render.render(footprint))
    pasted = memfit.read_command("llama-server -m model.gguf -c 8192 -ctk q8_0")
    print(memfit.estimate_deployment(pasted.deployment, profile=pasted.profile).high_bytes)

Each name is imported from its room when it is first used, so ``import memfit`` itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memfit import render
    from memfit.device import Device, find_device
    from memfit.device.audit import audit
    from memfit.device.audit_records import Audit
    from memfit.engine import Deployment, Options, Part, Term
    from memfit.engine.command import read_command, read_modelfile
    from memfit.engine.records import Command, Workload
    from memfit.errors import MemfitError
    from memfit.footprint import (
        Curve,
        CurvePoint,
        Footprint,
        Largest,
        ModelSummary,
        Relief,
        largest_fitting,
        predict,
        relax,
        sweep,
    )
    from memfit.footprint.estimate import estimate, estimate_deployment, find_models
    from memfit.footprint.process import Comparison, command_of, compare
    from memfit.measure.baseline import Baselines, measure_baselines
    from memfit.measure.records import Observation, Verification
    from memfit.measure.store import Store
    from memfit.measure.verify import Target, verify
    from memfit.model import ModelShape, find_model, in_preset, read_shape
    from memfit.model.fabricate import Fabrication, fabricate
    from memfit.render import schema

__version__ = "0.1.0"

__all__ = [
    "Audit",
    "Baselines",
    "Command",
    "Comparison",
    "Curve",
    "CurvePoint",
    "Deployment",
    "Device",
    "Fabrication",
    "Footprint",
    "Largest",
    "MemfitError",
    "ModelShape",
    "ModelSummary",
    "Observation",
    "Options",
    "Part",
    "Relief",
    "Store",
    "Target",
    "Term",
    "Verification",
    "Workload",
    "__version__",
    "audit",
    "command_of",
    "compare",
    "estimate",
    "estimate_deployment",
    "fabricate",
    "find_device",
    "find_model",
    "find_models",
    "in_preset",
    "largest_fitting",
    "measure_baselines",
    "predict",
    "read_command",
    "read_modelfile",
    "read_shape",
    "relax",
    "render",
    "schema",
    "sweep",
    "verify",
]

_ROOMS = {
    "device": ("Device", "find_device"),
    "device.audit": ("audit",),
    "device.audit_records": ("Audit",),
    "engine": ("Deployment", "Options", "Part", "Term"),
    "engine.command": ("read_command", "read_modelfile"),
    "engine.records": ("Command", "Workload"),
    "errors": ("MemfitError",),
    "footprint": (
        "Curve",
        "CurvePoint",
        "Footprint",
        "Largest",
        "ModelSummary",
        "Relief",
        "largest_fitting",
        "predict",
        "relax",
        "sweep",
    ),
    "footprint.estimate": ("estimate", "estimate_deployment", "find_models"),
    "footprint.process": ("Comparison", "command_of", "compare"),
    "measure.baseline": ("Baselines", "measure_baselines"),
    "measure.records": ("Observation", "Verification"),
    "measure.store": ("Store",),
    "measure.verify": ("Target", "verify"),
    "model": ("ModelShape", "find_model", "in_preset", "read_shape"),
    "model.fabricate": ("Fabrication", "fabricate"),
    "render": ("schema",),
}


def __getattr__(name: str) -> object:
    """A public name from its room (PEP 562)."""
    import importlib

    if name == "render":  # the room itself, whose function is called as it is
        return importlib.import_module(f"{__name__}.render")
    room = next((room for room, names in _ROOMS.items() if name in names), None)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{__name__}.{room}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
