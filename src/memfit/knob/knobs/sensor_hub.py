"""Mask the sensor hub's service: no sensors of the embedded hub."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "nvs-service.service",
    summary="mask the sensor hub's service",
    cost="no sensors of the embedded hub",
    aliases=("nvs_service",),
)
