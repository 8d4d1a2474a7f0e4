"""The rows of the public data sets. What each column means, in which unit and range, is its docstring.

The data-set cards are written from these docstrings, so a field without one cannot be published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from evaluator.errors import Cause
from evaluator.hicupid.questions import QuestionType
from evaluator.human.tasks import AnyTask
from evaluator.records import Defect, Outcome, Record, SlotOrder, Upgrade, UpgradedRecord
from leaderboard.records import Moment, Relation, State, TrainingData

PersonalData = Literal["none", "synthetic", "pseudonymous", "personal"]
"""As in `Terms`."""


class OpenRecord(Record):
    """Base of all public rows: pydantic keeps the docstrings of their fields as descriptions."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class WholeCard(Record):
    """Those columns of an `OpenCard` that hold all of a scorecard."""

    id: str
    """Name of the scorecard."""
    scorecard: str
    """The scorecard as one JSON object."""


class OpenCard(OpenRecord):
    """A whole scorecard, as text: everything that the figures of the board are taken from."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    id: str
    """Name of the scorecard: its run, `@`, its judge."""
    model: str
    """Model as `owner/name`, `local/NAME` or `reference/NAME`."""
    protocol: str
    """Id of the protocol; results of different protocols are never compared."""
    judge: str
    """Id of the judge; see the config `judges`."""
    created_at: Moment
    """When it was scored, in UTC."""
    scorecard: str
    """The scorecard as one JSON object, with its own `schema_version`, scores by split and all counts."""


class OpenUserScore(OpenRecord):
    """One user of a scorecard: what ranks and differences between models are computed from."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    scorecard_id: str
    """Scorecard that the sums belong to."""
    rows_sha: str
    """SHA-256 over all rows behind the scorecard, 64 hexadecimal digits; equal to the scorecard's own."""
    model: str
    """Model as `owner/name`, `local/NAME` or `reference/NAME`."""
    protocol: str
    """Id of the protocol."""
    judge: str
    """Id of the judge."""
    split: str
    """Split of the data set that the user belongs to."""
    user_id: int
    """Number of the user in that split, from 0."""
    persona_sum: float
    """Sum of the scores of the user's persona questions that were judged in full, each in 0 to 100 percent."""
    persona_items: int
    """Persona questions in that sum, at least 0."""
    profile_sum: float
    """Sum of the scores of the user's profile questions that were judged in full, each in 0 to 100 percent."""
    profile_items: int
    """Profile questions in that sum, at least 0."""
    schedule_sum: float
    """Sum of the scores of the user's schedule questions that were judged, each 0 or 100 percent."""
    schedule_items: int
    """Schedule questions in that sum, at least 0."""


def _without_slices(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns a row of version 2 as one of version 3: what its question is about was not told."""
    return {**fields, "persona_category": None, "sentiment": None, "evidence_position": ()}


class OpenGeneration(OpenRecord, UpgradedRecord):
    """One answer of a model to one question, or the reason why there is none. The question's text is never part."""

    upgrades: ClassVar[Mapping[int, Upgrade]] = {1: lambda fields: fields, 2: _without_slices}
    schema_version: Literal[3] = 3
    """Version of this row's layout; those of versions 1 and 2 tell nothing of what a question is about."""
    run_id: str
    """Run that asked: the submission's id, `.`, the protocol."""
    submission_id: str
    """Submission that the run belongs to."""
    model: str
    """Model as `owner/name`, `local/NAME` or `reference/NAME`."""
    model_sha: str
    """Commit of the model's repository, or digest of its folder; hexadecimal."""
    adapter: str | None
    """LoRA adapter on top of the model; null without one."""
    adapter_sha: str | None
    """Commit of the adapter; null without one."""
    protocol: str
    """Id of the protocol."""
    data_sha: str
    """Commit or digest of the data set that the question stands in; of a human-grounded task, of all of it that models
    are shown."""
    question_id: str
    """Name of the question in that data set, its split first; of a human-grounded task, the names of what it is
    about, such as `p-1/a-2`; where it ends in a user's name, the answer is written for that user."""
    split: str
    """Split of the data set that the user belongs to; of a human-grounded task, the task."""
    user_id: int
    """Number of the user in that split, from 0, whom the question is about; of a human-grounded task, of the questions
    that begin alike."""
    type: QuestionType | AnyTask
    """Kind of the question, or the human-grounded task."""
    orders: tuple[SlotOrder, ...]
    """Slot orders in which its answer is judged; `single` where there is nothing to compare; empty where people's
    labels are the truth."""
    has_evidence: bool
    """Whether the question has dialogues that it needs."""
    persona_category: str | None
    """What the taste behind a persona or profile question is for, a label such as `food`; null where there is none, at
    human-grounded tasks, and in rows that were written before it was told. Of a source that may not be passed on it is
    told where nobody real stands behind it, and it is no longer than a label, 64 characters."""
    sentiment: Literal["POS", "NEG"] | None
    """Whether that taste is a like, `POS`, or a dislike, `NEG`; null likewise."""
    evidence_position: tuple[float, ...]
    """For each dialogue that the question needs, the share of the user's dialogues that come after it: 0 is the newest,
    near 1 the oldest; empty where none is needed, at human-grounded tasks, and in rows that were written before it was
    told."""
    counts: bool
    """Whether the result counts this row: of several on one question one does, by rules that favour no outcome."""
    sample_index: int
    """Which answer of several to the same question, from 0; at a human-grounded task one that cannot be read is
    followed by a drawn one."""
    answer_status: Literal["shown", "withheld", "none"]
    """`shown`: the answer stands in this row. `withheld`: there is one, but its owner did not consent, it may quote a
    source that may not be passed on, it holds what looks like a secret, or it was taken down. `none`: the model gave
    none, see `failure`. An answer that is one of the words which were asked for quotes nothing."""
    answer: str | None
    """The answer; null unless `answer_status` is `shown`."""
    content_hash: str | None
    """SHA-256 of the answer, 64 hexadecimal digits; null where there is none. Verdicts name the answer by it."""
    thought: str | None
    """What a thinking model wrote before its answer, never judged; null where it is withheld as the answer is, or
    `thought_tokens` is 0."""
    defect: Defect | None
    """Why the answer loses, or of the task `uplift` is left out, without being judged; null for a sound one, and where
    no judge reads it as it is."""
    failure: Cause | None
    """Why there is no answer, such as `context_overflow`; null where there is one."""
    bleu: float | None
    """Sentence BLEU of the answer against the reference answer, 0 to 100; null without an answer."""
    rouge_l: float | None
    """ROUGE-L F1 of the answer against the reference answer, 0 to 100; null without an answer."""
    evidence_recall: float | None
    """Share of the needed dialogues of which at least a part stood in the context, 0 to 1; null where none is needed,
    or without an answer."""
    input_key: str
    """SHA-256 that names what was asked under which conditions, 64 hexadecimal digits."""
    conditions: str
    """SHA-256 of what the protocol decides of a prompt and its answer."""
    prompt_pack: str
    """Wording of the prompts."""
    prompt_hash: str
    """SHA-256 of the prompt's token ids."""
    chat_template_hash: str
    """SHA-256 of the chat template."""
    chat_template_arguments: tuple[tuple[str, str], ...]
    """Names and values that the chat template was told, sorted."""
    context: tuple[tuple[str, str], ...]
    """Names and values that decided the context besides the protocol, sorted."""
    engine: str
    """What ran the model, such as `vllm`."""
    engine_version: str
    """Version of the engine."""
    engine_flags: tuple[tuple[str, str], ...]
    """Names and values of the engine's settings, sorted."""
    dtype: str
    """Type of the weights in memory, such as `bfloat16`."""
    hardware: str
    """Machine that the engine ran on."""
    prompt_tokens: int
    """Tokens of the prompt, at least 0."""
    cached_tokens: int | None
    """Tokens of the prompt that came from the engine's cache, at least 0; null where it does not tell."""
    shared_tokens: int | None
    """Longest beginning, in tokens, that the prompt shares with an earlier one of the same user; null if unknown."""
    output_tokens: int
    """Tokens of the answer without the thought, at least 0."""
    thought_tokens: int
    """Tokens of the thought, at least 0."""
    finish_reason: str
    """`stop`, `length`, or `error` where there is no answer."""
    attempt: int
    """Which attempt gave this, from 1."""
    seconds: float
    """Seconds from handing the prompt over to the last token; prompts of one wave overlap."""
    season: str
    """Season of the leaderboard."""
    licence: str | None
    """Licence of the data set that was asked from; null where its authors state none."""
    personal_data: PersonalData
    """Whether real people stand behind the text that was asked from."""


class OpenVerdict(OpenRecord):
    """One rater's word on one answer in one slot order, on a pair of answers, or on one attribute."""

    schema_version: Literal[1, 2, 3] = 1
    """Version of this row's layout: 3 of what a rule found, 2 of a judge's verdict whose outcome only human-grounded
    tasks know, else 1."""
    run_id: str
    """Run whose answer was judged."""
    submission_id: str
    """Submission that the run belongs to."""
    model: str
    """Model of that run, as `owner/name`, `local/NAME` or `reference/NAME`."""
    protocol: str
    """Id of the protocol; those that begin with `human-` are of human-grounded tasks."""
    data_sha: str
    """Commit or digest of the data set that the question stands in; of a human-grounded task, of all of it that models
    are shown."""
    question_id: str
    """Name of the question in that data set, its split first. Of a human-grounded task, what was judged: a pair of
    answers (`p-1/user-2`), an attribute in them (`p-1/user-2/a-3`), a user of whom attributes were extracted
    (`user-2`), an entry of a list (`c-1/0`), or after `given/` what the data set itself holds and people have labelled,
    which says nothing of the model."""
    content_hash: str
    """SHA-256 of the judged answer, 64 hexadecimal digits. Of a pair, that of the JSON list of both hashes, the generic
    answer's first; of an attribute that a verifier read, that of the JSON list of its text and the list of
    conversations that it was taken from. JSON is canonical: without spaces, non-ASCII signs as they are."""
    rater: str
    """Id of the judge, the pseudonym of a person, or the name of a rule: `mentions`, or of an encoder."""
    rater_kind: Literal["model", "human", "rule"]
    """Who judged; a `rule` reads no sense into texts, and its rows stand beside those of the judge."""
    rater_revision: str
    """Commit or digest of the judge or encoder; of a person, the version of the instructions; of a rule, its state."""
    slot_order: SlotOrder
    """Which answer the rater saw first, `answer_first` the model's, or of two of the model's the personalised one;
    `single` where there was nothing to compare."""
    counts: bool
    """Whether the result counts this row: of several on one answer in one order one does, by rules that favour no
    outcome; none of one on an answer that does not count. An encoder's row on an attribute that people accepted does
    if the attribute could be found: a list of a conversation that it stands in could be read."""
    outcome: Outcome | None
    """What the verdict says of the model's answer; null is a missing verdict, never a tie or a loss. Of what a rule
    found: whether an attribute is `mentioned` openly, or whether an attribute of a list, or one that people accepted,
    is `merged` into another one, else `matched` on the other side or `unmatched`."""
    word: str | None
    """The verdict word itself; null where none could be read."""
    failure: Cause | None
    """Why the rater said nothing; null where it did."""
    word_probabilities: tuple[tuple[str, float], ...]
    """Probability of each verdict word at its place, 0 to 1; empty where the engine does not tell."""
    completion: str | None
    """The judge's own words, which quote what was judged; null unless the source may be passed on and the answer is
    shown. A rule's are names and numbers that it went by, which quote nothing; null only where they were taken down."""
    verdict_key: str
    """SHA-256 that names what was judged by whom under which conditions, 64 hexadecimal digits."""
    judge_prompt_pack: str
    """Wording of the judge's prompt."""
    decoding: str
    """Digest of the judge's sampling and forced pattern; of an encoder's row, of all that it compared of the user:
    equal for all rows of that user."""
    prompt_hash: str
    """SHA-256 of the prompt's token ids."""
    chat_template_hash: str
    """SHA-256 of the judge's chat template."""
    chat_template_arguments: tuple[tuple[str, str], ...]
    """Names and values that the judge's chat template was told, sorted."""
    engine: str
    """What ran the judge, such as `vllm`."""
    engine_version: str
    """Version of the engine."""
    dtype: str
    """Type of the judge's weights in memory."""
    prompt_tokens: int
    """Tokens of the prompt, at least 0."""
    cached_tokens: int | None
    """Tokens of the prompt that came from the engine's cache, at least 0; null where it does not tell."""
    output_tokens: int
    """Tokens of the judge's words, at least 0."""
    attempt: int
    """Which attempt gave this, from 1."""
    seconds: float
    """Seconds from handing the prompt over to the last token."""
    season: str
    """Season of the leaderboard."""
    licence: str | None
    """Licence of the data set that was asked from; null where its authors state none."""
    personal_data: PersonalData
    """Whether real people stand behind the text that was judged."""


class OpenRequest(OpenRecord):
    """One submission: what was handed in, and where it is."""

    schema_version: Literal[1] = 1
    """Version of this file's layout."""
    id: str
    """Name of the submission."""
    model: str
    """Model as `owner/name`, `local/NAME` or `reference/NAME`."""
    revision: str
    """Commit of the model's repository, or digest of its folder; hexadecimal."""
    adapter: str | None
    """LoRA adapter on top of the model; null without one."""
    adapter_revision: str | None
    """Commit of the adapter; null without one."""
    submitter: str
    """Who handed it in, by the name on the Hub."""
    by_maintainer: bool
    """Whether a maintainer handed it in."""
    relation: Relation
    """How the submitter stands to the model's owner, as declared by now."""
    base_model: str | None
    """Model that it was made from, as declared by now; null if none was named."""
    training_data: TrainingData
    """What of the benchmark it was trained on, as declared by now."""
    thinking: bool
    """Whether it thinks aloud before it answers, as declared by now."""
    publish_answers: bool
    """Whether its answers may be shown, as declared by now."""
    protocols: tuple[str, ...]
    """Protocols that it runs under, one run for each."""
    state: State
    """Where it is: the state of the run that is furthest behind, and once all have ended the worst."""
    created_at: Moment
    """When it was handed in, in UTC."""
    ended_at: Moment | None
    """When the last of its runs ended, in UTC; null while one is under way."""
    withdrawn_at: Moment | None
    """When it was withdrawn, in UTC: its results are no longer shown; null if it was not."""
    cause: Cause | None
    """Why a run failed or was stopped; null unless that is its state."""
    message: str | None
    """The same in a sentence; null unless that is its state."""
    remedy: str | None
    """What the submitter can do about it; null unless that is its state."""
    parameters: int | None
    """Parameters of the model, counted in its files; null where they do not tell."""
    model_licence: str | None
    """Licence that the model's card names; null where it names none."""
    history: str
    """The submission with all that has happened to it as one JSON object, with its own `schema_version`; without the
    lines of any log."""


class OpenWithdrawal(OpenRecord):
    """A submission that was withdrawn: whatever is left of it elsewhere no longer counts."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    submission_id: str
    """The submission."""
    at: Moment
    """When it was withdrawn, in UTC."""
