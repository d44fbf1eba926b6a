"""``ppp play``: a page with the humanoid in real time, to be told what to do."""
from __future__ import annotations

import contextlib
import errno
import io
import signal
import socket
import sys
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, List, Optional, Tuple

import tyro
from typing_extensions import Literal

from ppp.errors import PPPError
from ppp.options import read_options
from ppp.outputs import check_folder
from ppp.planning.choosing import Maker, ModelOptions, choose_planner
from ppp.planning.scenario import Scenario, check_skills, load_scenario

PLAYGROUND = Path(__file__).with_name("playground.yaml")


@dataclass
class Settings:
    """Watch the humanoid in a browser, in real time, and tell it what to do.

    Prints the page's address; Ctrl-C ends it.
    """

    scenario: tyro.conf.Positional[Optional[Path]] = None
    """The scene, a YAML file such as prompts/strike_behind_block.yaml; a playground without it."""
    host: str = "127.0.0.1"
    """Where the page is served; 0.0.0.0 lets other machines in, whose users can do all you can."""
    port: int = 8080
    """Port of the page."""
    planner: Literal["auto", "llm", "search", "learned"] = "auto"
    """Who plans instructions; auto asks a language model where one is configured; learned decides
    step by step (docs/llarp.md)."""
    adapters: Optional[Path] = None
    """Of --planner learned: a folder of ppp llarp train; the shipped adapters without it."""
    bundle: Optional[Path] = None
    """Folder of the policy; the shipped one without it."""
    out: Path = Path("out/play")
    """Folder for recordings."""
    seed: int = 0
    """Of the start and of the pushes."""
    measure: Optional[float] = None
    """Simulate so many seconds as fast as it goes, print the real-time factor, and end."""
    llm: tyro.conf.OmitArgPrefixes[ModelOptions] = field(default_factory=ModelOptions)


def main(argv: Optional[List[str]] = None) -> int:
    """Serve the page until Ctrl-C; returns the exit status."""
    settings = read_options(Settings, argv, "ppp play")
    scenario = load_scenario(settings.scenario or PLAYGROUND)
    _check(settings)
    session = _session(settings, scenario)
    server = _server(settings)
    from ppp.play.page import Page
    from ppp.play.recorder import Studio

    studio = Studio(settings.out)
    try:
        page = Page(server, session, studio)
        if settings.measure is not None:
            return _measure(session, page, settings.measure)
        return _serve(settings, session, page)
    finally:
        session.close()
        with contextlib.redirect_stdout(io.StringIO()):
            server.stop()
        studio.close()


def _check(settings: Settings) -> None:
    if not 0 < settings.port < 65536:
        raise PPPError(f"--port {settings.port} is no port: choose one from 1 to 65535")
    if not 0 <= settings.seed < 2**31:
        raise PPPError("--seed must be a whole number from 0 to 2147483647")
    if settings.measure is not None and not 1.0 <= settings.measure <= 3600.0:
        raise PPPError("--measure takes seconds from 1 to 3600")
    check_folder(settings.out)
    if sys.version_info < (3, 10):
        raise PPPError("ppp play needs Python 3.10 or newer")
    try:
        import mjviser  # noqa: F401
    except ImportError as error:
        raise PPPError(f"ppp play needs the Python package '{error.name}': "
                       "pip install -c constraints.txt -e '.[play]'") from None


def _session(settings: Settings, scenario: Scenario) -> Any:
    import torch

    from ppp.language import load_matcher
    from ppp.planning.situation import remembered
    from ppp.play.performer import LivePerformer
    from ppp.play.session import Session

    torch.set_num_threads(1)  # one humanoid: more threads would only wait for each other
    performer = LivePerformer(settings.bundle)
    check_skills(scenario, performer.skills, str(settings.scenario or PLAYGROUND))
    matcher = load_matcher(performer.skills)
    reads = remembered(matcher)  # for planners; the desk wants whole answers

    def maker_for(wanted: Scenario) -> Tuple[Maker, str]:
        return choose_planner(settings.planner, settings.llm, wanted.name, reads,
                              adapters=settings.adapters, seed=settings.seed)

    maker_for(scenario)  # a planner that cannot be had is told before the page opens
    return Session(scenario, performer, matcher, maker_for, settings.seed, patience=0.02)


def _server(settings: Settings) -> Any:
    """A viser server at exactly the port asked for; viser itself would quietly take the next."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PPPError(f"--port {settings.port} is in use: end what serves there, or "
                               f"choose another, such as --port {settings.port + 1}") from None
            raise PPPError(f"--host {settings.host} --port {settings.port}: cannot serve there "
                           f"({error.strerror})") from None
    warnings.filterwarnings("ignore", message="Queued a .* on a closed connection")
    import viser

    with contextlib.redirect_stdout(io.StringIO()):  # it has a banner of its own
        return viser.ViserServer(host=settings.host, port=settings.port, verbose=False)


def _serve(settings: Settings, session: Any, page: Any) -> int:
    from ppp.play.loop import run

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host
    print(f"open http://{host}:{settings.port} in a browser; Ctrl-C ends it", flush=True)
    try:
        run(session, page.show, lambda: not ended.is_set())
    except KeyboardInterrupt:
        print("ended")
    return 0


def _measure(session: Any, page: Any, seconds: float) -> int:
    from ppp.play.loop import measure

    def script(at: float) -> None:
        # planning counts as well; a reset would not be fair, it simulates SETTLE s unseen
        if abs(at - round(at / 10.0) * 10.0) < 1e-6:
            session.instruct(session.scenario.instruction)

    wall, processor = measure(session, page.show, seconds, script)
    print(f"real-time factor {wall:.2f} by the clock, {processor:.2f} by processor time "
          f"({seconds:g} s simulated and shown)")
    return 0
