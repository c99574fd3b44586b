"""What runs taught on this machine: shown, learned again from the kept runs, or forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from memfit.cli._output import Outputs, output_options, show

if TYPE_CHECKING:
    from memfit.footprint.calibration import Calibration

_HELP = """What runs taught on this machine: shown, learned again from the kept runs, or forgotten.

`memfit verify` keeps what a run showed of its setting, and `memfit estimate` predicts it so from then on, on this
machine and for that version of the engine.

\b
  memfit calibrate                 what is known, newest version of the engine first
  memfit calibrate --again         begin anew, from the runs that are kept (memfit runs)
  memfit calibrate --forget        delete it; the runs stay
  memfit calibrate --json > mine.json && memfit estimate model.gguf --calibration mine.json"""


@click.command("calibrate", help=_HELP)
@click.option("--again", is_flag=True, help="Learn again from every kept run whose model is still there.")
@click.option("--forget", is_flag=True, help="Delete what runs on this machine taught.")
@output_options
def COMMAND(**given: Any) -> None:  # noqa: N802  the catalog's constant
    """Run the verb."""
    from memfit.device.machine_key import machine_key
    from memfit.errors import UsageError
    from memfit.footprint.calibration_file import files_of, read, write

    again, forget = given.pop("again"), given.pop("forget")
    outputs = Outputs.take(given)
    machine = machine_key()
    if again and forget:
        raise UsageError("--again and --forget contradict each other", hint="choose one of them")
    if again or forget:
        # the new ones are there before the old ones go
        kept = {write(calibration) for calibration in (_again(machine) if again else ())}
        for path in files_of(machine):
            if path not in kept:
                path.unlink(missing_ok=True)
    known = files_of(machine)
    if not known:
        if outputs.json or outputs.files:
            raise UsageError("nothing is calibrated on this machine", hint="memfit verify model.gguf")
        click.echo("nothing is calibrated on this machine: memfit verify model.gguf")
    for path in known[:1] if outputs.json or outputs.files else known:
        show(read(path), outputs)


def _again(machine: str) -> tuple[Calibration, ...]:
    from memfit.measure.calibrate import again
    from memfit.measure.store import Store
    from memfit.measure.verify import predicted_again

    return tuple(one for one in again(Store().all(), predicted_again) if one.machine == machine)
