"""Headless Chromium over the DevTools protocol: enough to use a page as a visitor would."""
from __future__ import annotations

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

#: names under which the browser may be installed
NAMES = ("chromium", "chromium-browser", "google-chrome")


def installed():
    """The path of a Chromium, None without one."""
    return next((found for found in map(shutil.which, NAMES) if found), None)


class Chromium:
    """One window. size: (width, height) in pixels. Use as a context manager."""

    def __init__(self, size=(1440, 900)):
        self._stack = contextlib.ExitStack()
        self._folder = tempfile.mkdtemp()
        self._process = subprocess.Popen(
            [installed(), "--headless=new", "--no-sandbox", "--remote-debugging-port=0",
             f"--user-data-dir={self._folder}", "--use-gl=angle", "--use-angle=swiftshader",
             "--enable-unsafe-swiftshader", f"--window-size={size[0]},{size[1]}",
             "--hide-scrollbars", "--no-first-run", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._numbers, self.errors = itertools.count(1), []
        try:
            self._socket = self._connect()
            for domain in ("Page", "Runtime"):
                self.call(f"{domain}.enable")
            self.call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                      deviceScaleFactor=1, mobile=False)
        except BaseException:
            self._end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self._end()

    def _end(self):
        self._stack.close()
        self._process.terminate()
        self._process.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self):
        from websockets.sync.client import connect

        told = Path(self._folder, "DevToolsActivePort")
        for _ in range(600):
            if told.exists() and "\n" in told.read_text():
                break
            time.sleep(0.1)
        port = told.read_text().split("\n")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = json.loads(answer.read())
        page = next(p for p in pages if p["type"] == "page")
        return self._stack.enter_context(connect(page["webSocketDebuggerUrl"], max_size=None))

    def call(self, method, **params):
        """One command of the protocol; returns its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=120))
            if told.get("id") == number:
                assert "error" not in told, told["error"]
                return told["result"]
            if told.get("method") == "Runtime.exceptionThrown":
                self.errors.append(told["params"]["exceptionDetails"])

    def js(self, code):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, url):
        """Go to an address."""
        self.call("Page.navigate", url=url)

    def text(self):
        """All text of the page."""
        return self.js("document.body ? document.body.innerText : ''")

    def shows(self, text, seconds):
        """Whether the page shows a text before the seconds are over."""
        end = time.monotonic() + seconds
        while text not in self.text():
            if time.monotonic() > end:
                return False
            time.sleep(0.3)
        return True

    def wait_for(self, text, seconds=90.0):
        """Wait until the page shows a text."""
        assert self.shows(text, seconds), f"{text!r} not shown: {self.text()[:1500]}"

    def middle(self, css, text=""):
        """The middle (x, y) of the first element of a selector with a text in it, pixels."""
        found = self.js(
            f"(() => {{ const e = [...document.querySelectorAll({json.dumps(css)})].find("
            f"e => e.innerText.includes({json.dumps(text)}) || !{json.dumps(text)}); "
            "if (!e) return null; e.scrollIntoView({block: 'center'}); "
            "const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        assert found, f"no {css} with {text!r}"
        return found

    def click(self, x, y):
        """Press and let go."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                      button="none" if kind == "mouseMoved" else "left", clickCount=1)
            time.sleep(0.05)

    def press(self, text):
        """Click the button with a text."""
        self.click(*self.middle("button", text))

    def write(self, number, text, enter=True):
        """Replace what the ``number``-th text field in a form holds, and press Enter."""
        x, y = self.js(
            f"(() => {{ const e = [...document.querySelectorAll('form input')][{number}]; "
            "e.scrollIntoView({block: 'center'}); "
            "const r = e.getBoundingClientRect(); e.focus(); e.select(); "
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        self.call("Input.insertText", text=text)
        time.sleep(0.3)
        if enter:
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter",
                          windowsVirtualKeyCode=13, text="\r" if kind == "keyDown" else "")
        return x, y

    def picture(self, path=None):
        """What the window shows, PNG."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        if path is not None:
            Path(path).write_bytes(data)
        return data
