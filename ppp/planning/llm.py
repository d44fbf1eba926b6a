"""The LLM planner: any OpenAI-compatible server answers the prompt; its answers are checked."""
from __future__ import annotations

from typing import Any, List, Optional

from ppp.errors import PPPError
from ppp.planning.plan_schema import Plan, parse_plan
from ppp.planning.prompting import build_prompt, retry_prompt
from ppp.planning.replies import Recorder, Replayer
from ppp.planning.server import Message, Server
from ppp.planning.situation import Matcher, Situation
from ppp.planning.validate import plan_errors

#: replies asked for in one planning, the first included
ATTEMPTS = 4


class LLMMaker:
    """Makes plans by asking a model; mistakes are sent back to it, three times at most.

    ask: a chat client, a replayer, or anything with ``ask(messages) -> str``.
    """

    name = "llm"

    def __init__(self, ask: Any, matcher: Matcher, recorder: Optional[Recorder] = None) -> None:
        self.ask, self.matcher, self.recorder = ask, matcher, recorder
        #: replies used by the last planning
        self.attempts = 0

    def make(self, situation: Situation) -> Plan:
        """A sound plan; PPPError when the model gives none in four replies."""
        messages: List[Message] = [{"role": "user", "content": build_prompt(situation)}]
        errors: List[str] = []
        for attempt in range(1, ATTEMPTS + 1):
            self.attempts = attempt
            reply = self.ask.ask(messages)
            if self.recorder:
                self.recorder.add(situation.scenario.name, messages, reply)
            plan, errors = self._judge(reply, situation)
            if plan is not None:
                return plan
            messages.append({"role": "assistant", "content": reply})
            messages.append({"role": "user", "content": retry_prompt(errors)})
        raise PPPError(
            f"the model gave no sound plan in {ATTEMPTS} replies; the last one: {errors[0]}"
        )

    def _judge(self, reply: str, situation: Situation) -> "tuple[Optional[Plan], List[str]]":
        try:
            plan = parse_plan(reply)
        except PPPError as error:
            return None, [f"the reply {error}"]
        errors = plan_errors(plan, situation, self.matcher)
        return (None, errors) if errors else (plan, [])


def llm_maker(
    server: Optional[Server],
    matcher: Matcher,
    scenario: str,
    record: Optional[str] = None,
    replay: Optional[str] = None,
) -> LLMMaker:
    """The LLM planner from a server, or from recorded replies of the scenario of that name."""
    if replay:
        return LLMMaker(Replayer(replay, scenario), matcher)
    if server is None:
        raise PPPError(
            "no language model is configured: give --base-url and --model, or set OPENAI_API_KEY, "
            "or plan without one by --planner search"
        )
    # imported here: the client takes seconds to load, and the search planner does without it
    from ppp.planning.chat import ChatClient

    return LLMMaker(ChatClient(server), matcher, Recorder(record) if record else None)
