"""The machine and its software: what a figure has to be read with."""

import datetime
import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

PACKAGES = ("unrolled", "torch", "llvmlite", "numpy", "jax", "jaxlib", "keras", "onnx", "onnxruntime", "torchrecurrent")


@dataclass(frozen=True)
class Vector:
    """The processor's vector unit."""

    name: str
    floats: int
    """Single-precision numbers in one register."""
    registers: int
    fused: bool
    """Whether it multiplies and adds in one instruction."""


def vector() -> Vector:
    """The widest unit of this processor."""
    have = {name for name, present in llvm.get_host_cpu_features().items() if present}
    if "avx512f" in have:
        return Vector("AVX-512", 16, 32, True)
    if "avx2" in have:
        return Vector("AVX2", 8, 16, "fma" in have)
    if platform.machine().lower() in ("aarch64", "arm64"):
        return Vector("NEON", 4, 32, True)
    return Vector("128 bit", 4, 16, "fma" in have)


def cpu_name() -> str:
    """What the processor calls itself."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def slug() -> str:
    """The processor's name for a file: ``amd-epyc-znver3``."""
    plain = re.sub(r"\(\w+\)|@.*|\b(cpu|processor|with|radeon|graphics)\b", " ", cpu_name(), flags=re.IGNORECASE)
    return "-".join(re.findall(r"[a-z0-9]+", f"{plain} {llvm.get_host_cpu_name()}".lower()))


def versions() -> dict[str, str]:
    """The installed versions of everything that is compared."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def describe(threads: int, seed: int) -> dict[str, Any]:
    """All that a report says about where its figures come from."""
    unit = vector()
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_name(),
        "llvm_cpu": llvm.get_host_cpu_name(),
        "vector": unit.name,
        "floats_a_vector": unit.floats,
        "cores": os.cpu_count(),
        "threads": threads,
        "seed": seed,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
    }


def use_cores(threads: int) -> None:
    """Bind this process and its children to ``threads`` physical cores, where the system lets us (Linux).

    Every library then sees so many processors and no more, whatever way it has of counting them.

    Raises:
        ValueError: there are fewer.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    allowed = sorted(os.sched_getaffinity(0))
    first_of_core = [one for one in allowed if one == min(_siblings(one) & set(allowed))]
    chosen = (first_of_core + [one for one in allowed if one not in first_of_core])[:threads]
    if len(chosen) < threads:
        raise ValueError(f"{threads} threads are asked for, and this machine lends {len(allowed)} processors.")
    os.sched_setaffinity(0, chosen)


def _siblings(cpu: int) -> set[int]:
    """The logical processors on one core."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    if not path.exists():
        return {cpu}
    found: set[int] = set()
    for part in path.read_text(encoding="utf-8").strip().split(","):
        low, _, high = part.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found | {cpu}
