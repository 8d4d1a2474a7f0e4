"""A chat template of a stranger can refuse, fail, or try to take the machine down: it ends in a sentence each time."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest

from evaluator.engines.base import Message, Request, Sampling
from evaluator.engines.process import EngineProcess
from evaluator.engines.templates import Limits, Template
from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.errors import Cause, RapportError
from tests.engines.conftest import spec_of
from tests.tiny_model import CHAT_TEMPLATE, make_tiny_model

HELLO = [{"role": "user", "content": "Hello"}]
SHORT = Limits(seconds=0.3)
NEST = "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = a * b %}{% endfor %}{% endfor %}"
TOO_MUCH = {
    "a nest of loops": (NEST, "computes for more than 0.3 seconds"),
    "a power that is worked out when it is read": ("{{ 7 ** (7 ** 9) }}", "computes for more than 0.3 seconds"),
    "a power that depends on what is said": ("{{ (messages|length + 6) ** (7 ** 9) }}", "computes for more than 0.3 s"),
    "a filter that wraps every letter": ("{{ ('a' * 900000)|wordwrap(1) }}", "computes for more than 0.3 seconds"),
    "a filter that makes much of little": (
        "{{ ('a' * 200000)|replace('a', 'b' * 200000) }}",
        "needs more than 512 MiB",
    ),
    "a text of ten thousand million": ("{{ 'a' * 10**10 }}", "needs more than 512 MiB"),
    "a list of the same": ("{{ ([0] * 10**10)|length }}", "needs more than 512 MiB"),
    "a text that doubles": (
        "{% set text = namespace(of='aa') %}{% for _ in range(60) %}{% set text.of = text.of ~ text.of %}{% endfor %}",
        "needs more than 512 MiB|computes",
    ),
    "padding": ("{{ ''|center(9999999999) }}", "needs more than 512 MiB"),
    "a prompt of eight million characters": ("{{ 'a' * 8000000 }}", "writes more than 4,194,304 characters"),
    "a macro that calls itself": ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "calls itself"),
    "brackets within brackets": ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "calls itself|refuses|ended|needs"),
    "nothing at all": ("", "writes nothing"),
    "nothing to be seen": ("{{ '\n \t' }}", "writes nothing"),
    "half a character": (r"{{ '\ud800' }}", "refuses the conversation: .*surrogates"),
    "a complaint": ("{{ raise_exception('Not\n today.') }}", r"refuses the conversation: Not today\."),
    "a complaint without end": ("{{ raise_exception('no ' * 10**6) }}", "refuses the conversation: no no"),
    "a division": ("{{ 1 / 0 }}", "refuses the conversation: division by zero"),
    "what is no template": ("{% for %}", "refuses the conversation: "),
    "a way out of the sandbox": (
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "refuses the conversation: .*unsafe",
    ),
    "a change of what is said": ("{{ messages.append(1) }}", "refuses the conversation: .*"),
    "a file": ("{% include '/etc/passwd' %}", "refuses the conversation: no loader"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_every_bad_template_ends_in_a_sentence_that_names_it(name: str) -> None:
    template, complaint = TOO_MUCH[name]

    with pytest.raises(RapportError, match=f"The chat template of org/model (?:{complaint})") as refusal:
        Template(template, {}, "org/model", SHORT).write(HELLO)

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert refusal.value.remedy.startswith("Mend the template")
    assert len(str(refusal.value)) < 700
    # And whoever comes next is served.
    assert Template("{{ messages[0].content }}", {}, "org/other").write(HELLO) == "Hello"


def test_a_template_that_is_honest_with_one_and_not_with_another_keeps_serving_the_first() -> None:
    template = Template("{% if messages[0].content == 'x' %}" + NEST + "{% endif %}Well", {}, "org/model", SHORT)

    for _ in range(2):
        with pytest.raises(RapportError, match="computes for more than"):
            template.write([{"role": "user", "content": "x"}])
        assert template.write(HELLO) == "Well"


def test_the_time_that_a_template_took_before_is_not_counted_again() -> None:
    template = Template(NEST.replace("99999", "300"), {}, "org/model", Limits(seconds=0.5))

    for _ in range(40):  # Each takes some hundredths of a second.
        with pytest.raises(RapportError, match="writes nothing"):
            template.write(HELLO)


def test_a_template_larger_than_any_honest_one_is_not_even_tried() -> None:
    with pytest.raises(RapportError, match="has 2,000,000 characters, more than 1,048,576"):
        Template("a" * 2_000_000, {}, "org/model")


def test_this_process_is_neither_limited_nor_blocked_by_what_limits_templates() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    Template("{{ messages[0].content }}", {}, "org/model").write(HELLO)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_the_process_of_templates_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    from evaluator.engines import templates

    monkeypatch.setenv("HF_TOKEN", "canary")
    process, _ = templates._start()
    try:
        assert b"canary" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        templates._end(process)


def test_a_prompt_is_what_transformers_itself_writes(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    template = (
        "{{ eos_token }}{{ pad_token }}{{ date_string }}{{ messages|tojson }}{{ add_generation_prompt }}{{ tools }}\n"
        "  {% for message in messages %}\n  {{ message.content|trim }}{% if loop.first %}{% continue %}{% endif %}"
        "{% generation %}{{ message.role }}{% endgeneration %}{% endfor %}"
    )
    said = [{"role": "user", "content": " Ça va? 😀 "}, *HELLO]

    expected = tokenizer.apply_chat_template(
        said, chat_template=template, tokenize=False, add_generation_prompt=True, date_string="01 Jan 2025"
    )

    assert Template(template, tokenizer.special_tokens_map, "m").write(said, date_string="01 Jan 2025") == expected


@pytest.mark.parametrize("template", ["{{ 'a' * 10**10 }}", "{{ 7 ** (7 ** 9) }}"])
def test_a_template_that_would_take_the_machine_down_is_refused_before_anything_is_asked(
    template: str, tmp_path: Path
) -> None:
    hostile = make_tiny_model(tmp_path / "hostile", chat_template=template + CHAT_TEMPLATE)

    with pytest.raises(RapportError, match=r"chat template of hostile (needs|computes)") as refusal:
        TokenizerProcess(TokenizerSpec(model_path=str(hostile)), tmp_path / "log")
    assert refusal.value.cause is Cause.LOAD_ERROR


def test_a_question_that_a_template_never_lets_go_leaves_the_engine_usable(tmp_path: Path) -> None:
    template = "{% if messages[-1]['content'] == 'endless' %}" + NEST + "{% endif %}" + CHAT_TEMPLATE
    endless = make_tiny_model(tmp_path / "endless", chat_template=template)
    with EngineProcess(spec_of(endless, "transformers"), tmp_path / "log") as engine:
        with pytest.raises(RapportError, match="chat template of endless computes for more than 5 seconds") as refusal:
            list(engine.generate([Request("q", "q", (Message("user", "endless"),))], Sampling(max_tokens=4)))
        good = list(engine.generate([Request("q", "q", (Message("user", "Hello"),))], Sampling(max_tokens=4)))

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert re.search(r"\w", refusal.value.remedy)
    assert len(good) == 1


def test_vllm_itself_never_writes_a_template_out(tmp_path: Path) -> None:
    # It tries a template as it loads, in its own process, where nothing would end it.
    template = "{% if messages[0].content != 'Hello' and messages|length == 1 %}" + NEST + "{% endif %}" + CHAT_TEMPLATE
    shy = make_tiny_model(tmp_path / "shy", context=512, chat_template=template)
    with EngineProcess(spec_of(shy), tmp_path / "log", load_seconds=400) as engine:
        good = list(engine.generate([Request("q", "q", (Message("user", "Hello"),))], Sampling(max_tokens=4)))

    assert len(good) == 1
