"""Terms added up per memory pool, with provenance and error bars; whether they fit, and what would help."""

from memfit.footprint.predict import footprint_of, predict, with_device
from memfit.footprint.records import Curve, CurvePoint, Footprint, Largest, ModelSummary, Relief
from memfit.footprint.relax import relax
from memfit.footprint.sweep import largest_fitting, steps, sweep

__all__ = [
    "Curve",
    "CurvePoint",
    "Footprint",
    "Largest",
    "ModelSummary",
    "Relief",
    "footprint_of",
    "largest_fitting",
    "predict",
    "relax",
    "steps",
    "sweep",
    "with_device",
]
