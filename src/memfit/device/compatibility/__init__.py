"""Which JetPack belongs to a release of Jetson Linux, what comes with it, and which engines run there."""

from memfit.device.compatibility._jetpack import JetPack
from memfit.device.compatibility.engines import ENGINES, engines_on
from memfit.device.compatibility.jetpacks import JETPACKS, find_jetpack, jetpack_of

__all__ = ["ENGINES", "JETPACKS", "JetPack", "engines_on", "find_jetpack", "jetpack_of"]
