"""What people look for a model for, one file each: which models serve it, and what they must hold and reach."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.fit.uses._use import Use

USES: Catalog[Use] = Catalog(__name__, Path(__file__).parent, constant="USE", kind="use", type=Use)

__all__ = ["USES", "Use"]
