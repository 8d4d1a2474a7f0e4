"""All settings, read once from the environment; every one has a default that works on one machine.

Each setting is an environment variable with the prefix `RAPPORT_`, such as `RAPPORT_REDIS_URL`; an empty one counts as
not set.
"""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from evaluator.engines.base import ADDRESS, VARIABLE, Flavour
from evaluator.records import Record
from evaluator.redaction import holders_of
from leaderboard.records import Lane


def _is_kept_out_of_logs(variable: str) -> str:
    """Refuses a variable whose name would not tell that a secret is in it."""
    if not holders_of({variable: ""}):
        raise ValueError("its name must end in KEY, TOKEN or SECRET: by that its value is kept out of logs")
    return variable


class JudgeServer(Record, hide_input_in_errors=True):
    """A server that runs one judge.

    Example:
        >>> JudgeServer(judge="mine", url="http://judge.internal:8000/v1", key_variable="MY_JUDGE_KEY").flavour
        'vllm'
    """

    judge: str = Field(min_length=1)
    """Id of the judge."""
    url: str = Field(pattern=ADDRESS)
    """With `/v1`."""
    name: str | None = Field(default=None, min_length=1)
    """The judge's name there; None is its model's."""
    key_variable: Annotated[str, Field(pattern=VARIABLE), AfterValidator(_is_kept_out_of_logs)] | None = None
    """Environment variable that holds the server's key."""
    flavour: Flavour = "vllm"
    context: int | None = Field(default=None, gt=0)
    """Tokens of prompt and answer there, for a server that does not tell."""


def _one_server_each(servers: tuple[JudgeServer, ...]) -> tuple[JudgeServer, ...]:
    """Refuses two servers for one judge: nobody could tell which one is meant."""
    if len({server.judge for server in servers}) < len(servers):
        raise ValueError("a judge stands there twice")
    return servers


class Settings(BaseSettings):
    """What a process of Rapport needs to know about its surroundings.

    Example:
        >>> Settings(redis_url="redis://localhost:6379/0").on_space
        False
    """

    model_config = SettingsConfigDict(
        env_prefix="RAPPORT_", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    redis_url: str = Field(default="", description="Where the ledger and the queue live; empty starts a private one.")
    data: Path = Field(default=Path("data"), description="Folder of the local store, logs and the private Redis.")
    store: str = Field(
        default="",
        pattern=r"^(hub://[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)?$",
        description="Where results are kept: empty is folders in `data`, `hub://owner/name` three Hub data sets.",
    )
    models: Path = Field(default=Path("data/models"), description="The one folder from which local models are loaded.")
    data_set: str = Field(default="demo", description="HiCUPID data: `demo`, a folder, or a Hub data set id.")
    human_data_set: str = Field(
        default="demo", description="People's labels: `demo` (simulated), a folder, or a Hub data set id."
    )
    packs: Path = Field(default=Path("data/packs"), description="Folder of imported prompt packs.")
    prompt_sources: str = Field(
        default="", description="YAML file with further sources and accepted hashes of the official prompts."
    )
    protocols: tuple[str, ...] = Field(
        default=(
            "demo-v1",
            "human-verification-demo-v1",
            "human-verification-synthetic-demo-v1",
            "human-extraction-demo-v1",
            "human-relevance-demo-v1",
            "human-relevance-synthetic-demo-v1",
            "human-rating-demo-v1",
            "human-comparison-demo-v1",
            "human-uplift-demo-v1",
        ),
        description="Protocols that a submission is run on; those of the suite `human` each have a run of their own.",
    )
    dtype: str = Field(default="auto", description="Precision of models; `auto` is float32 on a CPU.")
    kv_cache_gib: float = Field(default=1.0, gt=0, description="Key-value cache of an engine on a CPU, in GiB.")
    context_tokens: int = Field(
        default=32_768, gt=0, description="Most tokens of prompt and answer that an engine is set up for."
    )
    judge_url: str | None = Field(
        default=None, pattern=ADDRESS, description="Server that runs the judge, with `/v1`; unset runs it here."
    )
    judge_name: str | None = Field(
        default=None, min_length=1, description="The judge's name on that server; unset is its model's."
    )
    judge_key_variable: str | None = Field(
        default=None, pattern=VARIABLE, description="Environment variable that holds that server's key."
    )
    judge_flavour: Flavour = Field(
        default="vllm", description="Kind of that server: `vllm`, or `plain` for any other OpenAI-compatible one."
    )
    judge_context: int | None = Field(
        default=None, gt=0, description="Tokens of prompt and answer there, for a server that does not tell."
    )
    judge_servers: Annotated[tuple[JudgeServer, ...], AfterValidator(_one_server_each)] = Field(
        default=(), description="Servers of judges by their ids, before `judge_url`, which is the one of all others."
    )
    judges: Path | None = Field(
        default=None, description="Folder of further judges, each a directory with its `judge.yaml`."
    )
    lanes: tuple[Lane, ...] = Field(
        default=tuple(Lane), min_length=1, description="What a worker does: `generate`, `judge`, or both."
    )
    turn_seconds: float = Field(
        default=1800.0, gt=0, description="How long a worker stays with one run while others' wait for a worker."
    )
    lease_seconds: float = Field(default=30.0, gt=0, description="How long a silent worker keeps its shard.")
    job_seconds: int = Field(default=6 * 3600, gt=0, description="Longest time that one job may take.")
    journal_seconds: float = Field(default=20.0, gt=0, le=60, description="How often the ledger is saved to the store.")
    keep_days: int = Field(
        default=7, gt=0, le=365, description="Days for which rows of ended runs stay in Redis, and logs with workers."
    )
    engine: Literal["auto", "vllm", "transformers", "deterministic"] = Field(
        default="auto",
        description="What runs models; `auto` is vLLM or else transformers, `deterministic` is no model at all.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the page listens on; a Space uses all.")
    port: int = Field(default=7860, gt=0, lt=65536, description="Port that the page listens on.")
    metrics_port: int | None = Field(
        default=None, gt=0, lt=65536, description="Port of the publisher's page for Prometheus; unset for none."
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address that that page listens on.")
    allow_local_user: bool = Field(
        default=False, description="Development: without a Space, treat every visitor as one marked local user."
    )

    maintainers: tuple[str, ...] = Field(
        default=(), description="Names on the Hub of those who maintain; `org:NAME` counts everyone in an organisation."
    )
    hosts: tuple[str, ...] = Field(
        default=(), description="Names under which the page is reached; addresses, localhost and a Space's need none."
    )
    proxies: int | None = Field(
        default=None, ge=0, le=9, description="Proxies of ours before the page; unset is 1 on a Space and else 0."
    )
    quota_per_user: int = Field(default=5, gt=0, description="Submissions of one person that count at a time.")
    quota_all: int = Field(default=50, gt=0, description="Submissions of all people together that count at a time.")
    quota_days: int = Field(default=7, gt=0, le=365, description="Days for which a submission counts.")
    objections_per_day: int = Field(
        default=10, ge=0, le=1000, description="Objections to answers of one person within 24 hours; 0 takes none."
    )
    request_bytes: int = Field(default=65_536, ge=1024, description="Most bytes of a request's body.")

    @property
    def trusted_proxies(self) -> int:
        """How many stations before this process may say where a request came from."""
        return int(self.on_space) if self.proxies is None else self.proxies

    site_url: str | None = Field(
        default=None, pattern=ADDRESS, description="The site's own address, for links in notices; none without it."
    )
    webhook_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="Address that is told of every submission that has ended."
    )
    webhook_secret_variable: str = Field(
        default="RAPPORT_WEBHOOK_SECRET",
        pattern=VARIABLE,
        description="Environment variable that holds what these notices are signed with.",
    )
    notify_discussions: bool = Field(
        default=False, description="Open a discussion on the results data set for every submission that has ended."
    )

    @property
    def kept(self) -> datetime.timedelta:
        """For how long what may be needed again stays where it is at hand."""
        return datetime.timedelta(days=self.keep_days)

    @property
    def logs(self) -> Path:
        """Folder of what engines write."""
        return self.data / "logs"

    @property
    def store_folder(self) -> Path:
        """Folder of the local store's archive."""
        return self.data / "store"

    @property
    def results_folder(self) -> Path:
        """Folder of the local store's public results."""
        return self.data / "results"

    @property
    def requests_folder(self) -> Path:
        """Folder of the local store's public requests."""
        return self.data / "requests"

    @property
    def reserve(self) -> Path:
        """A file that only takes up space: given up when the disk is full, so that this can still be recorded."""
        return self.data / ".reserve"

    @property
    def mark(self) -> Path:
        """The file by which a publisher that starts again knows that Redis has lost nothing."""
        return self.data / ".mark"

    @property
    def released(self) -> Path:
        """The file in which the publisher notes up to which revision of the archive all that is public was released."""
        return self.data / ".released"

    @property
    def can_log_in(self) -> bool:
        """Whether people can log in with Hugging Face: on a Space whose card asks for it."""
        return self.on_space and bool(os.environ.get("OAUTH_CLIENT_ID"))

    @property
    def on_space(self) -> bool:
        """Whether this process runs in a Hugging Face Space, where nothing embedded starts by itself."""
        return os.environ.get("SYSTEM") == "spaces"
