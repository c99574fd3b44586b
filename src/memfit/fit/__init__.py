"""What can I run here, how fast, in which format?

fit(find_device("orin-nano-8gb"), Wish(use="chat")) -> Fit: rows, best first
"""

from memfit.fit.records import Fit, FitRow, FitVerdict, QualityPrior, Wish
from memfit.fit.search import fit

__all__ = ["Fit", "FitRow", "FitVerdict", "QualityPrior", "Wish", "fit"]
