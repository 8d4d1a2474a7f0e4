"""Who looks at a site, and what each of them has to look at: pages that are the same for all are looked at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpx

from leaderboard.labelling.consent import CONSENT
from tests.browse.looks import is_gradio
from tests.browse.walks import Found, every_page
from tests.browsing import MAINTAINER, session_of


class Person(NamedTuple):
    """Somebody with a browser."""

    kind: str
    name: str
    """On the Hub; empty for who is not logged in."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """What the browser brings along."""
        return {"session": session_of(self.name)} if self.name else {}


def people_of(found: Found) -> tuple[Person, ...]:
    """Returns a visitor, the author of the newest model and of a submission that waits, and a maintainer."""
    return (Person("visitor", ""), Person("author", found.author), Person("maintainer", MAINTAINER))


def visits(url: str, found: Found) -> Iterator[tuple[Person, str]]:
    """Yields who is to look at which address.

    Everybody is, at every address. What the server answers word for word as it answered before is left out; pages that
    Gradio draws are filled in once they are open, and never left out.
    """
    known = set[str]()
    people = people_of(found)
    with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as client:
        for address in every_page(found):
            for person in people:
                cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
                text = address if is_gradio(address) else client.get(address, headers={"Cookie": cookies}).text
                if is_gradio(address) or text not in known:
                    yield person, address
                known.add(text)


def agree_to_label(url: str, person: Person) -> None:
    """Has somebody consent, without which nobody is shown an item to label."""
    answer = httpx.post(f"{url}/label/consent", data={"version": CONSENT.version}, cookies=dict(person.cookies))
    assert answer.status_code == 303, answer.text
