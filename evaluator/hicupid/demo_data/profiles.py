"""The five facts about a user, the small scenes that give each away, and the questions that need several at once."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from evaluator.hicupid.demo_data.content import read_table
from evaluator.hicupid.demo_data.draw import Draw
from evaluator.hicupid.demo_data.personas import Taste
from evaluator.hicupid.demo_data.records import Exchange, Profile
from evaluator.hicupid.demo_data.wording import World, fill

DATA_YEAR = 2025
_GENDERS = (("female", 0.47), ("male", 0.94), ("non-binary", 1.0))  # cumulative shares


@dataclass(frozen=True)
class Life:
    """A profile together with the phrases and figures its scenes and answers are made of."""

    profile: Profile
    slots: dict[str, str]  # figures that let age and income be worked out
    scenes: tuple[tuple[tuple[str, ...], tuple[dict[str, str], ...]], ...]  # per fact: scenes, and asks with replies
    advice: dict[str, str]  # budget, week, mode and decade as imperative phrases


def draw_life(draw: Draw) -> Life:
    """Draw the five facts of one user so that they fit each other."""
    table = _table()
    job = draw.pick(table["occupation"])
    first, last = job["ages"]
    age = first + draw.below(last - first + 1)
    income = table["income"][draw.pick(job["bands"])]
    trait = draw.pick(table["personality"])
    roll = draw.below(100) / 100
    gender = next(name for name, share in _GENDERS if roll < share)
    return Life(
        profile=Profile(str(age), gender, trait["name"], job["name"], income["range"]),
        slots=_figures(age, draw.pick(income["yearly"])),
        scenes=_scenes(table, gender, trait, job),
        advice={
            "budget": income["budget"],
            "week": job["week"],
            "mode": trait["mode"],
            "decade": f"mix with people in their {table['age']['decades'][age // 10 * 10]}",
        },
    )


def converse(life: Life, world: World, draw: Draw) -> list[Exchange]:
    """Return five one-turn dialogues, one for each fact, in the order of the profile's fields."""
    exchanges = []
    for scenes, asks in life.scenes:
        slots = world.slots(draw) | life.slots
        chosen = draw.pick(asks)
        text = fill(f"{draw.pick(scenes)} {chosen['u']}", slots)
        exchanges.append(Exchange(world.voice.say(text, draw, first=True), fill(chosen["a"], slots)))
    return exchanges


def ask(life: Life, tastes: list[Taste], world: World, draw: Draw) -> list[tuple[str, str, str]]:
    """Return one question with gold and generic answer for each of `tastes`, no two from the same template."""
    asked = []
    for chosen, taste in zip(draw.shuffled(_table()["questions"]), tastes, strict=False):
        slots = world.slots(draw) | taste.slots
        facts = [life.advice[name] for name in chosen["facts"]]
        ending = f"{', '.join(facts[:-1])} and {facts[-1]}"
        head = "Choose <tip>" if taste.persona.sentiment == "POS" else "Choose <dodge> rather than <entity>"
        asked.append((fill(chosen["q"], slots), fill(f"{head}; {ending}.", slots), fill(chosen["general"], slots)))
    return asked


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = read_table("profile_scenes.yaml")
    return table


def _figures(age: int, yearly: int) -> dict[str, str]:
    return {
        "since_school": str(age - 18),
        "birth_year": str(DATA_YEAR - age),
        "next_age": str(age + 1),
        "tenth_year": str(DATA_YEAR - age + 10),
        "first_vote": str(DATA_YEAR - age + 18),
        "yearly": f"${yearly:,}",
        "monthly": f"${yearly // 12:,}",
    }


def _scenes(
    table: dict[str, Any], gender: str, trait: dict[str, Any], job: dict[str, Any]
) -> tuple[tuple[tuple[str, ...], tuple[dict[str, str], ...]], ...]:
    return (
        (tuple(table["age"]["scenes"]), tuple(table["age"]["asks"])),
        (tuple(table["gender"][gender]), tuple(table["gender"]["asks"])),
        (tuple(trait["scenes"]), tuple(table["personality_talk"]["asks"])),
        (tuple(job["scenes"]), tuple(table["occupation_talk"]["asks"])),
        (tuple(table["income_talk"]["scenes"]), tuple(table["income_talk"]["asks"])),
    )
