"""The words on a picture: instruction, running step, clock, and the checks at the end."""
from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from ppp.planning.recording import Recording
from ppp.view.poses import duration, number, step_index, step_target

_WHITE, _SOFT, _GOLD = (255, 255, 255, 255), (214, 220, 228, 255), (255, 205, 90, 255)
_GREEN, _RED, _DARK = (96, 214, 128, 255), (255, 112, 100, 255), (16, 20, 28, 190)
_MARGIN = 0.02  # of the picture's width
_CHECKS_SHOWN = 8


def font(size: int, bold: bool = False) -> Any:
    """DejaVu Sans (it ships with matplotlib and has the tick and the cross) at a size in pixels."""
    from matplotlib import get_data_path
    from PIL import ImageFont
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    file = Path(get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(file), max(size, 8), layout_engine=ImageFont.Layout.BASIC)


class Captions:
    """Writes on pictures of one recording. size: (width, height) in pixels."""

    def __init__(self, recording: Recording, size: Tuple[int, int]) -> None:
        self._recording = recording
        self.width, self.height = size
        unit = min(self.height / 720.0, self.width / 900.0)
        self._large, self._small = font(round(23 * unit), bold=True), font(round(20 * unit))
        self._line = max(12, round(31 * unit))
        self._kept: Dict[Tuple[Any, ...], Tuple[np.ndarray, np.ndarray]] = {}

    def write(self, image: np.ndarray, time: float, ended: bool = False) -> np.ndarray:
        """A copy of an image (height, width, 3) uint8 with the caption of a time in s.

        ended: also the checks, in the upper left corner.
        """
        out = np.array(image)
        index = step_index(self._recording.steps, time)
        if self._recording.instruction or self._recording.steps:
            self._blend(out, ("bar", index), self._bar, index)
            self._blend(out, ("clock", round(time, 1)), self._clock, time, keep=False)
        if ended and self._recording.checks:
            self._blend(out, ("checks",), self._verdict)
        return out

    def _blend(self, out: np.ndarray, key: Tuple[Any, ...], paint: Any, *arguments: Any,
               keep: bool = True) -> None:
        """Lay a painted strip over the rows it covers; strips that repeat are painted once."""
        if key not in self._kept:
            if not keep:
                self._kept = {k: v for k, v in self._kept.items() if k[0] != key[0]}
            self._kept[key] = paint(*arguments)
        place, strip = self._kept[key]
        top, left = place
        area = out[top:top + strip.shape[0], left:left + strip.shape[1]]
        alpha = strip[..., 3:].astype(np.uint16)
        area[:] = (area * (255 - alpha) + strip[..., :3] * alpha) // 255

    def _canvas(self, width: int, height: int, fill: Tuple[int, ...] = _DARK) -> Tuple[Any, Any]:
        from PIL import Image, ImageDraw
        image = Image.new("RGBA", (width, height), fill)
        return image, ImageDraw.Draw(image)

    def _bar(self, index: Optional[int]) -> Tuple[Tuple[int, int], np.ndarray]:
        """The strip at the bottom: the instruction above the running step."""
        line, margin = self._line, round(_MARGIN * self.width)
        image, draw = self._canvas(self.width, round(2.75 * line))
        room = self.width - 2 * margin - self._clock_width()
        draw.text((margin, 0.35 * line), self._fit(self._recording.instruction, self._large, room),
                  font=self._large, fill=_WHITE)
        if index is not None:
            step = self._recording.steps[index]
            count = f"{index + 1}/{len(self._recording.steps)}  "
            draw.text((margin, 1.5 * line), count, font=self._small, fill=_GOLD)
            left = margin + draw.textlength(count, font=self._small)
            text = self._fit(step_text(step), self._small, self.width - margin - left)
            draw.text((left, 1.5 * line), text, font=self._small, fill=_SOFT)
        return (self.height - image.height, 0), np.asarray(image)

    def _clock_width(self) -> int:
        return 4 * self._line

    def _clock(self, time: float) -> Tuple[Tuple[int, int], np.ndarray]:
        image, draw = self._canvas(self._clock_width(), self._line, (0, 0, 0, 0))
        draw.text((image.width - 1, 0), f"{time:.1f} s", font=self._small, fill=_WHITE, anchor="ra")
        left = self.width - round(_MARGIN * self.width) - image.width
        top = self.height - round(2.75 * self._line) + round(0.4 * self._line)
        return (top, left), np.asarray(image)

    def _verdict(self) -> Tuple[Tuple[int, int], np.ndarray]:
        """The panel with SUCCESS or FAILED and every check."""
        line, margin = self._line, round(_MARGIN * self.width)
        lines = check_lines(self._recording.checks)
        most = max(1, int((self.height - 3 * line - margin) / line) - 2)
        lines = lines[:min(_CHECKS_SHOWN, most)]
        longest = max(self._small.getlength(text) for _, text in lines)
        width = int(min(self.width - 2 * margin, max(longest, 5 * line) + 2 * margin + 1.5 * line))
        image, draw = self._canvas(width, round((len(lines) + 2.1) * line))
        success = self._recording.success
        draw.text((margin, 0.4 * line), "SUCCESS" if success else "FAILED", font=self._large,
                  fill=_GREEN if success else _RED)
        for row, (passed, text) in enumerate(lines):
            top = (row + 1.6) * line
            draw.text((margin, top), "\u2713" if passed else "\u2717", font=self._large,
                      fill=_GREEN if passed else _RED)
            draw.text((margin + line, top), self._fit(text, self._small, width - 2 * margin - line),
                      font=self._small, fill=_WHITE)
        return (margin, margin), np.asarray(image)

    @staticmethod
    def _fit(text: str, face: Any, room: float) -> str:
        """The text on one line, cut with an ellipsis where it is wider than the room in pixels."""
        text = _printable(text)
        if face.getlength(text) <= room:
            return text
        fits, cut = 0, len(text)  # as many letters as fit, by halving
        while cut - fits > 1:
            middle = (fits + cut) // 2
            fits, cut = ((middle, cut) if face.getlength(text[:middle] + "\u2026") <= room
                         else (fits, middle))
        return text[:fits].rstrip() + "\u2026"


def _printable(text: str) -> str:
    """On one line and without control characters (a lone surrogate or a direction mark)."""
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs", "Cf") else c for c in str(text)[:400])
    return " ".join("".join(kept).split())


def step_text(step: Dict[str, Any]) -> str:
    """A step in words: command, the skill it became and its target."""
    text = str(step.get("command", ""))
    if step.get("skill"):
        text += f" \u2192 {step['skill']}"
    target = step_target(step)
    return text if target is None else f"{text} \u00b7 target ({target[0]:.1f}, {target[1]:.1f})"


def check_lines(checks: List[Dict[str, Any]]) -> List[Tuple[bool, str]]:
    """(passed, text) of every check, the failed ones first."""
    lines = []
    for check in checks:
        detail = f" \u2013 {check['detail']}" if check.get("detail") else ""
        lines.append((bool(check.get("passed")), f"{check.get('check', '')}{detail}"))
    return sorted(lines, key=lambda pair: pair[0])


def end_time(recording: Recording) -> float:
    """The time to show at the end, s: when the last step ended, or the recording's length."""
    ends = [number(step.get("end"), duration(recording)) for step in recording.steps]
    return min(max(ends), duration(recording)) if ends else duration(recording)
