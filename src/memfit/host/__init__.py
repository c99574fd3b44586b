"""The only door to a machine: facts are read through a ``Host`` and nowhere else.

``open_host`` finds the door for what somebody typed: this machine, one that ssh reaches (``memfit.host.ssh``), an
unpacked image (``memfit.host.rootfs``) or a recording (``memfit.host.recorded``; ``memfit.host.record`` writes them).
"""

from memfit.host.local import LocalHost
from memfit.host.open import open_host
from memfit.host.records import Disk, Host, Manifest

__all__ = ["Disk", "Host", "LocalHost", "Manifest", "open_host"]
