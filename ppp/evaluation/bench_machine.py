"""On what a measurement was made: processor, GPU, driver and versions."""
from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, Optional

import torch

#: distributions whose versions matter for speed
PACKAGES = ("torch", "mujoco", "mujoco-warp", "warp-lang", "rl-games", "numpy")


def machine(device: str) -> Dict[str, Any]:
    """Everything that a figure should be read with."""
    facts: Dict[str, Any] = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "system": platform.platform(), "python": platform.python_version(), "cpu": processor(),
        "cores": os.cpu_count(), "torch_threads": torch.get_num_threads(), "device": device,
        "versions": {name: found for name in PACKAGES if (found := _version(name))}}
    load = getattr(os, "getloadavg", lambda: None)()
    if load:  # what else ran: ratios stand a busy machine, rates do not
        facts["load"] = round(load[0], 1)
    if device.startswith("cuda"):
        facts["gpu"] = torch.cuda.get_device_name(device)
        facts["gpu_memory_mb"] = round(torch.cuda.get_device_properties(device).total_memory
                                       / 2 ** 20)
        facts["cuda"] = torch.version.cuda
        facts["driver"] = driver()
    return facts


def processor() -> str:
    """The CPU's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def driver() -> Optional[str]:
    """The version of NVIDIA's driver, where its tool says so."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return None
    try:
        told = subprocess.run([tool, "--query-gpu=driver_version", "--format=csv,noheader"],
                              capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (told.stdout.strip().splitlines() or [None])[0]


def _version(name: str) -> Optional[str]:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
