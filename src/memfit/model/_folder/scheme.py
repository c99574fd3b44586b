"""Which scheme a ``quantization_config`` means, so that a checkpoint can be sized before its weights are here."""

from __future__ import annotations

from memfit.model.quantizations import Quantization
from memfit.precision._scheme import Scheme
from memfit.precision.schemes import SCHEMES

_SCALES = {"tensor": "matrix", "channel": "row", "group": "group", "block": "block"}


def scheme_of(found: Quantization) -> Scheme | None:
    """The scheme with these bits and scales; None where memfit has none, or several fit and the config does not say."""
    named = [scheme for scheme in SCHEMES if found.method in scheme.quant_methods]
    if not found.weights:
        return named[0] if len(named) == 1 else None
    asked = found.weights[0]
    alike = [scheme for scheme in named if scheme.weight_bits == asked.bits]
    for narrower in (
        [scheme for scheme in alike if ("FP" in scheme.name) == (asked.kind == "float")],
        [scheme for scheme in alike if scheme.activation_bits == (asked.activation_bits or 16)],
        [scheme for scheme in alike if asked.group_size and scheme.group == asked.group_size],
        [scheme for scheme in alike if asked.strategy and _scales(scheme) == _SCALES[asked.strategy]],
    ):
        alike = [scheme for scheme in alike if scheme in narrower] or alike
    return alike[0] if len(alike) == 1 else None


def _scales(scheme: Scheme) -> str:
    """What one of its scales is for: the first stored tensor that is not the numbers themselves."""
    return next((stored.per for stored in scheme.tensors if stored.per != "number"), "")
