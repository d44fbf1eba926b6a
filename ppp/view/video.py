"""Films and pictures of a recording, drawn off-screen with MuJoCo; no display is needed."""
from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter
from typing import Iterator, Optional, Sequence, Tuple, Union

import numpy as np

from ppp.errors import PPPError
from ppp.outputs import whole, write_png
from ppp.planning.recording import Recording
from ppp.progress import progress
from ppp.view.camera import Shots, plan_camera
from ppp.view.captions import Captions
from ppp.view.poses import Poses, as_recording, check, duration, pose_at, step_index, step_target
from ppp.view.stage import Stage

#: s that the last picture stays, with the checks over it
HOLD = 3.0
#: s that drawing a film may take before antialiasing is given up (software rendering)
BUDGET = 45.0
_SAMPLES = 4
_TRIAL_FRAMES = 3


def write_video(recording: Recording, path: Union[str, Path], size: Tuple[int, int] = (1280, 720),
                camera: str = "follow", fps: float = 30, antialias: Optional[bool] = None) -> Path:
    """Write the performance as an H.264 film (.mp4) with captions; returns its path.

    size: (width, height) in pixels, even. camera: a name in ``ppp.view.camera.CAMERAS``. antialias:
    None keeps it only where the film is then drawn within BUDGET seconds. The film is written
    beside its final name and moved there when complete. Raises PPPError: no OpenGL, no encoder, a
    path that cannot be written, a recording that cannot be shown.
    """
    path = _target(path, ".mp4")
    check(recording)
    _check_size(size)
    if not 0 < fps <= 240:
        raise PPPError(f"a film needs between 1 and 240 frames per second, not {fps:g}")
    times = frame_times(recording, fps)
    shots = plan_camera(recording, times, camera, size[0] / size[1])
    captions = Captions(recording, size)
    with _stage_for(recording, times, shots, size, antialias) as stage:
        frames = _frames(recording, stage, times, shots, captions)
        _encode(progress(frames, "drawing", len(times)), path, size, fps)
    return path


def write_strip(source: Union[Recording, Poses], path: Union[str, Path], frames: int = 8,
                size: Tuple[int, int] = (240, 360), fps: float = 30.0) -> Path:
    """Write evenly spaced moments side by side as one PNG; returns its path.

    source: a recording, or a clip's (body positions (T, 17, 3), rotations (T, 17, 4)) at fps. size:
    of each moment in pixels. Raises PPPError as write_video.
    """
    path = _target(path, ".png")
    recording = as_recording(source, fps)
    if frames < 1:
        raise PPPError(f"a strip needs at least 1 frame, not {frames}")
    moments = np.linspace(0.0, duration(recording) - 1.0 / recording.fps, frames)
    images = _stills(recording, moments, size)
    return write_png(np.concatenate(images, axis=1), path)


def picture(recording: Recording, path: Union[str, Path], time: Optional[float] = None,
            size: Tuple[int, int] = (1280, 720), caption: bool = False) -> Path:
    """Write one moment as a PNG; returns its path.

    time: s, None for two thirds through. Raises PPPError as write_video.
    """
    path = _target(path, ".png")
    check(recording)
    moment = 0.66 * duration(recording) if time is None else float(time)
    image = _stills(recording, [moment], size)[0]
    return write_png(Captions(recording, size).write(image, moment) if caption else image, path)


def frame_times(recording: Recording, fps: float) -> np.ndarray:
    """The moments (F,) in s that a film at fps shows, the held last picture included."""
    moving = max(1, int(round(duration(recording) * fps)))
    held = int(round(HOLD * fps)) if recording.checks else 0
    return np.minimum(np.arange(moving + held), moving - 1) / float(fps)


def _frames(recording: Recording, stage: Stage, times: np.ndarray, shots: Shots,
            captions: Captions) -> Iterator[np.ndarray]:
    """Every image of the film in turn, (height, width, 3) uint8."""
    image, shown = None, None
    for index, time in enumerate(times):
        if time != shown:
            image, shown = _draw(recording, stage, shots, index, time), time
            yield captions.write(image, time)
        else:
            yield captions.write(image, time, ended=True)


def _draw(recording: Recording, stage: Stage, shots: Shots, index: int, time: float) -> np.ndarray:
    step = step_index(recording.steps, time)
    goal = None if step is None else step_target(recording.steps[step])
    return stage.draw(pose_at(recording, time), shots.look_at[index], shots.distance[index],
                      shots.azimuth[index], shots.elevation, goal)


def _stage_for(recording: Recording, times: np.ndarray, shots: Shots, size: Tuple[int, int],
               antialias: Optional[bool]) -> Stage:
    """A stage whose quality the machine can afford for a film of this length."""
    stage = Stage(recording.scene, size, _SAMPLES if antialias in (None, True) else 0)
    if antialias is not None:
        return stage
    _draw(recording, stage, shots, 0, times[0])  # the first picture also compiles the shaders
    start = perf_counter()
    for index in range(_TRIAL_FRAMES):
        _draw(recording, stage, shots, min(index, len(times) - 1), times[0])
    if (perf_counter() - start) / _TRIAL_FRAMES * len(np.unique(times)) <= BUDGET:
        return stage
    stage.close()
    return Stage(recording.scene, size, 0)


def _stills(recording: Recording, moments: Sequence[float], size: Tuple[int, int]) -> list:
    """Pictures (height, width, 3) of moments in s, from where the film's camera would stand."""
    _check_size(size)
    times = np.arange(max(2, int(round(duration(recording) * 10)))) / 10.0
    shots = plan_camera(recording, times, aspect=size[0] / size[1])
    images = []
    with Stage(recording.scene, size, _SAMPLES) as stage:
        for moment in moments:
            index = int(np.abs(times - moment).argmin())
            images.append(_draw(recording, stage, shots, index, moment).copy())
    return images


def _target(path: Union[str, Path], suffix: str) -> Path:
    """The path, its folder made. Raises PPPError for another suffix or an unwritable folder."""
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise PPPError(f"{path}: the file's name has to end in {suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PPPError(f"{path}: its folder cannot be made ({error.strerror})") from error
    if not os.access(str(path.parent), os.W_OK) or path.is_dir():
        raise PPPError(f"{path} cannot be written: choose another place")
    return path


def parse_size(text: str) -> Tuple[int, int]:
    """(width, height) in pixels from "1280x720"; PPPError for anything else."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise PPPError(f"--size '{text[:40]}' is no size: write WIDTHxHEIGHT, such as 1280x720")
    size = int(parts[0]), int(parts[1])
    _check_size(size)
    return size


def _check_size(size: Tuple[int, int]) -> None:
    if any(int(v) != v or v % 2 or not 64 <= v <= 4096 for v in size):
        raise PPPError(f"a picture's size has to be even numbers from 64 to 4096, not {size}")


def _encode(frames: Iterator[np.ndarray], path: Path, size: Tuple[int, int], fps: float) -> None:
    """Encode images to an H.264 file; an incomplete film is removed."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise PPPError("writing a film needs imageio-ffmpeg: `pip install imageio-ffmpeg`, "
                       "or go without a video") from error
    try:
        with whole(path) as part:
            writer = imageio_ffmpeg.write_frames(
                str(part), size, fps=fps, codec="libx264", macro_block_size=2, quality=None,
                output_params=["-crf", "23", "-preset", "veryfast", "-movflags", "+faststart",
                               "-f", "mp4"], ffmpeg_log_level="error")
            writer.send(None)
            for image in frames:
                writer.send(np.ascontiguousarray(image))
            writer.close()
    except (OSError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise PPPError(f"{path}: the film could not be encoded ({reason}): check the free space "
                       "and the imageio-ffmpeg installation") from error
