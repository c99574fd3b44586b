"""Changes of several knobs together: what they share becomes one change and not several of one file."""

from __future__ import annotations

from collections.abc import Sequence

from memfit.device.audit_records import Audit
from memfit.host import Host
from memfit.knob._command_line import command_line_changes
from memfit.knob._drop_ins import drop_in_changes
from memfit.knob._sysctl import sysctl_changes
from memfit.knob.changes import Change
from memfit.knob.offers import Offer


def changes_of(host: Host, audit: Audit, chosen: Sequence[Offer]) -> tuple[Change, ...]:
    """Everything the chosen knobs change: files and links first, then what runs; the boot loader's file last.

    Raises:
        ApplyError: that is not one that can be changed safely.
    """
    settings = {path: text for offer in chosen for path, text in offer.settings.items()}
    words = {name: value for offer in chosen for name, value in offer.words.items()}
    return (
        *(change for offer in chosen for change in offer.changes),
        *sysctl_changes(host, settings),
        *drop_in_changes(host, [offer.lines for offer in chosen]),
        *command_line_changes(host, audit, words),
    )
