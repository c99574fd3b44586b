"""Changes to a machine for the tests of their views: made up, with sizes as a small board has them."""

import msgspec

from memfit.apply.check import Checked
from memfit.apply.propose import Proposal, Proposed, ProposedKnob
from memfit.apply.records import Applied, AppliedKnob, Boot, Receipt, Status
from memfit.apply.stepwise import StepTaken, Stepwise
from memfit.units import MIB

_DESKTOP = ProposedKnob(
    name="desktop",
    summary="boot without a desktop",
    layer="user",
    low_bytes=180 * MIB,
    likely_bytes=252 * MIB,
    high_bytes=301 * MIB,
    when="live",
    cost="no local display",
    risk="none",
    evidence="12 processes (gnome-shell, Xorg): 301.0 MiB PSS",
)
_SWIOTLB = ProposedKnob(
    name="swiotlb",
    summary="size the bounce buffers by their use",
    layer="boot",
    low_bytes=60 * MIB,
    likely_bytes=60 * MIB,
    high_bytes=60 * MIB,
    when="reboot",
    cost="devices that no IOMMU maps may fail with 'swiotlb buffer is full'",
    risk="high",
    value="4MiB",
)
_CMA = ProposedKnob(
    name="cma",
    summary="a pool of contiguous memory (CMA) of the size that is needed",
    layer="boot",
    low_bytes=0,
    likely_bytes=0,
    high_bytes=0,
    when="reboot",
    cost="if the GPU asks for more at power-on it does not start",
    risk="high",
    cuda_bytes=160 * MIB,
)
_DIFF = """--- /boot/extlinux/extlinux.conf
+++ /boot/extlinux/extlinux.conf
@@ -1,2 +1,2 @@
 TIMEOUT 30
-DEFAULT primary
+DEFAULT memfit"""

PROPOSAL = Proposal(
    host="jetson",
    knobs=(_DESKTOP, _SWIOTLB, _CMA),
    changes=(
        Proposed(kind="file", target="/boot/extlinux/extlinux.conf", text=_DIFF),
        Proposed(kind="unit", target="gdm.service", text="systemctl stop gdm.service"),
        Proposed(kind="space", target="/swap.memfit", text="fallocate -l 1073741824 /swap.memfit"),
    ),
    low_bytes=240 * MIB,
    likely_bytes=312 * MIB,
    high_bytes=361 * MIB,
    waits_for_boot=True,
    left=(("cups", "kept for printing"),),
)
NOTHING = Proposal(host="jetson", knobs=(), changes=(), low_bytes=0, likely_bytes=0, high_bytes=0, waits_for_boot=False)

RECEIPT = Receipt(
    id="0003-1f4c",
    state="applied",
    host="jetson",
    made="2026-11-29T15:54:33+00:00",
    machine="84efe6804ba996d1",
    knobs=(
        AppliedKnob(name="desktop", low_bytes=180 * MIB, likely_bytes=252 * MIB, high_bytes=301 * MIB),
        AppliedKnob(
            name="swiotlb",
            value="4MiB",
            low_bytes=60 * MIB,
            likely_bytes=60 * MIB,
            high_bytes=60 * MIB,
            when="reboot",
        ),
    ),
    changes=(
        Applied(
            kind="file",
            target="/boot/extlinux/extlinux.conf",
            before="sha256 dd9ec17334e8",
            after="sha256 6895328da380",
            sha256_before="dd9ec17334e8" + "0" * 52,
            sha256_after="6895328da380" + "0" * 52,
        ),
        Applied(kind="unit", target="gdm.service", before="active", after="inactive"),
    ),
    measured_bytes=249 * MIB,
    waits_for_boot=True,
)
BOOTED = msgspec.structs.replace(RECEIPT, waits_for_boot=False, booted_bytes=60 * MIB, boot=Boot(state="confirmed"))
FELL_BACK = msgspec.structs.replace(
    RECEIPT, waits_for_boot=False, boot=Boot(state="fell back", reasons=("CMA is gone", "ssh.service failed"))
)
UNDONE = msgspec.structs.replace(RECEIPT, state="undone", waits_for_boot=False)
LEFT = msgspec.structs.replace(UNDONE, theirs=("/boot/extlinux/extlinux.conf",))
STATUS = Status(
    host="jetson",
    receipts=(
        msgspec.structs.replace(UNDONE, id="0002-99aa"),
        msgspec.structs.replace(RECEIPT, drift=("/boot/extlinux/extlinux.conf: somebody changed it",)),
    ),
)
STEPWISE = Stepwise(
    host="jetson",
    check="memfit verify model.gguf",
    baseline=Checked(code=0),
    steps=(
        StepTaken(knob="desktop", kept=True, receipt=RECEIPT, checked=Checked(code=0)),
        StepTaken(knob="docker", kept=False, receipt=UNDONE, checked=Checked(code=1, said="no daemon\ngiving up\n")),
        StepTaken(knob="cups", kept=True, why="nothing to do any more"),
    ),
)
BROKEN = Stepwise(host="jetson", check="false", baseline=Checked(code=1, said="it never worked\n"))

CHANGES = {
    "proposal": PROPOSAL,
    "proposal_of_nothing": NOTHING,
    "receipt": RECEIPT,
    "receipt_after_a_boot": BOOTED,
    "receipt_that_fell_back": FELL_BACK,
    "receipt_with_theirs": LEFT,
    "status": STATUS,
    "stepwise": STEPWISE,
    "stepwise_not_begun": BROKEN,
}
