"""The steps that are no files: units, values of the kernel and programs, done, looked at again and taken back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from memfit.agent import theirs
from memfit.agent.failure import Failure, of_system
from memfit.agent.journal import Entry, Journal
from memfit.agent.machine import ONE_WAY, Machine
from memfit.agent.shown import Shown, ending
from memfit.agent.steps import begun, is_running

# these do their work or nothing: one that failed has left nothing to take back
_ALL_OR_NOTHING = ("swapon", "swapoff", "mkswap")
_MOST_S, _SWAP_S = 120.0, 600.0
"""What lies in swap is read back page by page: a disk that gives 50 MB/s that way brings 30 GB in so long."""
_UNIT_FILES = "/etc/systemd/"
# the kernel lets it shrink and never grow: what it was, it is again after the next boot
_UNTIL_BOOT = ("/sys/kernel/kexec_crash_size",)
# whatever is written to the first, the kernel raises the second by itself (set_recommended_min_free_kbytes,
# mm/khugepaged.c); where it lowers it, that is its own earlier raise
_RAISES = {"/sys/kernel/mm/transparent_hugepage/enabled": "/proc/sys/vm/min_free_kbytes"}


class Acts:
    """What is done on a machine that runs; steps of kind ``node`` are none of its business and pass."""

    def __init__(self, machine: Machine, journal: Journal) -> None:
        self._machine = machine
        self._shown = Shown(machine, journal)
        self._journal = journal
        self._along: dict[int, str] = {}  # what is noted, where a full disk takes no note

    def reload(self, steps: list[dict[str, Any]]) -> None:
        """Let systemd read what was changed of its files.

        Raises:
            Failure: it does not.
        """
        if any(step["kind"] == "node" and step["path"].startswith(_UNIT_FILES) for step in steps):
            self._machine.reload()

    def act(self, step: dict[str, Any], entry: Entry) -> None:
        """Do it.

        Raises:
            Failure: it could not be done.
            OSError: that a program was started cannot be noted, so it was not.
        """
        if step["kind"] == "unit":
            self._machine.set_active(step["unit"], step["after"])
        elif step["kind"] == "value":
            self._keep_along(step, entry)
            self._machine.set_value(step["path"], step["after"])
            self._put_back_along(step, entry)
        elif step["kind"] == "run":
            # a program may fail to take back what it never did
            self._journal.note(entry, begun(step), {"begun": True, "shown": self._shown.ask(step)})
            try:
                self._run(step["do"])
            except Failure:
                if step["undo"] and step["do"][0] not in _ALL_OR_NOTHING:
                    self._machine.run(step["undo"])
                self._journal.forget(entry, begun(step))
                raise

    def done(self, steps: list[dict[str, Any]], entry: Entry) -> None:
        """Note what programs say of what they left, once all of them were run.

        Raises:
            OSError: it cannot be noted.
        """
        self._shown.note(steps, entry)

    def verify(self, step: dict[str, Any]) -> None:
        """Look again.

        Raises:
            Failure: it is not so.
        """
        if step["kind"] == "unit":
            state = self._machine.unit(step["unit"])
            said = state.get("ActiveState", "in no state")
            # one that is being started is neither: it may fail, or never come to its start
            if is_running(state) if not step["after"] else said not in ("active", "reloading"):
                hint = f"its log says why: journalctl -u {step['unit']}" if step["after"] else "what starts it again?"
                raise Failure("apply", f"{step['unit']}: it is {said} after all", hint=hint)
        elif step["kind"] == "value" and step["path"] not in ONE_WAY:
            now = self._machine.value(step["path"])
            if now != step["after"]:
                raise Failure("apply", f"{step['path']}: {step['after']} was written, {now} is there")

    def take_back(self, steps: list[dict[str, Any]], entry: Entry, *, same_boot: bool) -> None:
        """All that can be taken back, in the other order; what fails keeps nothing else from it.

        Args:
            steps: of the whole plan, their files taken back already.
            entry: the transaction: ``open`` where it never came to its end.
            same_boot: whether the machine still runs as it did then.

        Raises:
            Failure: something could not be.
        """
        said: list[Failure] = []
        for step in (None, *reversed(steps)):
            try:
                if step is None:
                    self.reload(steps)
                else:
                    self._take_back(step, entry, same_boot=same_boot)
            except Failure as failure:
                said.append(failure)
            except OSError as error:
                said.append(of_system(entry.path, error))
        if said:
            raise Failure("undo", "; ".join(failure.message for failure in said), hint=said[0].hint)

    def _take_back(self, step: dict[str, Any], entry: Entry, *, same_boot: bool) -> None:
        if step["kind"] == "unit":
            running = is_running(self._machine.unit(step["unit"]))
            if running != step["before"] and (step["before"] or same_boot):
                self._machine.set_active(step["unit"], step["before"])
        elif step["kind"] == "value" and step["path"] not in (*ONE_WAY, *_UNTIL_BOOT):
            if same_boot:  # where something died between a write and this, before what is there now is taken for it
                self._put_back_along(step, entry)
            now = self._machine.value(step["path"])
            # another value than was written is somebody else's, unless it never came to that: the kernel may have made
            # another of it. After a boot it is ours only where a file of ours set it again
            ours = now == step["after"] or (entry.state == "open" and same_boot)
            if now != step["before"] and ours:
                with suppress(OSError):  # a full disk keeps nothing from going back
                    self._keep_along(step, entry)
                self._machine.set_value(step["path"], step["before"])
                self._put_back_along(step, entry)
        elif step["kind"] == "run" and (same_boot or step["lasting"]) and self._journal.has_note(entry, begun(step)):
            if step["number"] in theirs.agreed(self._journal, entry) and self._shown.is_theirs(step, entry):
                return
            with suppress(OSError):  # a full disk keeps nothing from going back
                self._journal.note(entry, ending(step), {"begun": True})
            try:
                self._run(step["undo"])
            except Failure:
                if not self._machine.is_so(step["undo"]):
                    raise

    def _keep_along(self, step: dict[str, Any], entry: Entry) -> None:
        """Note what the kernel is about to raise along with a value: nobody asked for that.

        Raises:
            OSError: it cannot be noted.
        """
        other = _RAISES.get(step["path"])
        was = self._machine.value(other) if other else None
        if was is not None and was.isdigit():
            self._along[step["number"]] = was
            self._journal.note(entry, _along(step), {"was": was})

    def _put_back_along(self, step: dict[str, Any], entry: Entry) -> None:
        """That again as it was noted, if it was raised; and no such note any more."""
        other = _RAISES.get(step["path"])
        if other is None:
            return
        was = self._along.pop(step["number"], None) or self._journal.noted(entry, _along(step)).get("was")
        now = self._machine.value(other)
        if was and now and now.isdigit() and int(now) > int(was):
            self._machine.set_value(other, was)
        with suppress(OSError):  # one that stays is as good as the state is
            self._journal.forget(entry, _along(step))

    def _run(self, words: list[str]) -> None:
        if not words:
            return
        code, said = self._machine.run(words, most_s=_SWAP_S if words[0] == "swapoff" else _MOST_S)
        if code:
            raise Failure("apply", f"{' '.join(words)}: {said.strip()[-300:] or f'exit code {code}'}")


def _along(step: dict[str, Any]) -> str:
    """The name of the note of what the kernel raises along with a step's value."""
    return f"along-{step['number']}"
