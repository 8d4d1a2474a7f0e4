"""Puts one invented user together: forty dialogues in random order and the forty questions that depend on them.

Each part draws from a stream of its own, named after the seed, the user and the part. A user is therefore the same in
a set of three and in a set of five thousand, and keeps tastes, facts and appointments when dialogues grow longer.
"""

from collections.abc import Iterator

from evaluator.hicupid.demo_data import personas, profiles, schedules
from evaluator.hicupid.demo_data.draw import Draw
from evaluator.hicupid.demo_data.personas import Taste
from evaluator.hicupid.demo_data.profiles import Life
from evaluator.hicupid.demo_data.records import (
    DIALOGUES_PER_USER,
    MAX_PERSONA_TURNS,
    PERSONAS_PER_USER,
    PROFILE_DIALOGUES_PER_USER,
    SCHEDULES_PER_USER,
    DemoQuestion,
    DemoTurn,
    DemoUser,
    Exchange,
    Kind,
)
from evaluator.hicupid.demo_data.schedules import Entry
from evaluator.hicupid.demo_data.wording import World

_HELD_OUT: dict[Kind, int] = {"persona": 5, "profile": 1, "schedule": 2}
_DIALOGUES: dict[Kind, int] = {
    "persona": PERSONAS_PER_USER,
    "profile": PROFILE_DIALOGUES_PER_USER,
    "schedule": SCHEDULES_PER_USER,
}


def generate_user(seed: int, user_id: int, persona_turns: int) -> DemoUser:
    """Generate one user; the result depends on the three arguments and on nothing else.

    Args:
        seed: any integer.
        user_id: 0 or more.
        persona_turns: turns of each of the 25 persona dialogues, 1 to `MAX_PERSONA_TURNS`.

    Returns:
        The user with 25 * persona_turns + 15 turns and 40 questions.

    Raises:
        ValueError: if `user_id` or `persona_turns` is out of range.

    Example:
        >>> generate_user(42, 7, 1).turns[0].dialogue_id
        280
    """
    if user_id < 0:
        raise ValueError(f"user_id must be 0 or more, not {user_id}")
    if not 1 <= persona_turns <= MAX_PERSONA_TURNS:
        raise ValueError(f"persona_turns must be between 1 and {MAX_PERSONA_TURNS}, not {persona_turns}")
    return _Builder(f"{seed}:{user_id}", user_id, persona_turns).build()


class _Builder:
    """Holds what the parts of one user share while that user is put together."""

    def __init__(self, key: str, user_id: int, persona_turns: int) -> None:
        self.stream = Draw(key)
        self.user_id = user_id
        self.persona_turns = persona_turns
        self.world = World.drawn(self.stream.branch("world"))
        self.tastes = personas.draw_tastes(self.stream.branch("tastes"))
        self.life = profiles.draw_life(self.stream.branch("life"))
        self.entries = schedules.draw_entries(self.world, self.stream.branch("calendar"))
        self.places = self._draw_places()

    def _draw_places(self) -> dict[Kind, list[int]]:
        kinds = [kind for kind, count in _DIALOGUES.items() for _ in range(count)]
        order = self.stream.branch("order").shuffled(kinds)
        return {kind: [place for place, found in enumerate(order) if found == kind] for kind in _DIALOGUES}

    def build(self) -> DemoUser:
        return DemoUser(self.user_id, tuple(self._turns()), tuple(self._questions()))

    def _dialogue_id(self, kind: Kind, rank: int) -> int:
        return self.user_id * DIALOGUES_PER_USER + self.places[kind][rank]

    def _turns(self) -> Iterator[DemoTurn]:
        dialogues: dict[int, tuple[Kind, list[Exchange]]] = {}
        decks = personas.draw_decks(self.stream.branch("decks"))
        for rank, taste in enumerate(self.tastes):
            draw = self.stream.branch(f"persona:{taste.persona.category}")
            talk = personas.converse(taste, rank, self.world, self.persona_turns, decks, draw)
            dialogues[self._dialogue_id("persona", rank)] = ("persona", talk)
        for rank, exchange in enumerate(profiles.converse(self.life, self.world, self.stream.branch("profile"))):
            dialogues[self._dialogue_id("profile", rank)] = ("profile", [exchange])
        for rank, entry in enumerate(self.entries):
            dialogues[self._dialogue_id("schedule", rank)] = ("schedule", [entry.exchange])
        for dialogue_id, (kind, exchanges) in sorted(dialogues.items()):
            for said in exchanges:
                yield DemoTurn(self.user_id, dialogue_id, said.user, said.assistant, kind)

    def _questions(self) -> Iterator[DemoQuestion]:
        asked = [*self._persona_questions(), *self._profile_questions(), *self._schedule_questions()]
        numbers = self.stream.branch("question order").shuffled(range(len(asked)))
        for number, index in enumerate(numbers):
            yield self._numbered(asked[index], number)

    def _numbered(self, question: DemoQuestion, number: int) -> DemoQuestion:
        fields = vars(question) | {"question_id": self.user_id * DIALOGUES_PER_USER + number}
        return DemoQuestion(**fields)

    def _persona_questions(self) -> Iterator[DemoQuestion]:
        for rank, taste in enumerate(self.tastes):
            texts = personas.ask(taste, self.world, self.stream.branch(f"ask:{taste.persona.category}"))
            yield self._question("persona", rank, [self._dialogue_id("persona", rank)], texts, taste=taste)

    def _profile_questions(self) -> Iterator[DemoQuestion]:
        draw = self.stream.branch("ask:profile")
        ranks = draw.shuffled(range(PERSONAS_PER_USER))[:PROFILE_DIALOGUES_PER_USER]
        asked = profiles.ask(self.life, [self.tastes[rank] for rank in ranks], self.world, draw)
        facts = [self._dialogue_id("profile", rank) for rank in range(PROFILE_DIALOGUES_PER_USER)]
        for number, (rank, texts) in enumerate(zip(ranks, asked, strict=True)):
            evidence = sorted([*facts, self._dialogue_id("persona", rank)])
            yield self._question("profile", number, evidence, texts, taste=self.tastes[rank], life=self.life)

    def _schedule_questions(self) -> Iterator[DemoQuestion]:
        for rank, entry in enumerate(self.entries):
            texts = (entry.question, entry.gold, entry.general)
            yield self._question("schedule", rank, [self._dialogue_id("schedule", rank)], texts, entry=entry)

    def _question(
        self,
        kind: Kind,
        rank: int,
        evidence: list[int],
        texts: tuple[str, str, str],
        *,
        taste: Taste | None = None,
        life: Life | None = None,
        entry: Entry | None = None,
    ) -> DemoQuestion:
        question, gold, general = texts
        return DemoQuestion(
            user_id=self.user_id,
            dialogue_id=tuple(evidence),
            question_id=-1,  # known only once all forty have been shuffled
            question=question,
            personalized_answer=gold,
            general_answer=general,
            type=kind,
            persona=taste.persona if taste else None,
            profile=life.profile if life else None,
            schedule=entry.appointment if entry else None,
            held_out=rank < _HELD_OUT[kind],
        )
