"""Who plans: a language model where one is asked for or configured, else a search."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Sequence, Tuple, Union

from ppp.errors import PPPError
from ppp.planning.budget import Budget
from ppp.planning.llm import llm_maker
from ppp.planning.planner import ListPlanner, PlanMaker
from ppp.planning.replies import Recorder
from ppp.planning.scenario import Scenario
from ppp.planning.search import SearchMaker
from ppp.planning.server import Server, server_from
from ppp.planning.situation import Matcher, remembered

if TYPE_CHECKING:  # torch is loaded only where it is asked for
    from ppp.rearrangement.learned import LearnedMaker
    from ppp.rearrangement.planner import LearnedPlanner

#: what plans by itself, or makes the planner that does
Maker = Union[PlanMaker, "LearnedMaker"]


@dataclass(frozen=True)
class ModelOptions:
    """Which language model is asked, and what it may take; flags of every command that plans."""

    base_url: Optional[str] = None
    """Address of an OpenAI-compatible server; OPENAI_BASE_URL without it."""
    model: Optional[str] = None
    """Name of the model; OPENAI_MODEL without it, else the first that the server lists."""
    api_key: Optional[str] = None
    """Key of the server; better given as OPENAI_API_KEY, where no process list shows it."""
    timeout: float = 60.0
    """Seconds to wait for one whole reply of the model."""
    retries: int = 3
    """How often a request that failed for a passing reason is repeated."""
    reply_tokens: int = 4096
    """Longest reply asked for, tokens; a model that reasons aloud may need more."""
    token_limit: int = 200_000
    """Tokens of all prompts and replies for a scenario together, new plans included."""
    price: Optional[Tuple[float, float]] = None
    """Price of a million prompt tokens and of a million reply tokens, to be told the cost."""
    cost_limit: Optional[float] = None
    """Most that the requests for a scenario may cost, in the currency of --price."""
    replay: Optional[Path] = None
    """Use the replies in a file instead of asking a model."""

    def server(self) -> Optional[Server]:
        """The server that is configured; None without one."""
        return server_from(self.base_url, self.model, self.api_key, self.timeout, self.retries)

    def budget(self) -> Budget:
        """What it may take; a new one for each scenario."""
        return Budget(self.token_limit, self.reply_tokens, self.price, self.cost_limit)


def recorder_for(path: Optional[Path]) -> Optional[Recorder]:
    """What keeps replies in a new file; None without one."""
    return None if path is None else Recorder(str(path))


def choose_planner(
    kind: str, options: ModelOptions, scenario: str, matcher: Matcher,
    recorder: Optional[Recorder] = None, adapters: Optional[Path] = None, seed: int = 0,
) -> Tuple[Maker, str]:  # fmt: skip
    """The planner asked for (auto, llm, search, learned), and a line that says which one and why.

    scenario: its name, by which a file of replies knows them. recorder: it keeps the replies.
    adapters: of the learned planner, None for the shipped ones; seed: of the actions it draws.
    """
    if kind == "learned":
        if recorder or options.replay:
            raise PPPError("--record and --replay are about a language model's replies, and no "
                           "model is asked by --planner learned: drop them")
        from ppp.rearrangement.learned import LearnedMaker, load_adapters

        found = load_adapters(adapters)
        return LearnedMaker(matcher, found, seed), f"learned ({adapters or 'shipped adapters'})"
    if adapters is not None:
        raise PPPError(f"--adapters are those of the learned planner, and {kind} was asked for: "
                       "add --planner learned")
    server = None if kind == "search" else options.server()
    if kind == "search" or (kind == "auto" and server is None and options.replay is None):
        if recorder or options.replay:
            raise PPPError("--record and --replay are about a language model's replies, and search "
                           "plans here: drop them, or choose --planner llm and a model")
        why = "" if kind == "search" else " (no language model is configured)"
        return SearchMaker(matcher), f"search{why}"
    replay = str(options.replay) if options.replay else None
    maker = llm_maker(server, matcher, scenario, recorder, replay, options.budget())
    return maker, f"llm ({f'replies of {replay}' if replay else server and server.host})"


def planner_of(maker: Maker, scenario: Scenario, skills: Sequence[str],
               **limits: int) -> "Union[ListPlanner, LearnedPlanner]":
    """The planner of one scenario. limits: of one that makes whole plans (:class:`ListPlanner`)."""
    if hasattr(maker, "planner"):
        return maker.planner(scenario, skills)
    return ListPlanner(scenario, skills, maker, **limits)


def matcher_for(skills: Sequence[str]) -> Matcher:
    """The shipped language part for a policy's skills; it reads no sentence twice."""
    from ppp.language import load_matcher  # torch and the weights: only where commands are read

    return remembered(load_matcher(skills=list(skills)))
