"""An encoder's vectors are what its definition says, whatever stands beside a text, and its process leaves nothing."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from evaluator.context_mode import Dense
from evaluator.encoders.base import EncoderSpec
from evaluator.encoders.process import EncoderProcess, load_encoder
from evaluator.encoders.transformers import TransformersEncoder
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.contexts import dialogue_messages, make_contexts
from evaluator.hicupid.questions import Dialogue, History, Turn
from evaluator.models import pin_encoder
from tests.builders import PERSONA, make_question
from tests.scripted import ScriptedEngine
from tests.tiny_encoder import WINDOW, make_tiny_encoder
from tests.waiting import until

NAME = "local/tiny-encoder"
ROOM = WINDOW - 2
TEXTS = ["ramen", "my dog is old", "a b c d e f g h i j k l m n", "3 pm", "x" * ROOM]
LONG = "one two three four five six seven eight nine ten"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_tiny_encoder(folder / "tiny-encoder")
    return folder


@pytest.fixture(scope="session")
def encoder(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncoderProcess]:
    log = tmp_path_factory.mktemp("logs") / "encoder.log"
    with load_encoder(pin_encoder(NAME, None, models), models, log) as encoder:
        yield encoder


@pytest.fixture(scope="session")
def directly(models: Path) -> Callable[[list[int]], np.ndarray]:
    """Computes the vector of one window of token ids, without padding or process."""
    import torch
    from transformers import BertModel

    model = BertModel.from_pretrained(models / "tiny-encoder").eval()

    def vector(ids: list[int]) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()

    return vector


@pytest.fixture(scope="session")
def ids_of(models: Path) -> Callable[[str], list[int]]:
    """Spells a text, without special tokens."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models / "tiny-encoder")
    return lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]


def broken(models: Path, folder: Path, **changes: object) -> Path:
    """Copies the encoder with other settings."""
    shutil.copytree(models / "tiny-encoder", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


def spec_of(folder: Path) -> EncoderSpec:
    return EncoderSpec(model=f"local/{folder.name}", sha="0", path=str(folder))


def refusal(load: Callable[[], object]) -> RapportError:
    """The error that loading ends with."""
    with pytest.raises(RapportError) as caught:
        load()
    assert caught.value.remedy
    return caught.value


def test_a_vector_is_the_mean_of_the_last_hidden_states_with_the_special_tokens(encoder, directly, ids_of) -> None:
    for text, vectors in zip(TEXTS, encoder.encode(TEXTS), strict=True):
        assert vectors.shape == (1, 32)
        assert vectors[0] == pytest.approx(directly([2, *ids_of(text), 3]), abs=1e-5)


def test_texts_of_other_lengths_beside_it_change_no_vector_beyond_a_rounding(encoder) -> None:
    together = encoder.encode(TEXTS)
    alone = [encoder.encode([text])[0] for text in TEXTS]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_equal_calls_give_equal_vectors_in_another_process_too(encoder, models) -> None:
    here = TransformersEncoder(spec_of(models / "tiny-encoder")).encode(TEXTS)
    assert [each.tobytes() for each in encoder.encode(TEXTS)] == [each.tobytes() for each in here]


@pytest.mark.parametrize("letters", [ROOM, ROOM + 1, 2 * ROOM, 2 * ROOM + 1, 77])
def test_a_long_text_is_encoded_whole_in_as_few_windows_as_possible_of_equal_length(
    encoder, directly, ids_of, letters
) -> None:
    text = " ".join(("abcdefghij" * 10)[:letters])
    ids = ids_of(text)
    assert len(ids) == letters
    several = math.ceil(letters / ROOM)
    length = math.ceil(letters / several)

    (vectors,) = encoder.encode([text])

    assert len(vectors) == several
    for number, vector in enumerate(vectors):
        window = [2, *ids[number * length : (number + 1) * length], 3]
        assert vector == pytest.approx(directly(window), abs=1e-5)


def test_a_text_without_any_token_has_a_vector_too(encoder, directly) -> None:
    (vectors,) = encoder.encode(["\n"])
    assert vectors[0] == pytest.approx(directly([2, 3]), abs=1e-5)
    assert encoder.encode([]) == []


@pytest.mark.parametrize(("unit", "k"), [("utterance", 3), ("dialogue", 1)])
def test_the_dense_mode_shows_the_parts_with_the_highest_dot_product(encoder, directly, ids_of, unit, k) -> None:
    said = [["I love ramen", "and soup", LONG], ["my dog is old"], ["dentist at 3 pm", "in march", "and soup"]]
    dialogues = tuple(
        Dialogue(dialogue_id=number, type=PERSONA, turns=tuple(Turn(user=text, assistant="ok") for text in texts))
        for number, texts in enumerate(said)
    )
    parts = dialogues
    if unit == "utterance":
        split = [(dialogue, turn) for dialogue in dialogues for turn in dialogue.turns]
        parts = tuple(dialogue.model_copy(update={"turns": (turn,)}) for dialogue, turn in split)
    asked = make_question(question="soup?", evidence=(0, 1))

    def windows(part: Dialogue) -> list[np.ndarray]:
        ids = ids_of("\n".join(line for turn in part.turns for line in (turn.user, turn.assistant)))
        length = math.ceil(len(ids) / math.ceil(len(ids) / ROOM))
        return [directly([2, *ids[start : start + length], 3]) for start in range(0, len(ids), length)]

    query = directly([2, *ids_of(asked.question), 3])
    scores = [max(float(window @ query) for window in windows(part)) for part in parts]
    nearest = sorted(range(len(parts)), key=lambda place: (round(scores[place], 4), place))[-k:]
    expected = [parts[place] for place in sorted(nearest)]

    mode = Dense(mode="dense", encoder=NAME, unit=unit, k=k)
    contexts = make_contexts(mode, ScriptedEngine(lambda _: None), encoder)
    (shown,) = contexts.of(History(user_id=1, dialogues=dialogues), [asked])

    assert shown.messages == dialogue_messages(expected)
    assert shown.evidence_recall == len({0, 1} & {part.dialogue_id for part in expected}) / 2


def test_an_encoder_says_what_it_is(encoder, models) -> None:
    import transformers

    assert encoder.info.encoder == f"{NAME}@{pin_encoder(NAME, None, models).sha}"
    assert encoder.info.library == f"transformers {transformers.__version__}"
    assert (encoder.info.dimensions, encoder.info.window_tokens) == (32, WINDOW)
    encoder.encode(["a"])
    assert encoder.peak_rss_mb() > 100


def test_pickled_weights_are_neither_pinned_nor_loaded(models, tmp_path) -> None:
    import torch

    folder = broken(models, tmp_path / "pickled")
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()

    refused = refusal(lambda: pin_encoder("local/pickled", None, tmp_path))
    assert refused.cause is Cause.UNSAFE_FORMAT
    assert "refs/pr/N" in refused.remedy
    with pytest.raises(OSError, match="safetensors"):
        TransformersEncoder(spec_of(folder))


def test_an_encoder_with_code_of_its_own_is_refused(models, tmp_path) -> None:
    broken(models, tmp_path / "coded", auto_map={"AutoModel": "modeling.Encoder"})
    refused = refusal(lambda: pin_encoder("local/coded", None, tmp_path))
    assert refused.cause is Cause.UNSAFE_FORMAT
    assert "code of its own" in refused.message


def test_an_encoder_whose_weights_would_be_made_up_is_refused(models, tmp_path) -> None:
    folder = broken(models, tmp_path / "deeper", num_hidden_layers=3)
    refused = refusal(lambda: TransformersEncoder(spec_of(folder)))
    assert refused.cause is Cause.LOAD_ERROR
    assert "lacks weights, encoder.layer.2." in refused.message


def test_an_encoder_without_room_for_a_token_is_refused(models, tmp_path) -> None:
    folder = broken(models, tmp_path / "narrow")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 2}))
    refused = refusal(lambda: TransformersEncoder(spec_of(folder)))
    assert refused.cause is Cause.LOAD_ERROR
    assert "does not declare how many tokens it takes" in refused.message


def test_an_encoder_that_takes_fewer_tokens_than_it_declares_is_refused_when_it_is_loaded(models, tmp_path) -> None:
    # RoBERTa counts its positions from behind the padding, and so has fewer of them than it says.
    folder = broken(models, tmp_path / "short", model_type="roberta", architectures=["RobertaModel"])
    refused = refusal(lambda: EncoderProcess(spec_of(folder), tmp_path / "log"))
    assert refused.cause is Cause.LOAD_ERROR
    assert "out of" in refused.message


def test_an_encoder_that_changed_since_it_was_pinned_is_not_loaded(models, tmp_path) -> None:
    folder = broken(models, tmp_path / "changing")
    pinned = pin_encoder("local/changing", None, tmp_path)
    (folder / "config.json").write_text("{}")
    with pytest.raises(RapportError, match="has changed") as caught:
        load_encoder(pinned, tmp_path, tmp_path / "log")
    assert caught.value.cause is Cause.NOT_FOUND


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_encoder_is_gone_once_it_is_closed(models, tmp_path) -> None:
    encoder = EncoderProcess(spec_of(models / "tiny-encoder"), tmp_path / "log")
    assert not gone(encoder._process.pid)
    encoder.close()
    encoder.close()
    assert gone(encoder._process.pid)


def test_the_encoder_ends_when_its_owner_is_killed(models, tmp_path) -> None:
    script = textwrap.dedent(f"""
        from pathlib import Path
        from evaluator.encoders.base import EncoderSpec
        from evaluator.encoders.process import EncoderProcess
        spec = {spec_of(models / "tiny-encoder").model_dump_json()!r}
        encoder = EncoderProcess(EncoderSpec.model_validate_json(spec), Path("log"))
        print(encoder._process.pid, flush=True)
        import time; time.sleep(600)
    """)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert not gone(pid)

    owner.kill()
    owner.wait()

    until(lambda: gone(pid), what="the encoder is gone")


def test_the_encoder_sees_no_secret_and_its_death_has_a_cause(monkeypatch, models, tmp_path) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-token")
    with EncoderProcess(spec_of(models / "tiny-encoder"), tmp_path / "log") as encoder:
        seen = Path(f"/proc/{encoder._process.pid}/environ").read_bytes()
        os.killpg(encoder._process.pid, signal.SIGKILL)
        with pytest.raises(RapportError, match="The encoder was killed") as death:
            encoder.encode(["a"])
    assert b"canary" not in seen
    assert b"HF_HUB_OFFLINE=1" in seen
    assert death.value.cause is Cause.OUT_OF_MEMORY
