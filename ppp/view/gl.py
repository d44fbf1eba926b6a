"""An OpenGL context without a window, however MuJoCo was imported.

MuJoCo's own wrapper fixes the backend at its first import (from ``MUJOCO_GL``), and PyOpenGL cannot
be switched afterwards. A simulation has imported MuJoCo long before anything is drawn, so on Linux
the context is opened here, straight from libEGL or libOSMesa.
"""
from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, Callable, Dict, List, Optional

from ppp.errors import PPPError

MEND = ("on Debian or Ubuntu run `apt-get install libegl1 libgl1-mesa-dri` (MUJOCO_GL=egl) or "
        "`apt-get install libosmesa6` (MUJOCO_GL=osmesa), or go without a video")
_OFF = ("disable", "disabled", "off", "false", "0")

_EGL_OPENGL_API, _EGL_NONE, _EGL_PLATFORM_DEVICE, _EGL_SURFACELESS = 0x30A2, 0x3038, 0x313F, 0x31DD
#: red, green, blue, alpha 8 bits; depth 24; stencil 8; pbuffers; desktop OpenGL
_EGL_CONFIG = (0x3024, 8, 0x3023, 8, 0x3022, 8, 0x3021, 8, 0x3025, 24, 0x3026, 8,
               0x3033, 0x0001, 0x3040, 0x0008, _EGL_NONE)
_GL_RGBA, _GL_UNSIGNED_BYTE = 0x1908, 0x1401


class _Unavailable(Exception):
    """This backend cannot be used here; the message says why in a few words."""


class Context:
    """A current OpenGL context: ``make_current()`` before drawing, ``close()`` at the end."""

    def __init__(self, backend: str, make_current: Callable[[], None],
                 close: Callable[[], None]) -> None:
        self.backend = backend
        self.make_current = make_current
        self._close: Optional[Callable[[], None]] = close

    def close(self) -> None:
        """Free the context (once)."""
        if self._close is not None:
            self._close()
            self._close = None


def open_context(width: int, height: int) -> Context:
    """A current off-screen context for images of up to width x height pixels.

    ``MUJOCO_GL`` chooses the backend (egl, osmesa, glfw); unset, the first that works is taken.
    Raises PPPError with the mend when none does.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    if asked in _OFF:
        raise PPPError(f"no picture can be drawn because MUJOCO_GL={asked} turns rendering off: "
                       "unset MUJOCO_GL, or go without a video")
    reasons = []
    for name in _candidates(asked):
        try:
            context = _BACKENDS[name](width, height)
            context.make_current()
            return context
        except _Unavailable as reason:
            reasons.append(f"{name}: {reason}")
    raise PPPError(f"no picture can be drawn because no OpenGL was found ({'; '.join(reasons)}): "
                   + MEND)


def _candidates(asked: str) -> List[str]:
    if not sys.platform.startswith("linux"):
        return ["mujoco"]
    if asked in ("egl", "osmesa"):
        return [asked]
    if asked in ("glfw", "glx"):
        return ["mujoco"]
    return ["egl", "osmesa"] + (["mujoco"] if os.environ.get("DISPLAY") else [])


def _library(names: List[str]) -> ctypes.CDLL:
    """Load a library for the whole process: MuJoCo looks the OpenGL functions up globally."""
    for name in names:
        try:
            return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue
    raise _Unavailable(f"{names[0]} is not installed")


def _function(egl: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Callable:
    """An EGL function, or a do-nothing when this libEGL does not offer it."""
    address = egl.eglGetProcAddress(name.encode())
    return ctypes.CFUNCTYPE(result, *arguments)(address) if address else lambda *a: None


def _egl_library() -> ctypes.CDLL:
    egl = _library(["libEGL.so.1", "libEGL.so"])
    pointer = ctypes.c_void_p
    for name, result, arguments in (
            ("eglGetProcAddress", pointer, [ctypes.c_char_p]),
            ("eglInitialize", ctypes.c_uint, [pointer, pointer, pointer]),
            ("eglBindAPI", ctypes.c_uint, [ctypes.c_uint]),
            ("eglChooseConfig", ctypes.c_uint, [pointer] * 3 + [ctypes.c_int, pointer]),
            ("eglCreateContext", pointer, [pointer] * 4),
            ("eglMakeCurrent", ctypes.c_uint, [pointer] * 4),
            ("eglDestroyContext", ctypes.c_uint, [pointer] * 2)):
        function = getattr(egl, name)
        function.restype, function.argtypes = result, arguments
    return egl


def _egl_displays(egl: ctypes.CDLL) -> List[int]:
    """Candidate displays: every device (GPUs first, as libEGL lists them), then Mesa's own."""
    pointer = ctypes.c_void_p
    query = _function(egl, "eglQueryDevicesEXT", ctypes.c_uint, ctypes.c_int,
                      ctypes.POINTER(pointer), ctypes.POINTER(ctypes.c_int))
    display = _function(egl, "eglGetPlatformDisplayEXT", pointer, ctypes.c_uint, pointer, pointer)
    devices, count = (pointer * 16)(), ctypes.c_int(0)
    query(16, devices, ctypes.byref(count))
    found = [device for device in devices[:count.value]]
    chosen = os.environ.get("MUJOCO_EGL_DEVICE_ID", "")
    if chosen.isdigit() and int(chosen) < len(found):
        found = [found[int(chosen)]]
    displays = [display(_EGL_PLATFORM_DEVICE, device, None) for device in found]
    displays.append(display(_EGL_SURFACELESS, None, None))
    return [d for d in displays if d]


def _open_egl(width: int, height: int) -> Context:
    egl = _egl_library()
    for display in _egl_displays(egl):
        if not egl.eglInitialize(display, None, None) or not egl.eglBindAPI(_EGL_OPENGL_API):
            continue
        wanted = (ctypes.c_int * len(_EGL_CONFIG))(*_EGL_CONFIG)
        configs, count = (ctypes.c_void_p * 1)(), ctypes.c_int(0)
        egl.eglChooseConfig(display, wanted, configs, 1, ctypes.byref(count))
        context = egl.eglCreateContext(display, configs[0], None, None) if count.value else None
        if context and egl.eglMakeCurrent(display, None, None, context):
            return _egl_context(egl, display, context)
    raise _Unavailable("libEGL finds no device it can draw with")


def _egl_context(egl: ctypes.CDLL, display: int, context: int) -> Context:
    def make_current() -> None:
        if not egl.eglMakeCurrent(display, None, None, context):
            raise _Unavailable("the context cannot be made current")

    def close() -> None:
        # The display stays open: another context of this process may live on it.
        egl.eglMakeCurrent(display, None, None, None)
        egl.eglDestroyContext(display, context)

    return Context("egl", make_current, close)


def _open_osmesa(width: int, height: int) -> Context:
    mesa = _library(["libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"])
    pointer, number = ctypes.c_void_p, ctypes.c_int
    mesa.OSMesaCreateContextExt.restype = pointer
    mesa.OSMesaCreateContextExt.argtypes = [ctypes.c_uint, number, number, number, pointer]
    mesa.OSMesaMakeCurrent.argtypes = [pointer, pointer, ctypes.c_uint, number, number]
    mesa.OSMesaDestroyContext.argtypes = [pointer]
    context = mesa.OSMesaCreateContextExt(_GL_RGBA, 24, 8, 0, None)
    if not context:
        raise _Unavailable("libOSMesa gives no context")
    pixels = ctypes.create_string_buffer(4 * width * height)

    def make_current() -> None:
        if not mesa.OSMesaMakeCurrent(context, pixels, _GL_UNSIGNED_BYTE, width, height):
            raise _Unavailable("the context cannot be made current")

    return Context("osmesa", make_current, lambda: mesa.OSMesaDestroyContext(context))


def _open_mujoco(width: int, height: int) -> Context:
    """MuJoCo's own context: the system's on macOS and Windows, a hidden window on Linux."""
    try:
        from mujoco.gl_context import GLContext
        context = GLContext(width, height)
    except Exception as error:  # each backend raises its own kind, and none is worth a traceback
        raise _Unavailable(str(error).splitlines()[0][:120] if str(error) else "none") from error
    return Context("mujoco", context.make_current, context.free)


_BACKENDS: Dict[str, Callable[[int, int], Context]] = {
    "egl": _open_egl, "osmesa": _open_osmesa, "mujoco": _open_mujoco,
}
