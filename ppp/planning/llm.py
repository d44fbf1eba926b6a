"""The LLM planner: any OpenAI-compatible server answers the prompt; its answers are checked."""
from __future__ import annotations

from typing import Any, Dict, List, Optional

from ppp.errors import PPPError
from ppp.planning.budget import Budget
from ppp.planning.plan_schema import Plan, parse_plan
from ppp.planning.prompting import build_prompt, retry_prompt
from ppp.planning.reading import counted
from ppp.planning.replies import Recorder, Replayer
from ppp.planning.server import Message, Server
from ppp.planning.situation import Matcher, Situation
from ppp.planning.validate import plan_errors

#: replies asked for in one planning, the first included
ATTEMPTS = 4
#: characters of a mistaken reply that go back to the model
SHOWN = 8000


class LLMMaker:
    """Makes plans by asking a model; mistakes are sent back to it, three times at most.

    ask: a chat client, a replayer, or anything with ``ask(messages) -> str``. attempts: replies
    used by the last planning; repairs: rounds of correction in all plannings so far.
    """

    name = "llm"

    def __init__(self, ask: Any, matcher: Matcher, recorder: Optional[Recorder] = None) -> None:
        self.ask, self.matcher, self.recorder = ask, matcher, recorder
        self.attempts = self.repairs = 0

    def make(self, situation: Situation) -> Plan:
        """A sound plan; PPPError when the model gives none in four replies."""
        messages: List[Message] = [{"role": "user", "content": build_prompt(situation)}]
        errors: List[str] = []
        for attempt in range(1, ATTEMPTS + 1):
            reply = self.ask.ask(messages)
            self.attempts = attempt
            self.repairs += attempt > 1
            if self.recorder:
                self.recorder.add(situation.scenario.name, messages, reply)
            plan, errors = self._judge(reply, situation)
            if plan is not None:
                return plan
            messages.append({"role": "assistant", "content": _shortened(reply)})
            messages.append({"role": "user", "content": retry_prompt(errors)})
        raise PPPError(
            f"the model gave no sound plan in {ATTEMPTS} replies; the last one: {errors[0]}; "
            "ask another by --model, or plan without it by --planner search"
        )

    def _judge(self, reply: str, situation: Situation) -> "tuple[Optional[Plan], List[str]]":
        try:
            plan = parse_plan(reply)
        except PPPError as error:
            return None, [str(error)]
        errors = plan_errors(plan, situation, self.matcher)
        return (None, errors) if errors else (plan, [])

    def use(self) -> Dict[str, Any]:
        """What was used of the model, as plain data."""
        return {"repairs": self.repairs, **self.ask.use()}

    def __str__(self) -> str:
        return f"model: {self.ask.summary()}, {counted(self.repairs, 'repair')}"


def _shortened(reply: str) -> str:
    """A mistaken reply as the model is shown it again: its end tells it nothing new."""
    return reply if len(reply) <= SHOWN else reply[:SHOWN] + " [...]"


def llm_maker(
    server: Optional[Server],
    matcher: Matcher,
    scenario: str,
    recorder: Optional[Recorder] = None,
    replay: Optional[str] = None,
    budget: Optional[Budget] = None,
) -> LLMMaker:
    """The LLM planner from a server, or from recorded replies of the scenario of that name."""
    if replay and recorder:
        raise PPPError("--record and --replay exclude each other: drop one of them")
    if replay:
        return LLMMaker(Replayer(replay, scenario), matcher)
    if server is None:
        raise PPPError(
            "no language model is configured: give --base-url and --model, or set OPENAI_API_KEY, "
            "or plan without one by --planner search"
        )
    # imported here: the client takes seconds to load, and the search planner does without it
    from ppp.planning.chat import ChatClient

    return LLMMaker(ChatClient(server, budget), matcher, recorder)
