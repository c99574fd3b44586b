"""Settings of a system that give memory back: what each would give here, what it costs, and the changes it is made of.

A knob reads through ``Host`` and decides purely; nothing is written here (``memfit.apply`` does). ``offers`` asks all.
"""

from memfit.knob.advice import advice
from memfit.knob.changes import Change
from memfit.knob.offers import Offer, offers
from memfit.knob.records import NEEDS, Compressed, Need, Wish

__all__ = ["NEEDS", "Change", "Compressed", "Need", "Offer", "Wish", "advice", "offers"]
