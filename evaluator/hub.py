"""Reads what the Hub says of a repository, telling "does not exist" from "did not answer".

Only the read side lives here; nothing in the benchmark ever writes to the Hub.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import httpx
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from evaluator.errors import Cause, RapportError


class HubRepository(NamedTuple):
    """A repository pinned to a commit."""

    id: str
    sha: str
    files: tuple[str, ...]


def resolve(name: str, *, repo_type: Literal["model", "dataset"], revision: str | None = None) -> HubRepository:
    """Returns a repository's commit and file names.

    Raises:
        RapportError: `malformed_id`, `not_found`, `gated`, or `infrastructure` if the Hub did not answer.
    """
    kind = "data set" if repo_type == "dataset" else "model"
    try:
        info = HfApi().repo_info(name, repo_type=repo_type, revision=revision)
    except HFValidationError as error:
        raise RapportError(
            Cause.MALFORMED_ID, f"{name!r} is not the id of a {kind}.", "Write it as owner/name, as on the Hub."
        ) from error
    except GatedRepoError as error:
        raise RapportError(
            Cause.GATED, f"The {kind} {name} is gated.", "Open its access, or ask a maintainer to request it."
        ) from error
    except RevisionNotFoundError as error:
        raise RapportError(
            Cause.NOT_FOUND, f"The {kind} {name} has no revision {revision!r}.", "Name a branch, tag or commit of it."
        ) from error
    except RepositoryNotFoundError as error:
        raise RapportError(
            Cause.NOT_FOUND,
            f"The {kind} {name} does not exist on the Hub, or is private.",
            "Check the spelling; a private one must be made public first.",
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, httpx.HTTPError, OSError) as error:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The Hub did not answer when asked for the {kind} {name} ({type(error).__name__}).",
            "This is not about your input; try again in some minutes.",
        ) from error
    files = tuple(sorted(sibling.rfilename for sibling in getattr(info, "siblings", None) or ()))
    return HubRepository(name, str(info.sha), files)
