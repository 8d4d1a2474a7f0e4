"""What several commands ask for in the same words."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[str, typer.Argument(help="owner/name on the Hub, or local/NAME.")]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit; the default branch if left out.")]
Adapter = Annotated[str | None, typer.Option(help="LoRA adapter on top of it: owner/name on the Hub, or local/NAME.")]
AdapterRevision = Annotated[str | None, typer.Option(help="Branch, tag or commit of the adapter.")]
Thinking = Annotated[bool, typer.Option(help="Whether it thinks aloud before it answers.")]
Url = Annotated[
    str | None,
    typer.Option(help="Address of a site; without it the leaderboard at RAPPORT_REDIS_URL is asked, as `maintainer`."),
]
NeededUrl = Annotated[str, typer.Option("--url", help="Address of the site.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
