"""The page: viser's panel and scene around one session. All visitors share the simulation; each has
a camera."""
from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from ppp.errors import PPPError
from ppp.planning.recording import Recording
from ppp.planning.scenario import Scenario
from ppp.planning.skills import ATTACK, GAIT, IN_PLACE, TURN, role
from ppp.play import html
from ppp.play.recorder import Studio
from ppp.play.scene_view import CAMERAS, Eye, SceneView
from ppp.play.session import Session
from ppp.play.views import View

#: texts of the panel are renewed this often, every so many frames
_TEXTS = 6
_ROLES = {GAIT: "Go", TURN: "Turn", ATTACK: "Fight", IN_PLACE: "Stay"}
#: place in the panel of what comes after everything else
_LAST = 1e6
#: the camera that a visitor begins with
_FIRST = "from behind"


class Page:
    """Connects a viser server with a session. Call :meth:`show` after every tick."""

    def __init__(self, server: Any, session: Session, studio: Studio) -> None:
        self.server, self.session, self.studio = server, session, studio
        self._scene = SceneView(server, session.scenario.scene())
        self._eyes: Dict[int, Eye] = {}
        self._lock = threading.Lock()
        self._frame, self._texts = 0, {}
        self._view: View = session.view()
        session.on_recording = self._save
        server.gui.configure_theme(show_logo=False, show_share_button=False,
                                   control_width="medium", brand_color=(29, 78, 216))
        server.gui.set_panel_label(session.scenario.name)
        # viser could open a tunnel to this page on a visitor's request; this page stays here
        server.request_share_url = lambda verbose=True: None
        self._build()
        server.scene.on_click()(self._clicked)
        server.on_client_connect(self._came)
        server.on_client_disconnect(self._left)

    # -- the panel -----------------------------------------------------------------------------
    def _build(self) -> None:
        gui = self.server.gui
        self._html = {"status": gui.add_html("")}
        self._add_box("Command", _example(self.session.scenario), "Do it", self.session.say)
        self._html["heard"] = gui.add_html(html.heard(()))
        self._html["message"] = gui.add_html("")
        self._group("Target", {"forget it": lambda: self.session.aim(None)})
        self._add_box("Instruction", self.session.scenario.instruction, "Plan and perform",
                      self.session.instruct)
        self._html["plan"] = gui.add_html("")
        with gui.add_folder("Simulation"):
            self._pause = gui.add_checkbox("Pause", False)
            self._pause.on_update(lambda _: self.session.pause(self._pause.value))
            self._slow = gui.add_checkbox("Slow motion", False)
            self._slow.on_update(lambda _: self.session.slow(self._slow.value))
            self._group("Do", {"push": self.session.push, "stop": self.session.stop,
                               "reset": self.session.reset})
            self._record = gui.add_checkbox("Record", False,
                                            hint="writes a replay page when it ends")
            self._record.on_update(lambda _: self.session.record(self._record.value))
            self._film = gui.add_checkbox("and a film", False,
                                          hint="also draws a video, which takes a while")
        with gui.add_folder("Skills", order=_LAST):
            for label, skills in _by_role(self.session.performer.skills).items():
                self._group(label, {skill.replace("_", " "): _pressing(self.session, skill)
                                    for skill in skills})

    def _add_box(self, label: str, text: str, button: str, act: Callable[[str], None]) -> None:
        """A text with a button; Enter presses it."""
        with self.server.gui.add_form(None) as form:
            field = self.server.gui.add_text(label, text)
            self._button(button, lambda _: form.submit())
        form.on_submit(lambda _: act(field.value))

    def _button(self, label: str, act: Callable[[Any], None]) -> None:
        self.server.gui.add_button(label).on_click(act)

    def _group(self, label: str, acts: Dict[str, Callable[[], None]]) -> None:
        group = self.server.gui.add_button_group(label, list(acts))
        group.on_click(lambda event: acts[event.target.value]())

    # -- visitors ------------------------------------------------------------------------------
    def _came(self, client: Any) -> None:
        eye = Eye(client)
        x, y = self._view.state.xy
        eye.set_offset((x, y))
        eye.look(_FIRST, (x, y))
        with client.gui.add_folder("Camera (yours alone)"):
            choice = client.gui.add_dropdown("View", list(CAMERAS), initial_value=_FIRST)
            follow = client.gui.add_checkbox("Follow", True)
        choice.on_update(lambda _: eye.look(choice.value, self._view.state.xy,
                                            self._view.state.heading))

        @follow.on_update
        def _(_: Any) -> None:
            eye.follows = follow.value

        with self._lock:
            self._eyes[client.client_id] = eye

    def _left(self, client: Any) -> None:
        with self._lock:
            self._eyes.pop(client.client_id, None)

    def _clicked(self, event: Any) -> None:
        eye = self._eyes.get(event.client_id)
        if eye is not None:
            self.session.click(eye.ray(event.ray_origin), event.ray_direction)

    # -- showing -------------------------------------------------------------------------------
    def show(self, view: View, factor: float) -> None:
        """Show a view to all visitors. factor: simulated seconds per second, of late."""
        self._view = view
        with self._lock:
            eyes: List[Eye] = list(self._eyes.values())
        with self.server.atomic():
            self._scene.show(view)
            for eye in eyes:
                eye.follow(view.state.xy)
        self._frame += 1
        if self._frame % _TEXTS == 1:
            self._show_texts(view, factor, len(eyes))

    def _show_texts(self, view: View, factor: float, visitors: int) -> None:
        texts = {"status": html.status(view, factor, visitors), "message": html.message(view),
                 "heard": html.heard(view.heard), "plan": html.plan(view)}
        for name, text in texts.items():
            if self._texts.get(name) != text:
                self._html[name].content = text
        self._texts = texts
        for box, value in ((self._pause, view.paused), (self._slow, view.speed != 1.0),
                           (self._record, view.recording is not None)):
            if box.value != value:
                box.value = value

    # -- recordings ----------------------------------------------------------------------------
    def _save(self, recording: Recording) -> None:
        work = threading.Thread(target=self._write, args=(recording, self._film.value))
        work.start()  # no daemon: Ctrl-C waits until the page is written

    def _write(self, recording: Recording, film: bool) -> None:
        try:
            stem = self.studio.free_name(recording.name)
            self._offer(self.studio.page(recording, stem))
            if film:
                self._tell("Drawing the film", f"{stem}.mp4; this takes a while")
                self.studio.film(recording, stem, self._filmed)
        except PPPError as error:
            self._tell("Not recorded", str(error))

    def _filmed(self, path: Path, problem: str) -> None:
        if problem:
            self._tell("No film", problem)
        else:
            self._offer(path)

    def _offer(self, path: Path) -> None:
        """Tell everybody of a new file, with a link to take it along."""
        print(f"recorded: {path}", flush=True)
        self.server.send_file_download(path.name, path.read_bytes())

    def _tell(self, title: str, text: str) -> None:
        for client in self.server.get_clients().values():
            client.add_notification(title, text, auto_close_seconds=8.0)


def _example(scenario: Scenario) -> str:
    """A command that can be carried out in this scene."""
    target = next((o.name for o in scenario.objects if o.kind == "target"), "")
    return f"smite the {target}" if target else "walk forward"


def _pressing(session: Session, skill: str) -> Callable[[], None]:
    return lambda: session.press(skill)


def _by_role(skills: Sequence[str]) -> Dict[str, List[str]]:
    """The skills in groups of like kind."""
    groups: Dict[str, List[str]] = {}
    for skill in skills:
        groups.setdefault(_ROLES[role(skill)], []).append(skill)
    return groups
