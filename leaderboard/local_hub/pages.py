"""Plain pages for people: which data sets there are, and of each the files and commits."""

from __future__ import annotations

from jinja2 import Environment

from leaderboard.local_hub.endpoints import Hub, visible
from leaderboard.local_hub.messages import Request, Response, Route

_COMMITS = 100
"""The newest that are listed."""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
}
_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
td { padding: 0 1rem 0 0; vertical-align: top; overflow-wrap: anywhere }
</style>
<h1>{{ title }}</h1>
<p>This is a small stand-in for the Hugging Face Hub, and nothing here leaves this machine.</p>
"""  # noqa: E501
_TEMPLATES = Environment(autoescape=True)
_INDEX = _TEMPLATES.from_string(
    _HEAD
    + """<p>Data sets that everyone may see:</p>
<ul>
{% for name in names %}<li><a href="/datasets/{{ name | urlencode }}">{{ name }}</a></li>
{% else %}<li>none yet</li>
{% endfor %}</ul>
</html>
"""
)
_DATA_SET = _TEMPLATES.from_string(
    _HEAD
    + """<p><a href="/">All data sets</a></p>
<h2>Files at {{ sha }}</h2>
<table>
{% for file in files %}<tr>
<td><a href="/datasets/{{ name | urlencode }}/resolve/{{ sha }}/{{ file.path | urlencode }}">{{ file.path }}</a></td>
<td>{{ file.size }} bytes</td>
</tr>
{% else %}<tr><td>none yet</td></tr>
{% endfor %}</table>
<h2>Commits</h2>
<table>
{% for sha, words in commits %}<tr>
<td><code>{{ sha[:10] }}</code></td><td>{{ words.date }}</td><td>{{ words.author }}</td><td>{{ words.title }}</td>
</tr>
{% endfor %}</table>
</html>
"""
)


def index(hub: Hub, request: Request) -> Response:
    """Lists the data sets that everyone may see."""
    names = [found.name for found in hub.repositories.all("dataset") if not found.private]
    return _page(_INDEX.render(title="Local Hub", names=names))


def data_set(hub: Hub, request: Request, name: str) -> Response:
    """Lists the files and the newest commits of a data set."""
    repository = visible(hub, request, "dataset", name)
    sha = repository.resolve("main")
    commits = [logged for logged, _ in zip(repository.log(sha), range(_COMMITS), strict=False)]
    files = repository.files(sha).values()
    return _page(_DATA_SET.render(title=name, name=name, sha=sha, files=files, commits=commits))


def _page(text: str) -> Response:
    return Response(200, text.encode(), _HEADERS)


ROUTES: tuple[Route, ...] = (
    ("GET", r"/", index),
    ("GET", r"/datasets/(?P<name>[^/]+/[^/]+)", data_set),
)
