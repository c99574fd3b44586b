"""A board in one power mode as speed sees it: bandwidth, SMs with their clock, and the peak of its tensor cores."""

from __future__ import annotations

from memfit.device.boards import Board, Clocks, PowerTable
from memfit.errors import UnknownName, UsageError
from memfit.speed.records import Machine, Math

# multiplications and additions of one SM in one clock, dense, by CUDA's compute capability and what is multiplied.
# Checked against the data sheets with the clocks of device/boards:
# 7.2: 8 SMs at 1377 MHz give 11.3 FP16 TFLOPS and 22.6 INT8 TOPS (AGX Xavier: 11 and 22 of the GPU)
# 8.7: 8 SMs at 1020 MHz give 33.4 INT8 TOPS, 67 with sparsity (Orin Nano Super); 16 at 1301 MHz 170 (AGX Orin's GPU)
# 11.0: 20 SMs at 1575 MHz give 1,032 FP4 TFLOPS, 2,064 with sparsity (Thor T5000: 2,070); FP8 and FP16 are a half and a
# quarter of that. Its data sheet has no INT8, so integers are taken to go at FP16's rate
_A_CLOCK: dict[str, dict[Math, int]] = {
    "7.2": {"fp32": 128, "fp16": 1024, "int8": 2048},
    "8.7": {"fp32": 256, "fp16": 2048, "int8": 4096},
    "11.0": {"fp32": 256, "fp16": 8192, "fp8": 16_384, "fp4": 32_768},
}
# one Cortex-A78AE core: two 128-bit SIMD pipes (Arm Cortex-A78 Software Optimization Guide: FMLA and SDOT on V0 and V1)
_CORE_CLOCK: dict[Math, int] = {"fp32": 16, "fp16": 32, "int8": 64}

_DATA_RATE = 2  # both edges of the clock


def machine_of(board: Board, mode: str | None = None, *, on_cpu: bool = False) -> Machine:
    """The board in a power mode; without one in its highest, and a Super board in its Super modes.

    Args:
        board: what is known of it.
        mode: a mode's name; ``TABLE/MODE`` says of which file where two have that name.
        on_cpu: the CPU multiplies.

    Raises:
        UnknownName: no such mode on this board.
        UsageError: bandwidth, SMs or clocks of this board are not known.
    """
    table, clocks = _find(board, mode)
    upper = table is None or table.is_super or not any(other.is_super for other in board.power)
    bandwidth = _bandwidth(board, clocks, upper=upper)
    chip: str | None
    capability: str | None
    if on_cpu:
        units, hertz = clocks.cores or (board.threads.value if board.threads else None), _cpu_hz(board, clocks, upper)
        chip, capability = "CPU", None
    else:
        units, hertz = clocks.sms or (board.sms.value if board.sms else None), _gpu_hz(board, clocks, upper)
        chip = board.gpu.value if board.gpu else None
        capability = board.compute_capability.value if board.compute_capability else None
    if bandwidth is None or units is None or hertz is None or chip is None:
        raise UsageError(
            f"{board.name}: bandwidth or clocks are not known, so its speed cannot be told",
            hint="name a board of `memfit list devices` that has them, or measure",
        )
    source = "the board's highest clocks"
    if table is not None and table.clocks is not None:
        source = table.clocks.source
    return Machine(
        name=board.name,
        mode=clocks.mode,
        chip=chip,
        bandwidth_bytes_per_s=bandwidth,
        units=units,
        unit_hz=hertz,
        capability=capability,
        source=source,
    )


def math_of(machine: Machine, wanted: Math) -> Math:
    """What the chip multiplies with where it is given ``wanted``: formats it has no arithmetic for become FP16."""
    known = _known(machine)
    return wanted if wanted in known else "fp16"


def peak_flops(machine: Machine, math: Math) -> float:
    """Dense multiplications and additions a second at this clock.

    Raises:
        UsageError: nothing is known of this chip.
    """
    return float(_known(machine)[math_of(machine, math)]) * machine.units * machine.unit_hz


def _known(machine: Machine) -> dict[Math, int]:
    if machine.chip == "CPU":
        return _CORE_CLOCK
    if machine.capability not in _A_CLOCK:
        raise UsageError(
            f"{machine.name}: what its SMs compute in a clock is not known (compute capability {machine.capability})",
            hint=f"known: {', '.join(_A_CLOCK)}",
        )
    return _A_CLOCK[machine.capability]


def _find(board: Board, mode: str | None) -> tuple[PowerTable | None, Clocks]:
    tables = sorted(board.power, key=lambda table: not table.is_super)
    if mode is None:
        return _highest(tables)
    file, _, name = mode.rpartition("/")
    names = []
    for table in tables:
        for known in table.modes.value:
            names.append(known.name)
            if known.name == name and file in ("", table.name):
                return table, _clocks(table, name)
    raise UnknownName("power mode", mode, dict.fromkeys(names))


def _highest(tables: list[PowerTable]) -> tuple[PowerTable | None, Clocks]:
    """The first mode that sets no limit to the GPU: by its clocks where they are known, else by its name."""
    for table in tables:
        for known in table.modes.value:
            clocks = _clocks(table, known.name)
            if clocks.gpu_hz is None and (table.clocks is not None or known.name.startswith("MAXN")):
                return table, clocks
    return None, Clocks(mode="highest")


def _clocks(table: PowerTable, name: str) -> Clocks:
    found = table.clocks.value if table.clocks is not None else ()
    return next((clocks for clocks in found if clocks.mode == name), Clocks(mode=name))


def _bandwidth(board: Board, clocks: Clocks, *, upper: bool) -> int | None:
    base, better = board.bandwidth_bytes_per_s, board.super_bandwidth_bytes_per_s
    most = better if upper and better is not None else base
    if most is None or base is None:
        return None
    if clocks.memory_hz is None:
        return most.value
    # the bus is as wide in every mode: the data sheet's bandwidth at its own clock tells its width
    width = most.value / (_DATA_RATE * (3_199 if most.value != base.value or not better else 2_133) * 10**6)
    return min(most.value, round(width * _DATA_RATE * clocks.memory_hz))


def _gpu_hz(board: Board, clocks: Clocks, upper: bool) -> int | None:
    most = board.super_gpu_hz if upper and board.super_gpu_hz is not None else board.gpu_hz
    if most is None:
        return clocks.gpu_hz
    return min(most.value, clocks.gpu_hz) if clocks.gpu_hz is not None else most.value


def _cpu_hz(board: Board, clocks: Clocks, upper: bool) -> int | None:
    most = board.super_cpu_hz if upper and board.super_cpu_hz is not None else board.cpu_hz
    if most is None:
        return clocks.cpu_hz
    return min(most.value, clocks.cpu_hz) if clocks.cpu_hz is not None else most.value
