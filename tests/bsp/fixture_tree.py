"""A ``Linux_for_Tegra`` tree with the nodes of NVIDIA's, written here: names, sizes, numbers are facts, texts are ours.

Sizes are those of compiled boot configurations of R36.2 and R35.3.1 (``memfit.device.carveouts`` has the same);
numbers of carveouts shift between them as the real ones do. What the notes of NVIDIA's guide name is there.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from memfit.units import KIB, MIB

BCT = "bootloader/generic/BCT"
COMMON = "bootloader/tegra234-mb2-bct-common.dtsi"
MB1 = f"{BCT}/tegra234-mb1-bct-misc-p3767-0000.dts"
MB2 = f"{BCT}/tegra234-mb2-bct-misc-p3767-0000.dts"
MB1_AGX = f"{BCT}/tegra234-mb1-bct-misc-p3701-0000.dts"
MB2_AGX = f"{BCT}/tegra234-mb2-bct-misc-p3701-0000.dts"
DTB = "kernel/dtb/tegra234-p3768-0000+p3767-0003-nv.dtb"
DTB_AGX = "kernel/dtb/tegra234-p3737-0000+p3701-0005-nv.dtb"

# number and size; names without CARVEOUT_. A name without a number is one that the header does not define
R36: dict[str, tuple[int | None, int]] = {
    "WPR2": (3, 8 * MIB),
    "XUSB": (5, MIB),
    "APE": (7, 4 * MIB),
    "SPE": (8, MIB),
    "SCE": (9, MIB),
    "UNUSED3": (10, 0),
    "DCE_TSEC": (12, MIB),
    "ETR": (15, MIB),
    "RCE": (17, MIB),
    "PVA": (19, 2560 * KIB),
    "DCE": (20, 32 * MIB),
    "CAMERA_TASKLIST": (24, 32 * MIB),
    "UNUSED5": (26, 0),
    "CCPLEX_INTERWORLD_SHMEM": (28, 32 * MIB),
    "FSI": (29, 32 * MIB),
    "CCPLEX_IST": (31, 128 * MIB),
    "PSC_TZ": (33, 4 * MIB),
    "SCE_CPU_NS": (34, 64 * KIB),
    "OEM_SC7": (35, 16 * MIB),
    "SYNCPT_IGPU_RO": (36, 0),
    "CCPLEX_SMMU_PTW": (39, 34 * MIB),
    "FSI_CPU_NS": (41, 16 * MIB),
    "TSEC_DCE": (42, MIB),
    "TZDRAM": (43, 64 * MIB),
    "VPR": (44, 872 * MIB),
    "RCM_BLOB": (46, 512 * MIB),
    "UEFI": (47, 4 * MIB),
    "UEFI_MM_IPC": (48, 128 * KIB),
    "DRAM_ECC_TEST": (49, 64 * KIB),
    "PROFILING": (50, 2 * MIB),
    "FSI_KEY_BLOB": (52, 192 * KIB),
    "TEMP_MB2_IO_BUFFERS": (56, 8 * MIB),
    "MCE_COVERAGE": (66, 8 * MIB),
    "OPTEE_DTB": (69, 128 * KIB),
    "RAM_OOPS": (72, 2 * MIB),
}
ALIASES = {"DISP_EARLY_BOOT_FB": 39, "BPMP_DCE": 11}
_GONE_IN_R35 = ("DCE_TSEC", "PVA", "CCPLEX_SMMU_PTW")
R35: dict[str, tuple[int | None, int]] = {
    **{name: each for name, each in R36.items() if name not in _GONE_IN_R35},
    "APR": (10, 8 * MIB),
    "UNUSED3": (12, 0),
    "UNUSED5": (None, 0),
    "MCE_COVERAGE": (None, 8 * MIB),
    "CCPLEX_IST": (31, 512 * MIB),
    "OEM_SC7": (35, 14 * MIB),
    "PROFILING": (50, 64 * KIB),
    "FSI_KEY_BLOB": (52, 64 * KIB),
}
NOTE_1 = ("BPMP_DCE", "DCE_TSEC", "DCE", "DISP_EARLY_BOOT_FB", "TSEC_DCE")


class Fixture(NamedTuple):
    """A tree and its parts."""

    root: Path

    def file(self, path: str) -> Path:
        return self.root / path

    def text(self, path: str) -> str:
        return self.file(path).read_bytes().decode()

    def write(self, path: str, text: str) -> None:
        self.file(path).parent.mkdir(parents=True, exist_ok=True)
        self.file(path).write_bytes(text.encode())

    def add(self, path: str, text: str) -> None:
        self.write(path, self.text(path) + text)

    def change(self, path: str, before: str, after: str) -> None:
        text = self.text(path)
        assert before in text, before
        self.write(path, text.replace(before, after))


def require_tools() -> None:
    """Skip where a tool of device trees is missing."""
    missing = [tool for tool in ("cpp", "dtc", "fdtput") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed (apt-get install cpp device-tree-compiler)")


def make_tree(folder: Path, *, release: str = "36.2") -> Fixture:
    """A tree of R36.2's layout, or with the carveouts of R35.3."""
    tree = Fixture(folder / "Linux_for_Tegra")
    table, r35 = (R35, True) if release.startswith("35") else (R36, False)
    tree.write("rootfs/etc/nv_tegra_release", f"# R{release.replace('.', ' (release), REVISION: ', 1)}.0, GCID: 1\n")
    tree.write("flash.sh", "#!/bin/bash\n")
    tree.write("bootloader/tegrabl_carveout_id.h", _header(table, {} if r35 else ALIASES))
    tree.write(f"{BCT}/tegra234-mb1-bct-misc-common.dtsi", "/ {\n\tmisc {\n\t\tdisable_sc7 = <1>;\n\t};\n};\n")
    tree.write(
        f"{BCT}/tegra234-mb1-bct-carveout-l4t.dtsi", _carveouts({name: size for name, (_, size) in table.items()})
    )
    zeros = dict.fromkeys(("FSI", "FSI_CPU_NS", "FSI_KEY_BLOB"), 0)
    tree.write(f"{BCT}/tegra234-mb1-bct-disable-fsi-carveouts.dtsi", _carveouts(zeros))
    tree.write(MB1, _MB1.replace("IST_SIZE", "0x0 0x20000000" if r35 else "0x0 0x0"))
    tree.write(MB1_AGX, _MB1_AGX)
    tree.write(COMMON, _MB2_COMMON)
    tree.write(MB2, _MB2)
    tree.write(MB2_AGX, _MB2_AGX)
    tree.write(f"{BCT}/tegra234-mb2-bct-misc-p3701-0000-no-pva.dts", _MB2_NO_PVA)
    names = f'MISC_CONFIG="{Path(MB1).name}";\nMB2_BCT="{Path(MB2).name}";\n'
    tree.write("p3767.conf.common", names)
    tree.write("p3768-0000-p3767-0000-a0.conf", 'source "${LDK_DIR}/p3767.conf.common";\n')
    write_kernel(tree, DTB, "nvidia,p3768-0000+p3767-0003", "nvidia,p3767-0003")
    write_kernel(tree, DTB_AGX, "nvidia,p3737-0000+p3701-0005", "nvidia,p3701-0005")
    return tree


def write_kernel(tree: Fixture, path: str, *compatible: str) -> None:
    """A kernel's device tree with a display, compiled."""
    words = ", ".join(f'"{word}"' for word in (*compatible, "nvidia,tegra234"))
    source = _KERNEL.replace("COMPATIBLE", words)
    done = subprocess.run(
        ["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source.encode(), capture_output=True, check=True
    )
    tree.file(path).parent.mkdir(parents=True, exist_ok=True)
    tree.file(path).write_bytes(done.stdout)


def sizes(tree: Fixture, main: str) -> dict[str, int]:
    """Every carveout of a compiled file by its number, with nothing of memfit's: what the flash tools see."""
    words = ["cpp", "-nostdinc", "-x", "assembler-with-cpp", "-I", BCT, "-I", "bootloader", main]
    text = subprocess.run(words, capture_output=True, cwd=tree.root, check=True).stdout
    flat = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dts"], input=text, capture_output=True, check=True).stdout
    found: dict[str, int] = {}
    name = ""
    for line in flat.decode().splitlines():
        words = line.split()
        if words and words[0].startswith("aux_info@"):
            name = words[0].removeprefix("aux_info@")
        elif len(words) == 4 and words[0] == "size" and name:
            high, low = (int(word.strip("<>;"), 16) for word in words[2:])
            found[name] = high << 32 | low
    return found


def contents(tree: Fixture) -> dict[str, tuple[bytes, int, int]]:
    """Every file but memfit's journal: content, mode, and when it changed."""
    return {
        str(path.relative_to(tree.root)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in sorted(tree.root.rglob("*"))
        if path.is_file() and ".memfit" not in path.relative_to(tree.root).parts
    }


def note_1(names: tuple[str, ...] = NOTE_1) -> str:
    """The snippet of the notes."""
    return "".join(_aux(name, 0, "\t\t\t") for name in names)


def _header(table: dict[str, tuple[int | None, int]], aliases: dict[str, int]) -> str:
    numbers = {**{name: number for name, (number, _) in table.items() if number is not None}, **aliases}
    lines = (f"#define CARVEOUT_{name}\t\t{number}\n" for name, number in numbers.items())
    return f"#ifndef TEGRABL_CARVEOUT_ID_H\n#define TEGRABL_CARVEOUT_ID_H\n{''.join(lines)}#endif\n"


def _aux(name: str, size: int, indent: str) -> str:
    lines = (
        f"aux_info@CARVEOUT_{name} {{",
        "\tpref_base = <0x0 0x0>;",
        f"\tsize = <0x0 {size:#x}>; // {size // MIB}MB",
        f"\talignment = <0x0 {min(size, 0x10000):#x}>; // aligned",
        "};",
    )
    return "".join(f"{indent}{line}\n" for line in lines)


def _carveouts(table: dict[str, int]) -> str:
    body = "\n".join(_aux(name, size, "\t\t\t") for name, size in table.items())
    return f"/ {{\n\tmisc {{\n\t\tcarveout {{\n{body}\t\t}};\n\t}};\n}};\n"


_MB1 = """/* The board's own: 16 KB pages, "quoted", {braces} */
/dts-v1/;

#include "tegrabl_carveout_id.h"
#include "tegra234-mb1-bct-misc-common.dtsi"
#include "tegra234-mb1-bct-carveout-l4t.dtsi"
#include "tegra234-mb1-bct-disable-fsi-carveouts.dtsi"

/ {
	misc {
		disable_sc7 = <0>;

		///////// SOCTHERM ///////////
		soctherm {
			max_chip_limit = <0x69>;
		};

		carveout {
			aux_info@CARVEOUT_VPR {
				pref_base = <0x0 0x0>;
				size = <0x0 0x0>; // 0MB
				alignment = <0x0 0x0>; // 0MB
			};

			aux_info@CARVEOUT_CCPLEX_IST {
				pref_base = <0x0 0x0>;
				size = <IST_SIZE>; // 0MB
				alignment = <0x0 0x0>; // 0MB
			};
		};

		vmon {
			vdd_soc {
				vmin_threshold = <0x1a>;
			};
		};
	};
};
"""
_MB1_AGX = """/dts-v1/;

#include "tegrabl_carveout_id.h"
#include "tegra234-mb1-bct-misc-common.dtsi"
#include "tegra234-mb1-bct-carveout-l4t.dtsi"

/ {
    misc {
        disable_sc7 = <0>;
        soctherm {
            max_chip_limit = <0x69>;
        };
    };
};
"""
_MB2_COMMON = """/* Shared by all boards of the chip. */
#include "tegrabl_carveout_id.h"

/ {
	mb2-misc {
		enable_sce = <1>;

		/* Control fields for RCE cluster. */
		auxp_controls@2 {
			enable_init = <1>;
			enable_fw_load = <1>; // from its partition
			enable_unhalt = <1>;
		};

		/* Control fields for DCE cluster. */
		auxp_controls@3 {
			enable_init = <1>;
			enable_fw_load = <1>; // from its partition
			enable_unhalt = <1>;
			reset_vector = <0x40000000>;
		};

		/* Control fields for FSI cluster. */
		auxp_controls@5 {
			enable_init = <0>;
			enable_fw_load = <0>;
			enable_unhalt = <0>;
		};

		/* APE's translation */
		auxp_ast_config@2 {
			ast_region@0 {
				carveout = <CARVEOUT_APE>;
			};
		};

		/* RCE's translation */
		auxp_ast_config@4 {
			ast_region@0 {
				carveout = <CARVEOUT_RCE>;
			};
		};
		auxp_ast_config@5 {
			ast_region@0 {
				carveout = <CARVEOUT_CAMERA_TASKLIST>;
			};
		};

		/* DCE's translation */
		auxp_ast_config@6 {
			ast_region@0 {
				carveout = <CARVEOUT_DCE>;
			};
		};
		auxp_ast_config@7 {
			ast_region@0 {
				carveout = <CARVEOUT_DCE>;
			};
		};
	};
};
"""
_MB2 = """/dts-v1/;

#include "tegra234-mb2-bct-common.dtsi"

/ {
	mb2-misc {
		eeprom {
			cvm_eeprom_i2c_instance = <0>; //Starts from I2C bus 0
		};
	};
};
"""
_MB2_AGX = """/dts-v1/;

#include "tegra234-mb2-bct-common.dtsi"

/ {
    mb2-misc {
        /* Control fields for FSI cluster. */
        auxp_controls@5 {
            enable_init = <0>;
            enable_fw_load = <1>;
            enable_unhalt = <1>;
        };
    };
};
"""
_MB2_NO_PVA = """/dts-v1/;

#include "tegra234-mb2-bct-misc-p3701-0000.dts"

/ {
    mb2-misc {
        enable_pva_fw = <0>;
    };
};
"""
_KERNEL = """/dts-v1/;

/ {
	compatible = COMPATIBLE;
	#address-cells = <2>;
	#size-cells = <2>;

	bus@0 {
		serial@3100000 {
			compatible = "nvidia,tegra234-uart";
			status = "okay";
		};
	};

	display@13800000 {
		compatible = "nvidia,tegra234-display";
		reg = <0x0 0x13800000 0x0 0xeffff>;
		status = "okay";
	};

	gpu@17000000 {
		compatible = "nvidia,ga10b";
		status = "okay";
	};
};
"""
