"""How Careline names Telegram's places: keys of threads and of messages, made and read back. Pure.

A thread is a chat (`-100123`), a forum topic in it (`-100123/7`), the comments under one channel post (`-100123/c5`), or a chat of a connected
business account (`b:<connection>:42`): the same person's chat with the bot has the same number. A message adds `:<message id>` to its chat.
"""

from __future__ import annotations

from typing import NamedTuple

from careline.errors import ChannelError


class Place(NamedTuple):
    """Where to write. `topic` and `post` are 0, and `business` empty, where there is none."""

    chat_id: int
    topic: int = 0
    post: int = 0
    business: str = ""

    @property
    def chat(self) -> str:
        """The chat alone, as keys of messages begin."""
        return f"b:{self.business}:{self.chat_id}" if self.business else str(self.chat_id)

    @property
    def thread_key(self) -> str:
        """The conversation."""
        return f"{self.chat}/{self.topic}" if self.topic else f"{self.chat}/c{self.post}" if self.post else self.chat

    def message_key(self, message_id: int) -> str:
        """A message in this chat."""
        return f"{self.chat}:{message_id}"


def place_of(thread_key: str) -> Place:
    """Raises ChannelError for what is no thread key."""
    chat, _, part = thread_key.partition("/")
    business, _, number = chat.removeprefix("b:").rpartition(":") if chat.startswith("b:") else ("", "", chat)
    try:
        is_post = part.startswith("c")
        at = int(part.removeprefix("c")) if part else 0
        return Place(int(number), 0 if is_post else at, at if is_post else 0, business)
    except ValueError as wrong:
        raise ChannelError("thread_gone", "This conversation has no place on Telegram.", permanent=True) from wrong


def message_of(platform_id: str) -> tuple[Place, int]:
    """The chat of a message and its number there. Raises ChannelError for what is no message key."""
    chat, _, number = platform_id.rpartition(":")
    if not number.isdecimal():
        raise ChannelError("message_gone", "This message has no place on Telegram.", permanent=True)
    return place_of(chat), int(number)
