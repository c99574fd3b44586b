"""The only door to a machine: facts are read through a ``Host`` and nowhere else."""

from memfit.host.local import LocalHost
from memfit.host.records import Disk, Host

__all__ = ["Disk", "Host", "LocalHost"]
