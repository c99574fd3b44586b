"""The knobs, one file each; the file's name is the knob's."""

from pathlib import Path

from memfit.catalog import Catalog
from memfit.knob._knob import Knob

KNOBS: Catalog[Knob] = Catalog("memfit.knob.knobs", Path(__file__).parent, constant="KNOB", kind="knob", type=Knob)
