from pathlib import Path

import pytest

from memfit.device.tegrastats import parse_line
from memfit.device.tegrastats_log import parse_log
from memfit.units import KIB, MIB

SAMPLES = Path(__file__).parents[3] / "shared/data/devices/tegrastats"

ORIN = (
    "04-19-2026 01:31:10 RAM 519/7607MB (lfb 61x4MB) SWAP 25/3810MB (cached 1MB) CPU [0%@1728,off,9%@1344] "
    "EMC_FREQ 31%@3199 GR3D_FREQ 12%@[1018,306] NVDEC off NVJPG1 off APE 200 cpu@48.906C tj@-5C VDD_IN 5971mW/6011mW"
)
THOR = (
    "04-21-2026 15:50:52 RAM 105265/125772MB (lfb 34x4MB) CPU [0%@972] EMC_FREQ 0%@2750 GR3D_FREQ @[314,314,314] "
    "NVENC0_FREQ @314 VIC off PVA0_FREQ off APE 300 soc012@37.468C VDD_GPU 1962mW/1962mW VIN 19780mW/19780mW"
)
NANO = (
    "RAM 1766/3964MB (lfb 197x4MB) SWAP 0/2048MB (cached 0MB) IRAM 0/252kB(lfb 252kB) CPU [24%@1224,15%@1224] "
    "EMC_FREQ 0% GR3D_FREQ 0% PLL@21C PMIC@100C POM_5V_IN 2545/2547"
)
TX1 = "RAM 3468/3983MB (lfb 48x4MB) SWAP 873/8192MB (cached 295MB) cpu [17%,13%]@408 EMC 1%@408 APE 25 GR3D 3%@76"
TX2 = "RAM 2450/7860MB (lfb 10x4MB) CPU [0%@345,off] MTS fg 0% bg 3% VDD_IN 2545/2547"


def lines(name: str) -> list[str]:
    file = SAMPLES / name
    if not file.is_file():
        pytest.skip("the device logs are not beside this checkout")
    return file.read_text().splitlines()


def test_a_line_of_an_orin() -> None:
    sample = parse_line(ORIN)
    assert sample is not None
    assert sample.taken == "2026-04-19T01:31:10"
    assert (sample.used_bytes, sample.total_bytes) == (519 * MIB, 7607 * MIB)
    assert (sample.free_blocks, sample.free_block_bytes) == (61, 4 * MIB)
    assert (sample.swap_used_bytes, sample.swap_total_bytes, sample.swap_cached_bytes) == (25 * MIB, 3810 * MIB, MIB)
    assert [(cpu.load_percent, cpu.now_hz) for cpu in sample.cpus] == [
        (0, 1_728_000_000),
        (None, None),
        (9, 1_344_000_000),
    ]
    gpu = sample.unit("GR3D")
    assert gpu is not None
    assert (gpu.load_percent, gpu.clocks_hz) == (12, (1_018_000_000, 306_000_000))
    nvdec = sample.unit("NVDEC")
    assert nvdec is not None
    assert nvdec.off
    assert [(zone.name, zone.now_c) for zone in sample.zones] == [("cpu", 48.906), ("tj", -5.0)]
    assert [(rail.name, rail.now_mw, rail.mean_mw) for rail in sample.rails] == [("VDD_IN", 5971, 6011)]
    assert sample.unread == ()


def test_a_thor_has_clocks_without_loads_and_no_swap() -> None:
    sample = parse_line(THOR)
    assert sample is not None
    gpu, encoder = sample.unit("GR3D"), sample.unit("NVENC0")
    assert gpu is not None
    assert encoder is not None
    assert (gpu.load_percent, gpu.clocks_hz) == (None, (314_000_000,) * 3)
    assert encoder.clocks_hz == (314_000_000,)
    assert sample.swap_total_bytes is None
    assert [rail.name for rail in sample.rails] == ["VDD_GPU", "VIN"]
    assert sample.unread == ()


@pytest.mark.parametrize("line", [NANO, TX1, TX2])
def test_older_lines_are_read_whole(line: str) -> None:
    sample = parse_line(line)
    assert sample is not None
    assert sample.taken is None
    assert sample.unread == ()
    assert all(cpu.now_hz for cpu in sample.cpus if cpu.load_percent is not None)


def test_one_clock_for_all_cores_of_a_tx1() -> None:
    sample = parse_line(TX1)
    assert sample is not None
    assert [cpu.now_hz for cpu in sample.cpus] == [408_000_000, 408_000_000]


def test_what_is_not_known_is_kept_aside() -> None:
    sample = parse_line("RAM 1/2MB (lfb 3x1MB) NEW_UNIT {7} VIC ??? GR3D_FREQ 4% Q@1C")
    assert sample is not None
    assert sample.unread == ("NEW_UNIT", "{7}", "VIC", "???")
    assert sample.unit("GR3D") is not None
    assert len(sample.zones) == 1


@pytest.mark.parametrize(
    "line", ["", "RAM", "RAM x/yMB", "# module | line", "used RAM: 3 of 4", "RAM 1/2MB" + "x" * 20_000]
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_line(line) is None


def test_an_impossible_date_is_no_date() -> None:
    sample = parse_line("13-45-2026 01:31:10 RAM 1/2MB")
    assert sample is not None
    assert sample.taken is None
    assert sample.free_blocks is None


def test_memory_in_kilobytes() -> None:
    sample = parse_line("RAM 100/200kB (lfb 1x4kB)")
    assert sample is not None
    assert (sample.used_bytes, sample.free_block_bytes) == (100 * KIB, 4 * KIB)


def test_every_module_of_the_samples() -> None:
    read = {}
    for line in lines("one-liners_by_module.txt"):
        if not line.startswith("#"):
            module, _, text = line.split("|", 2)
            sample = parse_line(text)
            assert sample is not None, line
            # one sample was shortened by whoever published it
            assert [word for word in sample.unread if word != "..."] == [], line
            read[module] = sample.total_bytes // MIB
    assert read == {
        "orin-nano-8gb": 7620,
        "orin-nx-16gb": 15_656,
        "agx-orin-64gb": 62_841,
        "thor-t5000-128gb": 125_772,
        "tx1-4gb": 3983,
        "nano-4gb": 3964,
    }


def test_a_whole_log_at_ten_lines_a_second() -> None:
    log = parse_log(lines("orin-nano-8gb_r36.5.0_trt-edge-llm_100ms.raw"), name="log")
    assert (log.samples, log.skipped, log.lines_per_point, log.unread) == (661, 0, 1, ())
    assert log.started == "2026-04-19T01:31:10"
    assert list(log.times_s) == sorted(log.times_s)
    assert 72 <= log.times_s[-1] <= 73  # from 01:31:10 to 01:32:22
    used = log.find("used", "bytes")
    assert used is not None
    assert (used.values[0], used.most) == (519 * MIB, 4239 * MIB)
    assert len(used.values) == len(log.times_s) == 661


def test_a_long_log_is_thinned_out_and_keeps_its_peaks() -> None:
    spikes = {7: 4000, 900: 5000}
    made = (f"RAM {spikes.get(at, 1000)}/8000MB (lfb {1 + at % 3}x{4 if at != 33 else 1}MB)" for at in range(1000))
    log = parse_log(made, most_points=64, interval_s=0.1)
    used, block = log.find("used", "bytes"), log.find("largest free block", "bytes")
    assert used is not None
    assert block is not None
    assert len(log.times_s) <= 64
    assert log.lines_per_point == 16
    assert (used.most, max(value for value in used.values if value)) == (5000 * MIB, 5000 * MIB)
    assert sum(value == 4000 * MIB for value in used.values) == 1
    assert (block.least, min(value for value in block.values if value)) == (MIB, MIB)
    assert used.mean == pytest.approx(1007 * MIB)
    assert log.times_s[1] == pytest.approx(1.6)
    assert not log.stamped


def test_units_that_come_and_go_keep_their_place() -> None:
    log = parse_log(["RAM 1/9MB GR3D_FREQ 5%", "noise", "RAM 2/9MB", "RAM 3/9MB GR3D_FREQ 7%", "RAM 4/9MB"])
    gpu = log.find("GR3D", "percent")
    assert gpu is not None
    assert list(gpu.values) == [5, None, 7, None]
    assert (log.samples, log.skipped) == (4, 1)


def test_a_clock_that_is_set_back_does_not_turn_time_around() -> None:
    stamps = ("01-01-2026 10:00:00", "01-01-2026 10:00:01", "01-01-2026 09:00:00", "01-01-2026 09:00:05")
    log = parse_log([f"{stamp} RAM 1/9MB" for stamp in stamps])
    assert log.times_s == (0.0, 1.0, 2.0, 7.0)


def test_joined_logs_of_several_machines_use_no_more_than_there_is() -> None:
    log = parse_log(["RAM 1/8MB", "RAM 70/128MB", "RAM 2/4MB"])
    used = log.find("used", "bytes")
    assert used is not None
    assert (used.most, log.total_bytes) == (70 * MIB, 128 * MIB)


def test_an_empty_log() -> None:
    log = parse_log(["", "no tegrastats"])
    assert (log.samples, log.skipped, log.times_s, log.series) == (0, 1, (), ())


def test_a_second_with_too_many_lines_is_not_held_whole() -> None:
    log = parse_log(["01-01-2026 10:00:00 RAM 1/9MB"] * 2500)
    assert log.samples == 2500
    assert list(log.times_s) == sorted(log.times_s)
