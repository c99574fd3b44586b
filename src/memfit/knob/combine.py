"""Changes of several knobs together: what they share becomes one change and not several of one file."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob.changes import Change
from memfit.knob.offers import Offer


def changes_of(host: Host, audit: Audit, chosen: Sequence[Offer]) -> tuple[Change, ...]:
    """Everything the chosen knobs change: files and links first, then what runs."""
    return tuple(change for offer in chosen for change in offer.changes)
