"""An item holds all that scores and their slices need of a question, and none of its text."""

from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.questions import Item, Question, QuestionType
from evaluator.judges.prompt import slot_orders
from evaluator.protocol import load_protocol


def demo_items() -> list[tuple[Item, Question]]:
    data, protocol = HicupidData.open(str(demo_set())), load_protocol("demo-v1")
    return [(Item.of(question, slot_orders(question, protocol)), question) for question in data.questions("test_2")]


def test_a_persona_item_names_cluster_category_and_sentiment_and_a_schedule_item_none():
    items = [item for item, _ in demo_items()]

    for item in items:
        about_persona = item.type is not QuestionType.SCHEDULE
        assert (item.persona_cluster is not None) == about_persona
        assert (item.persona_category is not None) == about_persona
        assert (item.sentiment in ("POS", "NEG")) == about_persona


def test_every_item_says_where_its_evidence_stands_in_the_history():
    for item, _ in demo_items():
        assert len(item.evidence) == len(item.evidence_position) >= 1
        assert all(0 <= position < 1 for position in item.evidence_position)


def test_an_item_holds_nothing_of_the_questions_text():
    for item, question in demo_items():
        stored = item.model_dump_json()
        secrets = [question.question, question.gold, question.general_answer]
        if question.persona:
            secrets.append(f'"{question.persona.entity}"')

        assert item.question_id in stored
        assert not any(text in stored for text in secrets)
