"""Clocks, rails, temperatures and fans of boards and releases that the written trees do not have."""

from pathlib import Path

import pytest

from memfit.device.audit_records import Clock, Rail, Zone
from memfit.device.clocks import read_clocks
from memfit.device.facts import FACTS
from memfit.device.rails import read_rails
from memfit.device.reading import integer, read_integer
from memfit.device.thermal import Fan, read_fans, read_zones
from memfit.host import LocalHost


def machine(root: Path, files: dict[str, str]) -> LocalHost:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return LocalHost(root)


def test_rails_of_jetpack_4_are_in_iio(tmp_path: Path) -> None:
    folder = "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    host = machine(
        tmp_path,
        {
            f"{folder}/rail_name_0": "POM_5V_IN\n",
            f"{folder}/in_power0_input": "2545\n",
            f"{folder}/rail_name_1": "POM_5V_GPU\n",
            f"{folder}/in_power1_input": "0\n",
            f"{folder}/rail_name_2": "NC\n",
            f"{folder}/in_power2_input": "7\n",
        },
    )
    assert read_rails(host) == (Rail(name="POM_5V_IN", now_mw=2545), Rail(name="POM_5V_GPU", now_mw=0))


def test_a_channel_without_current_is_no_rail_and_thors_input_has_its_own_monitor(tmp_path: Path) -> None:
    folder = "/sys/bus/i2c/drivers/ina3221/2-0040/hwmon/hwmon5"
    host = machine(
        tmp_path,
        {
            f"{folder}/in1_label": "VDD_GPU\n",
            f"{folder}/in1_input": "20000\n",
            f"{folder}/curr1_input": "98\n",
            f"{folder}/in2_label": "VDD_CPU\n",
            f"{folder}/in2_input": "20000\n",
            "/sys/bus/i2c/drivers/ina238/2-0044/hwmon/hwmon6/power1_input": "19780000\n",
        },
    )
    assert read_rails(host) == (Rail(name="VDD_GPU", now_mw=1960), Rail(name="VIN", now_mw=19_780))


def test_a_zone_whose_engine_is_off_says_nothing(tmp_path: Path) -> None:
    zones = "/sys/class/thermal/thermal_zone"
    host = machine(
        tmp_path,
        {
            f"{zones}0/type": "cpu-thermal",
            f"{zones}0/temp": "48906",
            f"{zones}0/trip_point_0_type": "critical",
            f"{zones}0/trip_point_0_temp": "104500",
            f"{zones}0/trip_point_1_type": "hot",
            f"{zones}0/trip_point_1_temp": "103000",
            f"{zones}0/trip_point_2_type": "passive",
            f"{zones}0/trip_point_2_temp": "99000",
            f"{zones}1/type": "cv0-thermal",
            f"{zones}1/temp": "",
            f"{zones}2/type": "gpu-thermal",
            f"{zones}2/temp": "-256000",
            f"{zones}3/type": "tj-thermal",
            f"{zones}3/temp": "-5000",
        },
    )
    assert read_zones(host) == (
        Zone(name="cpu-thermal", now_c=48.906, trip_c=99.0),
        Zone(name="tj-thermal", now_c=-5.0),
    )


def test_a_fan_with_duty_and_speed_in_one_place(tmp_path: Path) -> None:
    fan = "/sys/class/hwmon/hwmon2"
    host = machine(tmp_path, {f"{fan}/name": "pwmfan\n", f"{fan}/pwm1": "128\n", f"{fan}/fan1_input": "0\n"})
    assert read_fans(host) == (Fan(name="pwmfan", duty=128, rpm=0),)


@pytest.mark.parametrize("device", ["17000000.ga10b", "17000000.gv11b", "57000000.gpu", "gpu-gpc-0"])
def test_the_gpu_by_any_of_its_names(device: str, tmp_path: Path) -> None:
    folder = f"/sys/class/devfreq/{device}"
    files = {f"{folder}/{end}_freq": text for end, text in (("cur", "306000000"), ("min", "x"), ("max", "918000000"))}
    assert read_clocks(machine(tmp_path, files)) == (Clock(name="gpu", now_hz=306_000_000, high_hz=918_000_000),)


def test_the_memory_clock_of_older_kernels_and_the_order_of_clocks(tmp_path: Path) -> None:
    host = machine(
        tmp_path,
        {
            "/sys/kernel/debug/clk/emc/clk_rate": "1600000000\n",
            "/sys/devices/system/cpu/cpufreq/policy10/scaling_cur_freq": "1\n",
            "/sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq": "2\n",
            "/sys/class/devfreq/15340000.vic/cur_freq": "3\n",
            "/sys/class/devfreq/17000000.gpu/cur_freq": "4\n",
        },
    )
    assert [clock.name for clock in read_clocks(host)] == ["cpu4", "cpu10", "gpu", "emc", "15340000.vic"]
    assert read_clocks(host)[0].now_hz == 2000


@pytest.mark.parametrize(("text", "load"), [("437\n", 43.7), ("1000", 100.0), ("1001", None), ("-1", None), ("", None)])
def test_the_gpus_load_is_in_thousandths(text: str, load: float | None, tmp_path: Path) -> None:
    host = machine(tmp_path, {"/sys/devices/gpu.0/load": text})
    assert FACTS.get("gpu_load").read(host) == load


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12 mV", 12),
        ("-3", -3),
        ("+4", 4),
        ("", None),
        (None, None),
        ("x1", None),
        ("٣", None),
        ("9" * 30, None),
    ],
)
def test_the_number_a_text_begins_with(text: str | None, number: int | None) -> None:
    assert integer(text) == number


def test_a_file_that_is_not_there_has_no_number(tmp_path: Path) -> None:
    assert read_integer(LocalHost(tmp_path), "/nothing") is None
