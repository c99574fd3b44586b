"""Models for speech, one file each, by what their makers publish of them: a config, or a file of a known size."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.model.speech._speech import Speech

SPEECH: Catalog[Speech] = Catalog(__name__, Path(__file__).parent, constant="MODEL", kind="speech model", type=Speech)

__all__ = ["SPEECH", "Speech"]
