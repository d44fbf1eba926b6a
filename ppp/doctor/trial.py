"""One trial, in a process of its own: ``python -m ppp.doctor.trial KIND [ARGUMENT…]``.

Prints what it found as one line of JSON at the end; any crash is this process's alone.
"""
from __future__ import annotations

import json
import sys
import time
from typing import Any, Callable, Dict, List

from ppp.errors import PPPError, run_entry


def torch_facts() -> Dict[str, Any]:
    """torch's build and its devices."""
    import torch

    devices, unusable = [], []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        found = torch.cuda.get_device_properties(index)
        device = {"name": found.name, "capability": [found.major, found.minor],
                  "gib": round(found.total_memory / 2**30, 1)}
        try:
            torch.ones(8, device=f"cuda:{index}").sum().item()
            devices.append(device)
        except RuntimeError:  # this build of torch has no kernels for the card
            unusable.append(device)
    return {"version": str(torch.__version__), "cuda": torch.version.cuda, "devices": devices,
            "unusable": unusable}


def text_facts() -> Dict[str, Any]:
    """Where the text encoder's weights are; PPPError, with the mend, where they are not."""
    from ppp.language.encoders.base import WeightsNotFound
    from ppp.language.encoders.minilm import find_weights

    try:
        return {"folder": str(find_weights())}
    except WeightsNotFound as error:
        raise PPPError(str(error)) from None


def picture() -> Dict[str, Any]:
    """Draw the humanoid off screen; the picture must show something."""
    import mujoco
    import numpy as np

    from ppp.humanoid.mjcf import build_mjcf
    from ppp.view.gl import open_context

    context = open_context(64, 64)
    model = mujoco.MjModel.from_xml_string(build_mjcf())
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    camera, options = mujoco.MjvCamera(), mujoco.MjvOption()
    camera.lookat[:], camera.distance = (0.0, 0.0, 0.9), 3.0
    scene = mujoco.MjvScene(model, maxgeom=200)
    mujoco.mjv_updateScene(model, data, options, None, camera, mujoco.mjtCatBit.mjCAT_ALL, scene)
    drawn, view = mujoco.MjrContext(model, 50), mujoco.MjrRect(0, 0, 64, 64)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, drawn)
    mujoco.mjr_render(view, scene, drawn)
    pixels = np.zeros((64, 64, 3), np.uint8)
    mujoco.mjr_readPixels(pixels, None, view, drawn)
    context.close()
    if pixels.std() < 1.0:
        raise PPPError(f"{context.backend} draws an empty picture; try another MUJOCO_GL")
    return {"backend": context.backend}


def film() -> Dict[str, Any]:
    """The ffmpeg that imageio-ffmpeg brings or finds."""
    import imageio_ffmpeg

    return {"ffmpeg": imageio_ffmpeg.get_ffmpeg_version(), "file": imageio_ffmpeg.get_ffmpeg_exe()}


def engine(name: str, device: str) -> Dict[str, Any]:
    """Build ``name`` with two humanoids and a box, and take steps; seconds of each."""
    from ppp.engines.isaac_gym_order import import_first

    import_first(["--engine", name])
    import torch

    from ppp.engines import make_engine
    from ppp.engines.scene import Prop, Scene
    from ppp.humanoid.skeleton import NUM_DOFS

    start = time.perf_counter()
    made = make_engine(name, 2, Scene((Prop("box", "target", (2.0, 0.0)),)), device)
    built = time.perf_counter() - start
    for _ in range(3):
        made.step(torch.zeros(2, NUM_DOFS, device=made.device))
    height = made.state.root_pos[:, 2].tolist()
    if not all(0.0 < h < 2.0 for h in height):
        raise PPPError(f"engine {name}: the pelvis is at {height} m after a tenth of a second")
    made.close()
    return {"device": made.device, "built_s": round(built, 2)}


TRIALS: Dict[str, Callable[..., Dict[str, Any]]] = {
    "torch": torch_facts, "text": text_facts, "picture": picture, "film": film, "engine": engine}


def main(argv: List[str]) -> int:
    """Entry point of the process."""
    print("\n" + json.dumps(TRIALS[argv[0]](*argv[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(run_entry(lambda: main(sys.argv[1:])))
