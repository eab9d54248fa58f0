"""Which machine a figure comes from: without it, a number of seconds says nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def machine(*, gpu: bool = False) -> dict[str, str | int]:
    """Processor, cores that this process may use, system, Python and torch; the GPU where one is measured.

    torch is imported only for the GPU's name: its version is read from its installation.
    """
    facts: dict[str, str | int] = {
        "cpu": processor(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": installed("torch") or "none",
    }
    if gpu:
        import torch

        facts["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return facts


def processor() -> str:
    """The processor's own name, where the system tells it; else its kind, such as x86_64."""
    cpuinfo = Path("/proc/cpuinfo")  # Linux; platform.processor() is empty there
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int:
    """How many cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def installed(distribution: str) -> str | None:
    """The version of an installed distribution; None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def sentence(facts: Mapping[str, str | int]) -> str:
    """The machine in one line, as tables, pictures and pages name it."""
    gpu = f"{facts['gpu']}; " if "gpu" in facts else ""
    cpu = f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}"
    return f"{gpu}{cpu}; Python {facts['python']}, torch {facts['torch']}"
