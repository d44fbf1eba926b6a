"""Which server answers prompts: from flags, else from the usual environment variables."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Dict, Mapping, Optional
from urllib.parse import urlsplit

from ppp.errors import PPPError

#: one message of a chat: role and content
Message = Dict[str, str]


class NoAnswer(PPPError):
    """The server gave no answer at all, which says nothing about its model."""


@dataclass(frozen=True)
class Server:
    """Where to ask, and how patiently. The key stays out of repr and logs.

    base_url: None for OpenAI's own address. timeout: s for one whole reply. A request that failed
    for a passing reason is repeated ``retries`` times, first after ``backoff`` s and twice as much
    each time, never after more than ``longest_wait`` s.
    """

    base_url: Optional[str]
    model: Optional[str]
    key: Optional[str]
    timeout: float = 60.0
    retries: int = 3
    backoff: float = 0.5
    longest_wait: float = 20.0

    def __repr__(self) -> str:
        return f"Server({self.host}, model={self.model})"

    @property
    def host(self) -> str:
        """The address without whatever a user wrote before an @ in it."""
        if not self.base_url:
            return "api.openai.com"
        parts = urlsplit(self.base_url)
        return (parts.hostname or "") + (f":{parts.port}" if parts.port else "")


def server_from(
    base_url: Optional[str] = None,
    model: Optional[str] = None,
    key: Optional[str] = None,
    timeout: float = 60.0,
    retries: int = 3,
    env: Mapping[str, str] = os.environ,
) -> Optional[Server]:
    """The server named by flags, else by OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_API_KEY.

    None when neither an address nor a key is given. timeout: s for one reply. retries: how often a
    request that failed for a passing reason is repeated.
    """
    base_url = base_url or env.get("OPENAI_BASE_URL") or None
    key = (key or env.get("OPENAI_API_KEY") or "").strip() or None
    if not base_url and not key:
        return None
    if base_url:
        _check_address(base_url)
    if not 0.0 < timeout <= 3600.0:
        raise PPPError(f"--timeout must be a number of seconds up to 3600, not {timeout:g}")
    if not 0 <= retries <= 10:
        raise PPPError(f"--retries must be from 0 to 10, not {retries}")
    if key and not (key.isascii() and key.isprintable()):
        raise PPPError("the key (OPENAI_API_KEY or --api-key) holds characters that no key has: "
                       "copy it again")
    return Server(base_url, model or env.get("OPENAI_MODEL") or None, key, timeout, retries)


def _check_address(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise PPPError(
            "--base-url (or OPENAI_BASE_URL) is no address: write it as http://HOST:PORT/v1"
        )
