"""Facts of a device, one file each: what is read, and how."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.device.facts._fact import Fact

FACTS: Catalog[Fact] = Catalog(__name__, Path(__file__).parent, constant="FACT", kind="fact", type=Fact)

__all__ = ["FACTS", "Fact"]
