"""Mask the allow list of the vision accelerator: no programs on the vision accelerator."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "nvidia-pva-allowd.service",
    summary="mask the allow list of the vision accelerator",
    cost="no programs on the vision accelerator",
    spares=frozenset({"camera"}),
    aliases=("nvidia_pva_allowd",),
)
