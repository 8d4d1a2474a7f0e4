"""Logging for every process that writes a log: nothing leaves it unredacted, be it a message or a traceback."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Collection
from types import TracebackType

from evaluator.redaction import redact, secrets_of

FORMAT = "%(asctime)s %(name)s %(message)s"
_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "rq.worker")
"""Loggers that bring handlers of their own, so that what they say never reaches those of the root."""
_TALKATIVE = ("httpx", "httpcore")
"""They tell of every request, with its address, in which a key may stand."""
_READS_ARGUMENTS = "uvicorn.access"
"""Its formatter takes the arguments of a record apart."""


class RedactingFilter(logging.Filter):
    """Redacts every record that passes, with its traceback; on a handler or on a logger.

    Example:
        >>> record = logging.LogRecord("x", logging.INFO, "", 0, "cannot read %s", ("/root/models/tiny",), None)
        >>> RedactingFilter().filter(record), record.getMessage()
        (True, 'cannot read …/tiny')
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        """Takes further texts to take out, see `evaluator.redaction.secrets_of`."""
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Redacts a record in place and lets it pass."""
        if record.exc_info:
            record.exc_text = record.exc_text or "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            record.exc_info = None  # Else a handler would write it again, in its own way.
        if record.exc_text:
            record.exc_text = self._clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self._clean(record.stack_info)
        if record.name == _READS_ARGUMENTS and isinstance(record.args, tuple):
            record.args = tuple(self._clean_request(each) for each in record.args)
        else:
            record.msg, record.args = self._clean(_message(record)), None
        return True

    def _clean_request(self, part: object) -> object:
        """Redacts a part of what was asked for; the path of a page stays, as it does behind the word GET."""
        return self._clean(f"GET {part}").removeprefix("GET ") if isinstance(part, str) else part

    def _clean(self, text: str) -> str:
        """Redacts a text."""
        return redact(text, self._secrets)


def set_up_logging(level: int = logging.INFO, form: str = FORMAT, date_form: str | None = None) -> None:
    """Sends what this process logs to standard error, redacted: its own, uvicorn's, and what ends it.

    Safe to call twice. The secrets of the environment are those at the time of the call.

    Args:
        level: The least level that is written.
        form: As of `logging.Formatter`.
        date_form: As of `logging.Formatter`.
    """
    logging.basicConfig(level=level, format=form, datefmt=date_form, stream=sys.stderr)
    logging.captureWarnings(True)
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel(max(level, logging.WARNING))
    redacting = RedactingFilter(secrets_of(os.environ))
    for place in (*logging.getLogger().handlers, *map(logging.getLogger, _OWN_HANDLERS)):
        for earlier in [each for each in place.filters if isinstance(each, RedactingFilter)]:
            place.removeFilter(earlier)
        place.addFilter(redacting)
    sys.excepthook = _last_words


def _message(record: logging.LogRecord) -> str:
    """Returns what a record says; a mistake in its arguments must not end whoever logs."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Writes the traceback that ends the process."""
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(redact(text, secrets_of(os.environ)))
