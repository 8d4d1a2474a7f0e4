"""Tastes, the conversations that let them show, and the questions that need them.

A taste is never announced: the user tells what happened and asks for help, and whoever reads the history has to draw
the conclusion. Questions leave the taste out altogether, so that a generic answer is possible but worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.hicupid.demo_data.content import Entity, Pair, Theme, follow_ups, themes
from evaluator.hicupid.demo_data.draw import Draw
from evaluator.hicupid.demo_data.records import Exchange, Persona, Sentiment
from evaluator.hicupid.demo_data.wording import Person, World, fill

RELATIONS: dict[Sentiment, tuple[str, ...]] = {
    "POS": ("enjoys", "loves", "is keen on", "is fond of", "has a soft spot for"),
    "NEG": ("cannot stand", "dislikes", "has no patience for", "avoids", "is put off by"),
}
PEOPLE_PER_DIALOGUE = 3
SIGNS_PER_DIALOGUE = 3
SHORTEST_REPLY = 25
TURNS_WITH_CLOSING = 5
ACKNOWLEDGED = 0.5  # share of later turns that first react to the reply before them

_REPLY_TAILS = (
    "Tell me how it goes, and we can adjust from there.",
    "If anything about that does not fit, say so and I will look for another way.",
    "I can put that into a short plan for you if it helps.",
    "Ask again once you have tried it, since the second attempt is usually where the questions begin.",
)


@dataclass(frozen=True)
class Taste:
    """One persona together with the authored material behind it."""

    persona: Persona
    theme: Theme
    entity: Entity

    @property
    def slots(self) -> dict[str, str]:
        """The slots that only this taste can fill."""
        return {
            "topic": self.theme.topic,
            "subject": self.theme.subject,
            "entity": self.entity.name,
            "tip": self.entity.tip,
            "dodge": self.entity.dodge,
        }


def draw_tastes(draw: Draw) -> list[Taste]:
    """Draw one taste for each of the 25 themes, in random order."""
    return [_draw_taste(theme, draw) for theme in draw.shuffled(themes())]


def converse(
    taste: Taste, place: int, world: World, turns: int, decks: dict[Sentiment, list[Pair]], draw: Draw
) -> list[Exchange]:
    """Return the dialogue of one taste.

    Args:
        taste: what has to show.
        place: 0-based rank of this dialogue among the user's persona dialogues; spreads the shared follow-ups.
        world: the user's people, places and voice.
        turns: number of exchanges, at least 1.
        decks: the user's own order of the shared follow-ups.
        draw: the stream of this dialogue.
    """
    people = draw.shuffled(world.people)[:PEOPLE_PER_DIALOGUE]
    signs = draw.shuffled(taste.entity.signs[taste.persona.sentiment])[:SIGNS_PER_DIALOGUE]
    bits = draw.shuffled(taste.entity.bits)
    script = _script(taste, place, turns, decks[taste.persona.sentiment], draw.branch("script"))
    exchanges = []
    for index, pair in enumerate(script):
        slots = taste.slots | world.slots(draw, tuple(people)) | {"bit": bits[index % len(bits)]}
        if index < len(signs):
            slots["act"] = signs[index]
        text = _words(pair, _lead(index, len(signs), taste.persona.sentiment, people, slots, draw), slots, draw)
        if index and draw.chance(ACKNOWLEDGED):
            text = f"{draw.pick(follow_ups().acknowledgements)} {text}"
        reply = _reply(fill(draw.pick(pair.assistant), slots), draw)
        exchanges.append(Exchange(world.voice.say(text, draw, first=index == 0), reply))
        people = [person.known() if person.phrase in text else person for person in people]
    return exchanges


def ask(taste: Taste, world: World, draw: Draw) -> tuple[str, str, str]:
    """Return a question with its gold and its generic answer."""
    chosen = draw.pick(taste.theme.questions)
    slots = taste.slots | world.slots(draw)
    gold = chosen.gold[taste.persona.sentiment]
    return fill(chosen.question, slots), fill(gold, slots), fill(chosen.general, slots)


def draw_decks(draw: Draw) -> dict[Sentiment, list[Pair]]:
    """Draw a user's own order of the shared follow-ups."""
    common = follow_ups().common
    return {"POS": draw.shuffled(common["POS"]), "NEG": draw.shuffled(common["NEG"])}


def _draw_taste(theme: Theme, draw: Draw) -> Taste:
    entity = draw.pick(theme.entities)
    sentiment: Sentiment = "POS" if draw.chance(0.5) else "NEG"
    persona = Persona(theme.category, entity.name, draw.pick(RELATIONS[sentiment]), sentiment)
    return Taste(persona, theme, entity)


def _script(taste: Taste, place: int, turns: int, deck: Sequence[Pair], draw: Draw) -> list[Pair]:
    """Choose which exchanges follow each other: the theme's own first, shared ones between and after them."""
    own = draw.shuffled(taste.theme.pairs[taste.persona.sentiment])
    closing = [draw.pick(follow_ups().closings)] if turns >= TURNS_WITH_CLOSING else []
    wanted = turns - len(closing)
    shared_count = max(0, wanted - len(own))
    start = place * 5 % len(deck)
    shared = [*deck[start:], *deck[:start]][:shared_count]
    middle = draw.shuffled([*own[1:wanted], *shared])
    return [own[0], *middle, *closing]


def _words(pair: Pair, lead: str, slots: dict[str, str], draw: Draw) -> str:
    """Return the user's words: the lead or else, where nothing in the question is the user's own, an aside."""
    template = draw.pick(pair.user)
    question = fill(template, slots)
    if lead:
        return f"{lead} {question}"
    if "<person>" in template:
        return question
    aside = fill(draw.pick(follow_ups().asides), slots)
    return f"{question} {aside}" if draw.chance(0.5) else f"{aside} {question}"


def _lead(
    index: int, signs: int, sentiment: Sentiment, people: Sequence[Person], slots: dict[str, str], draw: Draw
) -> str:
    """Return the sentences in front of a question that let the taste show, or nothing in later turns."""
    lines = follow_ups()
    if index >= signs:
        return ""
    if index > 0:
        return fill(draw.pick(lines.again), slots)
    other = people[1] if people[0].name == slots["name"] else people[0]
    reaction_slots = slots | {"person": other.phrase, "owner": other.owner, "name": other.name}
    return f"{fill(draw.pick(lines.openings), slots)} {fill(draw.pick(lines.reactions[sentiment]), reaction_slots)}"


def _reply(text: str, draw: Draw) -> str:
    tail = draw.pick(_REPLY_TAILS)
    return text if len(text.split()) >= SHORTEST_REPLY else f"{text} {tail}"
