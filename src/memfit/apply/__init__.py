"""Changes to a machine as one transaction: through whichever door, with the receipt that takes them back.

The agent (``memfit.agent``) does it where the machine is; here is what to ask of it and what its answers mean.
"""

from memfit.apply.apply import apply, packed, status, undo
from memfit.apply.place import Place
from memfit.apply.propose import Proposal, choose, propose
from memfit.apply.records import Receipt, Status
from memfit.apply.stepwise import Stepwise, stepwise

__all__ = [
    "Place",
    "Proposal",
    "Receipt",
    "Status",
    "Stepwise",
    "apply",
    "choose",
    "packed",
    "propose",
    "status",
    "stepwise",
    "undo",
]
