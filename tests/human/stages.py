"""Rows for tests of the stages: plain values, and a test names only what it is about."""

from __future__ import annotations

from evaluator.human.records import Attribute, Conversation, Evidence, Prompt, Role, Turn

GARBAGE = {
    "empty": "",
    "blank": " \n\t ",
    "invisible": "\u200b\u2060\ufeff",
    "prose": "I would say that this attribute is a good one.",
    "a reason": "accepted, YES, 3: because it is said so",
    "a refusal": "I'm sorry, but I cannot help with that.",
    "JSON": '{"answer": "accepted"}',
    "letters of another alphabet": "\u0410\u0421\u0421",
    "full-width letters": "\uff39\uff25\uff33",
    "a long s": "ye\u017f",
    "an invisible sign inside": "acc\u200bepted",
    "an invisible sign after": "YES\u200b",
    "a sign that turns the direction": "\u202eSEY",
    "a full-width number": "\uff13",
    "an Arabic number": "\u0663",
    "a number in a circle": "\u2462",
    "half of a character": "\ud800",
    "zero bytes": "\x003\x00",
    "megabytes": "YES " * 1_000_000,
    "megabytes of space": " " * 4_000_000 + "YES",
    "deeply nested": '{"attributes":' + "[" * 50_000 + "]" * 50_000 + "}",
}
"""What no reader may take for an answer, by what it is."""


def conversation(name: str, *texts: str, user: str = "u1") -> Conversation:
    """Returns a conversation in which user and assistant take turns."""
    roles = (Role.USER, Role.ASSISTANT)
    turns = tuple(Turn(role=roles[place % 2], text=text) for place, text in enumerate(texts))
    return Conversation(conversation_id=name, user_id=user, turns=turns)


def attribute(text: str = "The user keeps bees.", *evidence: str, name: str = "a1") -> Attribute:
    """Returns an attribute that was taken from some conversations."""
    places = tuple(Evidence(conversation_id=each) for each in evidence)
    return Attribute(attribute_id=name, user_id="u1", text=text, evidence=places, origin="test")


def prompt(text: str = "What shall I plant?", name: str = "p1") -> Prompt:
    """Returns a prompt."""
    return Prompt(prompt_id=name, text=text, user_ids=("u1",))
