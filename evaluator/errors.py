"""One error type for everything a person has to act on.

Every failure that reaches a submitter, a visitor or a command line carries a cause from a closed list and a remedy, so
that pages, logs and exit codes speak the same words.
"""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why something failed; stored with failed runs and shown to submitters."""

    MALFORMED_ID = "malformed_id"
    """The model id has neither the form `owner/name` nor that of a folder below the allowed one."""
    NOT_FOUND = "not_found"
    """The repository, revision or folder does not exist."""
    FORBIDDEN_PATH = "forbidden_path"
    """A local path points outside the folder from which models may be loaded."""
    GATED = "gated"
    """The repository exists but asks for access that we do not have."""
    UNSAFE_FORMAT = "unsafe_format"
    """The repository holds no safetensors weights, or needs code of its own."""
    NO_CHAT_TEMPLATE = "no_chat_template"
    """A base model: there is no template that turns a conversation into a prompt."""
    NO_LICENCE = "no_licence"
    """The card of the repository names no licence."""
    TOO_LARGE = "too_large"
    """Weights and cache do not fit the workers at hand."""
    LOAD_ERROR = "load_error"
    """The engine could not load the model."""
    CRASHED = "crashed"
    """The engine ended by itself while the model answered, and did so again when it was tried anew."""
    OUT_OF_MEMORY = "out_of_memory"
    """The engine ran out of memory."""
    CONTEXT_OVERFLOW = "context_overflow"
    """A prompt is longer than the model's context; it is never cut."""
    TIMEOUT = "timeout"
    """The work did not end within its time limit."""
    JUDGE_ERROR = "judge_error"
    """The judge could not be loaded or did not answer."""
    DATA_ERROR = "data_error"
    """The data set is broken: a column, type, split or history is missing."""
    DISK_FULL = "disk_full"
    """No free disk."""
    INFRASTRUCTURE = "infrastructure"
    """Our fault: Redis, the store, the network or a worker failed; retried, never counted against a quota."""
    CANCELLED = "cancelled"
    """The submitter or a maintainer stopped it."""
    QUOTA = "quota"
    """So many submissions as this are not accepted at a time; says from when on the next one is."""
    FORBIDDEN = "forbidden"
    """This person may not do this, or nobody may in the state that the submission is in."""

    @property
    def is_ours(self) -> bool:
        """Whether neither the model nor its submitter is to blame: it tells nothing of the model and costs no quota.

        A time-out is not among them: each try has held a worker for hours without a row, and nothing tells a slow
        machine from a model that never ends.

        Example:
            >>> [cause.value for cause in Cause if cause.is_ours]
            ['judge_error', 'data_error', 'disk_full', 'infrastructure']
        """
        return self in (Cause.JUDGE_ERROR, Cause.DATA_ERROR, Cause.DISK_FULL, Cause.INFRASTRUCTURE)

    @property
    def passes(self) -> bool:
        """Whether it may be gone at the next try, or on the next worker: a run is tried again before it fails of it.

        Example:
            >>> [cause.value for cause in Cause if cause.passes]
            ['timeout', 'disk_full', 'infrastructure']
        """
        return self in (Cause.TIMEOUT, Cause.DISK_FULL, Cause.INFRASTRUCTURE)


class RapportError(Exception):
    """A failure with a typed cause, one clear sentence and a remedy.

    Attributes:
        cause: The typed cause.
        message: One sentence that names the thing that failed.
        remedy: What the reader can do about it.

    Example:
        >>> error = RapportError(Cause.NOT_FOUND, "Model org/x does not exist.", "Check the spelling.")
        >>> str(error)
        'Model org/x does not exist. Check the spelling.'
        >>> error.cause
        <Cause.NOT_FOUND: 'not_found'>
    """

    def __init__(self, cause: Cause, message: str, remedy: str) -> None:
        """Keeps the three parts and shows message and remedy as the error's text."""
        super().__init__(f"{message} {remedy}")
        self.cause = cause
        self.message = message
        self.remedy = remedy
