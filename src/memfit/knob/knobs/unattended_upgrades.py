"""Mask updates that come by themselves: security updates only when somebody asks for them."""

from memfit.knob._services import service_knob

KNOB = service_knob(
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "update-notifier-download.timer",
    "update-notifier-motd.timer",
    "apt-daily.service",
    "apt-daily-upgrade.service",
    "unattended-upgrades.service",
    summary="mask updates that come by themselves",
    cost="security updates only when somebody asks for them",
    spares=frozenset({"updates"}),
    aliases=("updates",),
)
