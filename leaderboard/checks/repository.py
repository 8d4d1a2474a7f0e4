"""Checks of what stands in the repositories of model and adapter, in the order in which they are made."""

from __future__ import annotations

from evaluator.architectures import architecture_of, known
from evaluator.errors import Cause, RapportError
from evaluator.estimate import model_size
from evaluator.hub import RevisionMissing, check_revision
from evaluator.model_checks import check_chat_template, check_code, check_formats, read_model_settings
from evaluator.models import model_name
from evaluator.parameters import count, quantisation
from evaluator.protocol import is_reference
from evaluator.repositories import Repository, open_repository
from evaluator.safetensors_headers import read_tensors, weight_files
from leaderboard.checks.findings import Findings, Waits, passed, warned
from leaderboard.checks.records import Check, CheckName


def check_id(found: Findings) -> Check:
    """Reads the names that were typed."""
    request = found.request
    found.name = model_name(request.model, found.surroundings.models)
    check_revision(request.revision)
    if is_reference(found.name):
        raise RapportError(
            Cause.MALFORMED_ID,
            f"{found.name} is a reference, and only maintainers enter references.",
            "Submit a model; one of an owner called `reference` on the Hub cannot be submitted.",
        )
    return passed(CheckName.ID, f"It is read as {found.name}.", model=found.name)


def check_exists(found: Findings) -> Check:
    """Asks for the repository."""
    try:
        found.repository = open_repository(found.name, found.request.revision, found.surroundings.models)
    except RevisionMissing as error:
        found.refused = error
    except RapportError as error:
        if error.cause is not Cause.GATED:
            raise
        found.refused = error
    if found.repository and found.repository.name != found.name:
        message = f"{found.name} goes by the name {found.repository.name} now."
        return passed(CheckName.EXISTS, message, model=found.repository.name)
    return passed(CheckName.EXISTS, f"{found.name} exists.", model=found.name)


def check_access(found: Findings) -> Check:
    """Sees whether anybody may read it."""
    repository = found.repository
    if isinstance(found.refused, RevisionMissing):
        # The revision is told of in its own line; this one is about the repository.
        repository = open_repository(found.name, None, found.surroundings.models)
    elif found.refused:
        raise found.refused
    if repository is None:
        raise Waits(CheckName.EXISTS)
    refuse_private(repository)
    if repository.gated:
        return passed(CheckName.ACCESS, f"{repository.name} is gated, and this leaderboard was let in.", gated=True)
    return passed(CheckName.ACCESS, f"{repository.name} is open to all.", gated=False)


def refuse_private(repository: Repository) -> None:
    """Refuses what only this leaderboard's own account can see: nobody else could check its results.

    Raises:
        RapportError: `gated`.
    """
    if repository.private:
        raise RapportError(Cause.GATED, f"{repository.name} is private.", "Make it public first.")


def check_pinned(found: Findings) -> Check:
    """Pins the revision to a commit."""
    if found.refused:
        raise found.refused
    sha = found.opened.sha
    return passed(CheckName.REVISION, f"From now on only {sha[:12]} is read, whatever comes after it.", revision=sha)


def check_weights(found: Findings) -> Check:
    """Looks for safetensors weights, and for code that would have to be run."""
    found.settings = read_model_settings(found.opened)
    check_formats(found.opened)
    check_code(found.opened, found.settings)
    found.files = weight_files(found.opened)
    number = len(found.files)
    return passed(CheckName.WEIGHTS, f"Safetensors in {_files(number)}, and no code of its own.", files=number)


def _files(number: int) -> str:
    """Counts files in words."""
    return "one file" if number == 1 else f"{number} files"


def check_licence(found: Findings) -> Check:
    """Looks for the licence."""
    licence = found.opened.licence
    found.facts["licence"] = licence
    remedy = "Write `license:` and its id into the metadata at the head of README.md."
    if licence is None and found.opened.is_local:
        return warned(CheckName.LICENCE, "The folder has no card that names a licence.", remedy, licence=None)
    if licence is None:
        raise RapportError(Cause.NO_LICENCE, f"The card of {found.opened.name} names no licence.", remedy)
    if licence == "unknown":
        return warned(CheckName.LICENCE, "Its card calls the licence unknown.", remedy, licence=licence)
    return passed(CheckName.LICENCE, f"Its card names the licence {licence!r}.", licence=licence)


def check_architecture(found: Findings) -> Check:
    """Looks its architecture up among those that the pinned vLLM runs."""
    architecture = architecture_of(found.opened.name, found.config)
    found.facts["architecture"] = architecture
    message = f"vLLM {known().version} runs {architecture}."
    return passed(CheckName.ARCHITECTURE, message, architecture=architecture, vllm=known().version)


def check_size(found: Findings) -> Check:
    """Reads the headers of its weights, and what its settings say of its size."""
    repository = found.opened
    found.tensors = read_tensors(repository, found.files)
    quantised = quantisation(found.config)
    counted = count(found.tensors, quantised)
    stored = sum(tensor.bytes for tensor in found.tensors.values())
    size = model_size(found.config, stored, counted.parameters)
    found.facts |= {
        "parameters": counted.parameters,
        "weight_bytes": stored,
        "kv_bytes_per_token": size.kv_bytes_per_token,
        "quantisation": quantised and quantised.method,
    }
    if not stored:
        raise RapportError(
            Cause.LOAD_ERROR, f"The weight files of {repository.name} hold no weights.", "Upload the weights again."
        )
    number = "parameters that its files do not tell" if counted.parameters is None else size_told(counted.parameters)
    kind = f"quantised ({quantised.method!r})" if quantised else counted.by_type[0][0]
    return passed(
        CheckName.SIZE,
        f"{number}, {stored / 1e9:,.2f} GB, {kind}.",
        parameters=counted.parameters,
        bytes=stored,
        quantisation=quantised and quantised.method,
        **{f"numbers_{name}": number for name, number in counted.by_type},
    )


def size_told(number: int) -> str:
    """Writes how many parameters there are.

    Example:
        >>> size_told(8_030_261_248), size_told(134_515_008), size_told(480)
        ('8.03 billion parameters', '134.5 million parameters', '480 parameters')
    """
    if number >= 1e9:
        return f"{number / 1e9:,.2f} billion parameters"
    return f"{number / 1e6:.1f} million parameters" if number >= 1e6 else f"{number} parameters"


def check_template(found: Findings) -> Check:
    """Looks for the chat template."""
    file = check_chat_template(found.opened, found.read_settings)
    return passed(CheckName.CHAT_TEMPLATE, f"It stands in {file}.", file=file)
