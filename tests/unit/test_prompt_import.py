"""The authors' file is read and never run: literals in, a sound pack out, or one sentence that names the place."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.engines.base import Message
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompt_import import LARGEST_SOURCE, pack_from_source
from evaluator.hicupid.prompts import PLACEHOLDERS, PromptPack, fill
from tests.builders import PERSONA, PROFILE, SCHEDULE
from tests.unit.authors_file import SOURCE, changed


def read(source: str) -> PromptPack:
    return pack_from_source(source.encode())


def fault(source: str | bytes) -> str:
    """Returns the one sentence that a file is refused with."""
    with pytest.raises(RapportError) as refused:
        pack_from_source(source.encode() if isinstance(source, str) else source)
    assert refused.value.cause is Cause.DATA_ERROR
    assert "\n" not in str(refused.value)
    return refused.value.message


def line_of(source: str, text: str) -> str:
    """Returns how a refusal names the line where a text begins."""
    return f"Line {source[: source.index(text)].count(chr(10)) + 1}"


def test_instructions_are_taken_as_the_file_assigns_them():
    pack = read(SOURCE)
    assert pack.inference["zero/system"] == (
        Message("system", 'Mind what you know of the user. Write {"this": "as it is"}, and {{so}} too.'),
    )
    assert pack.inference["zero/user"] == (
        Message("user", "Mind what you know of me."),
        Message("assistant", "I shall."),
    )
    assert sorted(pack.inference) == sorted(
        f"{shots}/{place}" + count
        for shots, counts in (("zero", [""]), ("few", ["/1", "/3", "/5"]))
        for place in ("system", "user")
        for count in counts
    )
    assert pack.status == "imported"


def test_braces_that_the_authors_escaped_stand_alone_after_filling():
    pack = read(SOURCE)
    values = {name: f"<{name}>" for name in PLACEHOLDERS[PERSONA] | PLACEHOLDERS[PROFILE]}
    assert 'Reply as {"better": "A"}.' in fill(pack.evaluation[PERSONA], values)[0].content
    assert fill(pack.evaluation[PROFILE], values)[0].content.endswith("B: {<answer_b>}")


@given(st.data())
def test_filling_is_what_the_authors_str_format_gives(data):
    for type_, messages in read(SOURCE).evaluation.items():
        text = st.one_of(
            st.text(), st.text("{}"), st.sampled_from(["{question}", "{{answer}}", "{", "{0}", "{a!r:>9}"])
        )
        values = {name: data.draw(text) for name in sorted(PLACEHOLDERS[type_])}
        assert [message.content for message in fill(messages, values)] == [
            message.content.format(**values) for message in messages
        ]


def test_a_lone_message_needs_no_list():
    assert read(SOURCE).evaluation[SCHEDULE] == (Message("user", "{datetime}: {event}. {question} {answer}"),)


def nested() -> str:
    """Returns the file with its styles as nested dicts, whose last keys are numbers."""
    system = '[{"role": "system", "content": "Few."}]'
    user = '({"role": "user", "content": "Few."}, {"role": "assistant", "content": "Yes."})'
    styles = textwrap.dedent(
        f"""\
        INFERENCE_PROMPTS: dict = {{
            "zero": {{"system": {system}, "user": {user}}},
            "few": {{
                "system": {{1: {system}, 3: {system}, 5: {system}}},
                "user": {{1: {user}, 3: {user}, 5: {user}}},
            }},
        }}
        """
    )
    before, rest = SOURCE.split("INFERENCE_PROMPTS", 1)
    return before + styles + "EVALUATION_PROMPTS" + rest.split("EVALUATION_PROMPTS", 1)[1]


def test_nested_styles_are_the_same_as_flat_ones():
    pack = read(nested())
    assert pack.inference["few/user/3"] == (Message("user", "Few."), Message("assistant", "Yes."))
    assert set(pack.inference) == set(read(SOURCE).inference)


def test_the_name_of_a_pack_does_not_hang_on_how_the_file_is_written():
    other = changed('"Mind what you " "know of me."', '"""\\\n  Mind what you know of me.\n""".strip()')
    assert read("# A comment.\n" + other).id == read(SOURCE).id
    assert read("\ufeff" + SOURCE.replace("\n", "\r\n")).id == read(SOURCE).id
    assert read(changed("I shall.", "I will.")).id != read(SOURCE).id


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ('f"{1}"', "an f-string"),
        ("ELSEWHERE", "a name"),
        ('"a" + "b"', "a calculation"),
        ('"%s" % 1', "a calculation"),
        ('"a".upper()', "a call"),
        ('"a".strip("a")', "a call"),
        ("ELSEWHERE.strip()", "a call"),
        ('"a".strip', "an expression"),
        ('"ab"[0]', "an expression"),
        ("[text for text in ()]", "an expression"),
        ('b"bytes"', "an expression"),
        ('{**{"role": "user"}}', "a dict with computed keys"),
        ('{ELSEWHERE: "user"}', "a dict with computed keys"),
        ("lambda: 0", "an expression"),
    ],
)
def test_code_instead_of_a_literal_is_refused_with_its_line(code, what):
    source = changed('"Three."}],\n    "few/system/5"', f'\n{code}}}],\n    "few/system/5"')
    said = fault(source)
    assert said.startswith(f"{line_of(source, code)}: INFERENCE_PROMPTS holds {what},")


def test_nothing_of_the_file_is_ever_run(tmp_path: Path):
    trace = tmp_path / "trace"
    runs = f'__import__("os").system("touch {trace}")'
    fault(changed('"Five."}],\n    "few/user/1"', f'{runs}}}],\n    "few/user/1"'))
    read(f"{runs}\n{SOURCE}\nimport nowhere_to_be_found\nraise SystemExit({runs})\n")
    assert not trace.exists()


@pytest.mark.parametrize(
    "code",
    [
        'INFERENCE_PROMPTS["zero/user"] = []',
        "INFERENCE_PROMPTS.clear()",
        "INFERENCE_PROMPTS = {}",
        "EVALUATION_PROMPTS |= {}",
        "del EVALUATION_PROMPTS",
        "other = EVALUATION_PROMPTS = {}",
        "if True:\n    EVALUATION_PROMPTS = {}",
        "def change():\n    global EVALUATION_PROMPTS\n    EVALUATION_PROMPTS = {}",
    ],
)
def test_a_file_that_may_change_its_prompts_later_is_refused(code):
    source = SOURCE + code
    last = source.count("\n") + 1
    assert re.match(rf"Line {last} uses (INFERENCE|EVALUATION)_PROMPTS beyond its one assignment", fault(source))


@pytest.mark.parametrize("name", ["INFERENCE_PROMPTS", "EVALUATION_PROMPTS"])
def test_a_file_without_one_of_the_two_names_is_refused(name):
    assert fault(SOURCE.replace(name, "PROMPTS")) == f"The file assigns nothing to {name}."
    assert f"uses {name} beyond" in fault(re.sub(rf"{name}(: \S+ \S+)? = ", f"{name}: dict\nOTHER = ", SOURCE))


def test_prompts_that_are_no_dict_are_refused():
    assert fault("INFERENCE_PROMPTS = []\nEVALUATION_PROMPTS = {}") == "INFERENCE_PROMPTS is not a dict."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"few/user/3":', '"few/user/4":', "an instruction is missing for few/user/3"),
        ('"profile":', '"extra":', "extra"),
        ('"few/user/1": [', '"few": {"user": {1: []}}, "few/user/1": [', "has the style few/user/1 twice"),
        ('"content": "Mind what you " "know of me."', '"content": 7', "zero/user"),
        ('"content": "Mind what you " "know of me."', '"content": "  "', "instruction zero/user has an empty message"),
        ('"content": "Mind what you " "know of me."', '"text": "Mind."', "instruction zero/user does not consist of"),
        ('{"role": "assistant", "content": ("I shall.")},', "", "zero/user must take turns"),
        ('{"role": "assistant", "content": ("I shall.")},', '"I shall."', "zero/user is no list of messages"),
        ('"role": "assistant", "content": ("I shall.")', '"role": "tool", "content": "I."', "role"),
        ('("I shall.")', '"I know {entity}."', "zero/user holds the placeholder {entity}"),
        (" {question}\nA: ", "\nA: ", "the persona prompt lacks {question}"),
        ("A: {answer_a}\nB", "A: {answer_a} {gold}\nB", "the persona prompt has the unknown placeholders {gold}"),
        ("{question} {answer}", "{question} {answer} {", "the schedule prompt is no template of str.format"),
        ("{question} {answer}", "{question!r} {answer}", "the schedule prompt has more than a name"),
        ('{"role": "user", "content": "{datetime}:', '{"role": "system", "content": "{datetime}:', "schedule prompt"),
        ('("I shall.")', '"\\ud800"', "surrogate"),
    ],
)
def test_prompts_that_are_not_sound_are_refused_by_name(old, new, said):
    assert said in fault(changed(old, new))


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed():
    assert f"larger than {LARGEST_SOURCE:,} bytes" in fault(b" " * (LARGEST_SOURCE + 1))
    assert read(SOURCE + "#" * (LARGEST_SOURCE - len(SOURCE))).id == read(SOURCE).id


@pytest.mark.parametrize(
    "value",
    [
        "[" * 100_000,
        "[" * 50 + "]" * 50,
        "-" * 300_000 + "1",
        "1" + "+1" * 400_000,
        "a" + ".b" * 300_000,
        "a" + "()" * 300_000,
        "1" * 900_000,
        "{" * 900_000,
        "'" + "a" * 900_000,
        "(" * 5_000 + ")" * 5_000,
        "lambda:" * 100_000 + "0",
    ],
)
def test_a_file_that_is_nested_too_deeply_or_out_of_all_proportion_is_refused(value):
    assert fault(f"INFERENCE_PROMPTS = {value}\nEVALUATION_PROMPTS = {{}}\n")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"\xff\xfe", "The file is not UTF-8 text."),
        (b"# -*- coding: latin-1 -*-\nX = '\xe9'\n", "The file is not UTF-8 text."),
        (b"X = 1\nY = (", "The file is not Python: "),
        (b"X = '\0'", "The file is not Python: "),
        (b"", "The file assigns nothing to INFERENCE_PROMPTS."),
    ],
)
def test_what_is_no_python_text_is_refused(source, said):
    assert fault(source).startswith(said)


@given(st.binary(max_size=200))
def test_no_file_ends_in_anything_but_a_refusal(noise):
    fault(noise)
    fault(f"INFERENCE_PROMPTS = {noise!r}\n")
