"""Mask NVIDIA's Weston: no display by Weston."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "nvweston.service",
    summary="mask NVIDIA's Weston",
    cost="no display by Weston",
    spares=frozenset({"display"}),
    aliases=("nvweston",),
)
