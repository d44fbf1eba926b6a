"""Opening OpenGL: whatever was imported before, and a clear sentence where there is none."""
from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ppp.errors import PPPError
from ppp.view import gl

# Nothing but the context is ours here: importing less keeps the new process quick.
DRAW = """
import mujoco, sys
import numpy as np
from ppp.errors import run_entry
from ppp.view.gl import open_context
def main():
    context = open_context(64, 64)
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><geom size=".3"/><light pos="0 0 3"/></worldbody></mujoco>')
    data, camera = mujoco.MjData(model), mujoco.MjvCamera()
    mujoco.mj_forward(model, data)
    mujoco.mjv_defaultFreeCamera(model, camera)
    scene, drawer = mujoco.MjvScene(model, 10), mujoco.MjrContext(model, 100)
    mujoco.mjr_setBuffer(1, drawer)
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, camera, 7, scene)
    mujoco.mjr_render(mujoco.MjrRect(0, 0, 64, 64), scene, drawer)
    pixels = np.zeros((64, 64, 3), np.uint8)
    mujoco.mjr_readPixels(pixels, None, mujoco.MjrRect(0, 0, 64, 64), drawer)
    print(pixels.std() > 5)
    drawer.free()
    context.close()
sys.exit(run_entry(main))
"""


def draw(**environment):
    """Draw in a new process that imported mujoco first."""
    names = ("MUJOCO_GL", "PYOPENGL_PLATFORM", "DISPLAY")
    inherited = {k: v for k, v in os.environ.items() if k not in names}
    return subprocess.run([sys.executable, "-c", DRAW], env={**inherited, **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def test_mujoco_may_be_imported_first(drawing):
    done = draw()
    assert done.returncode == 0 and done.stdout.strip() == "True", done.stderr


def test_no_opengl_is_one_sentence():
    pytest.importorskip("mujoco")
    # The vendor-neutral libEGL is pointed at no driver at all.
    done = draw(MUJOCO_GL="egl", __EGL_VENDOR_LIBRARY_FILENAMES=os.devnull)
    if done.returncode == 0:
        pytest.skip("this libEGL is not the vendor-neutral one")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: no picture can be drawn because no OpenGL was found")
    assert done.stderr.count("\n") == 1


def test_rendering_that_was_turned_off(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "disable")
    with pytest.raises(PPPError, match="MUJOCO_GL=disable turns rendering off: unset MUJOCO_GL"):
        gl.open_context(64, 64)


def test_the_sentence_names_what_to_install(monkeypatch):
    def nothing(*arguments, **options):
        raise OSError("not here")

    monkeypatch.setattr(gl.ctypes, "CDLL", nothing)
    monkeypatch.setattr(gl.sys, "platform", "linux")
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(PPPError) as error:
        gl.open_context(64, 64)
    for word in ("libEGL.so.1 is not installed", "libOSMesa", "apt-get install libegl1",
                 "libgl1-mesa-dri", "libosmesa6", "MUJOCO_GL=osmesa"):
        assert word in str(error.value)


@pytest.mark.parametrize("backend", ["egl", "osmesa"])
def test_the_asked_backend_is_used(drawing, monkeypatch, backend):
    monkeypatch.setenv("MUJOCO_GL", backend)
    monkeypatch.setattr(gl.sys, "platform", "linux")
    try:
        context = gl.open_context(64, 64)
    except PPPError as error:
        pytest.skip(str(error))
    assert context.backend == backend
    context.close()
    context.close()
