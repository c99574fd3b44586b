"""Mask Docker and containerd: no container runs."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "docker.socket",
    "docker.service",
    "containerd.service",
    summary="mask Docker and containerd",
    cost="no container runs",
    spares=frozenset({"docker"}),
    aliases=("containerd",),
)
