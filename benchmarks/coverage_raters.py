"""Simulated annotators and models of known skill and bias, for `make bench-coverage`: sizes and rates as published."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

ANNOTATORS = 9
EACH = 3
"""Annotators that there are, and those of a task."""
ANNOTATOR_USER = 0.2
MODEL_USER = 0.3
"""Standard deviations of what one annotator, or the model, sees in a user as a whole that nobody else does."""
PROMPTS = 41
"""Prompts are the same for all users."""
OPEN_SHARE, OPEN_SPREAD = 0.4, 0.2
"""Share of ratings whose response mentions the attribute openly, and its standard deviation over responses."""
OPEN_EFFECTS = (0.04, 0.4)
"""What that adds to a rating on the latent scale: the annotators' and the model's."""


class Given(NamedTuple):
    """What counts as given, and how users' sizes differ."""

    bias: Floats
    """(ANNOTATORS,): each annotator's leniency on the latent scale."""
    noise: Floats
    """(ANNOTATORS,): his noise as a share of the usual one."""
    diligence: Floats
    """(ANNOTATORS,): how often he is chosen."""
    prompts: Floats
    """(PROMPTS,): effects of prompts in standard deviations."""
    uneven: bool = False
    """Whether users' sizes have a coefficient of variation of about 1."""


SAME = Given(
    0.25 * np.linspace(-1, 1, ANNOTATORS)[[4, 0, 7, 2, 8, 5, 1, 6, 3]],
    np.linspace(0.75, 1.25, ANNOTATORS),
    np.linspace(2, 1, ANNOTATORS),
    norm.ppf((np.arange(PROMPTS) + 0.5) / PROMPTS),
)
"""The same in all repetitions."""
UNEVEN = SAME._replace(uneven=True)
_SIZES = 0.8
"""Shape of the gamma distribution that uneven sizes are drawn from."""


def new_annotators(random: np.random.Generator) -> Given:
    """Returns other annotators of the same kind, under the same prompts."""
    return SAME._replace(
        bias=random.normal(0, SAME.bias.std(), ANNOTATORS),
        noise=random.uniform(SAME.noise.min(), SAME.noise.max(), ANNOTATORS),
        diligence=random.uniform(SAME.diligence.min(), SAME.diligence.max(), ANNOTATORS),
    )


def new_prompts(random: np.random.Generator) -> Given:
    """Returns other prompts of the same kind, under the same annotators."""
    return SAME._replace(prompts=random.standard_normal(PROMPTS))


class Task(NamedTuple):
    """What is labelled, and how well; items' qualities have a deviation of 1 beside those of user and prompt."""

    users: int
    items: int
    parts: int
    """As published; a part has one prompt and one set of annotators."""
    user_spread: float
    prompt_spread: float
    noise: float
    """The annotators'."""
    cuts: tuple[float, ...]
    """What the quality must exceed for each further label."""
    model_shift: float
    """How far the model sees everything above the annotators."""
    model_skill: float
    """The weight of the quality in what the model sees."""
    model_noise: float


VERIFICATION = Task(50, 1983, 50, 0.3, 0.0, 0.7, (0.32,), 0.05, 1.0, 0.9)
"""1 is problematic: two attributes in five are."""
RELEVANCE = Task(47, 3973, 141, 0.3, 0.3, 0.7, (1.1,), 0.95, 0.75, 0.85)
"""1 is relevant: 18 % of pairs are by the majority, human-human kappa is 0.44, and the model says 1 twice as often."""
RATING = Task(47, 367, 80, 0.4, 0.3, 1.5, (-2.95, -1.55, 0.75, 2.4), 0.9, 0.55, 1.3)
"""Ratings 1..5 as 0..4: people's mean is 3.19, human-human Spearman 0.32; parts are responses."""
WRITTEN = RATING._replace(model_shift=-0.21)
"""A judge's ratings of what a writer wrote: 54.6 % of responses are no better than generic, as published of people."""
SYNTHETIC = {
    VERIFICATION: VERIFICATION._replace(user_spread=0.15, model_noise=0.5),
    RELEVANCE: RELEVANCE._replace(user_spread=0.15, model_shift=0.5, model_noise=0.5),
}
"""The same on made-up users, who differ less and are easier to read."""


class Labels(NamedTuple):
    """One simulated data set and the model's labels on it."""

    user: Ints
    """(items,)."""
    part: Ints
    """(items,): which of its task's parts; of ratings a part is a response."""
    annotator: Ints
    """(items, EACH): who."""
    human: Ints
    """(items, EACH): their labels, from 0."""
    model: Ints
    """(items,)."""
    truth: Ints
    """(items,): the label of the quality itself, which only made-up users have."""
    open: Ints
    """(items,): 1 where the attribute is mentioned openly; of ratings alone."""


def simulate(random: np.random.Generator, task: Task, users: int, given: Given = SAME) -> Labels:
    """Returns labels of a number of users, each of whom has a part and an item at least."""
    parts, items = (round(published * users / task.users) for published in (task.parts, task.items))
    owner = np.sort(np.concatenate([np.arange(users), random.integers(users, size=parts - users)]))
    shares = _shares(random, owner, users) if given.uneven else np.ones(parts)
    part = np.repeat(np.arange(parts), _sizes(random, items, shares))
    user = owner[part]
    annotator = _chosen(random, parts, given.diligence)[part]
    quality = random.normal(0, task.user_spread, users)[user] + random.standard_normal(items)
    quality += task.prompt_spread * given.prompts[random.integers(PROMPTS, size=parts)[part]]
    mentioned = random.random(items) < np.clip(random.normal(OPEN_SHARE, OPEN_SPREAD, parts), 0.02, 0.98)[part]
    openly = mentioned * (task is RATING)
    seen = random.normal(0, ANNOTATOR_USER, (users, ANNOTATORS))[user[:, None], annotator] + given.bias[annotator]
    seen += (quality + OPEN_EFFECTS[0] * openly)[:, None]
    seen += task.noise * given.noise[annotator] * random.standard_normal((items, EACH))
    model = task.model_skill * quality + random.normal(0, MODEL_USER, users)[user] + task.model_shift
    model += OPEN_EFFECTS[1] * openly + task.model_noise * random.standard_normal(items)
    human, said, truth = (np.searchsorted(task.cuts, latent) for latent in (seen, model, quality))
    return Labels(user, part, annotator, human, said, truth, openly.astype(np.intp))


def table_of(labels: Labels) -> Floats:
    """Returns the labels of people as a table, (items, ANNOTATORS), not a number where there is none."""
    table = np.full((len(labels.user), ANNOTATORS), np.nan)
    np.put_along_axis(table, labels.annotator, labels.human.astype(np.float64), axis=1)
    return table


def _sizes(random: np.random.Generator, items: int, shares: Floats) -> Ints:
    """Returns how many items each part has, at least one, with a coefficient of variation of 0.35 beside its share."""
    weights = shares * random.gamma(8.0, size=len(shares))
    return 1 + random.multinomial(items - len(shares), weights / weights.sum()).astype(np.intp)


def _shares(random: np.random.Generator, owner: Ints, users: int) -> Floats:
    """Returns each part's share of its user's uneven size, (parts,)."""
    return np.asarray((random.gamma(_SIZES, size=users) / np.bincount(owner, minlength=users))[owner])


def _chosen(random: np.random.Generator, parts: int, diligence: Floats) -> Ints:
    """Returns the different annotators of each part, (parts, EACH), the diligent ones more often."""
    order = np.log(diligence) + random.gumbel(size=(parts, ANNOTATORS))
    return np.argpartition(-order, EACH, axis=1)[:, :EACH]


class Written(NamedTuple):
    """What a writer and an extractor did for each of some users."""

    verdicts: Ints
    """(users, 3): responses that lost, tied and won against the generic one in both orders."""
    recalled: Ints
    """(users, 2): accepted attributes that were missed and found."""
    accepted: Ints
    """(users, 2): extracted attributes that a verifier refuses and accepts."""


WRITER_CUTS, WRITER_USER = (-0.6, -0.1), 0.5
"""What must be exceeded for a tie and a win, and the spread of users; that of responses is 1."""
ACCEPTED, EXTRACTED = (23.0, 0.6), (30.0, 0.8)
"""Attributes per user, and the latent mean of those found, or accepted: both vary over users."""
MADE_FROM = (5.0, 0.9)
"""The same of what made-up users were made from, in the place of what people accepted."""


def write(
    random: np.random.Generator, users: int, given: Given = SAME, known: tuple[float, float] = ACCEPTED
) -> Written:
    """Returns what a writer and an extractor do for users, each of whom has a response at least.

    Args:
        random: Draws it.
        users: How many.
        given: What counts as given.
        known: What is to be found, as `ACCEPTED`.
    """
    responses = round(RATING.parts * users / RATING.users)
    shares = random.gamma(_SIZES, size=users) if given.uneven else np.ones(users)
    owner = np.concatenate([np.arange(users), random.choice(users, responses - users, p=shares / shares.sum())])
    quality = random.normal(0, WRITER_USER, users)[owner] + random.standard_normal(responses)
    verdicts = np.bincount(owner * 3 + np.searchsorted(WRITER_CUTS, quality), minlength=users * 3)
    shape = _SIZES if given.uneven else 4.0
    told = (_told(random, users, shape, *kind) for kind in (known, EXTRACTED))
    return Written(verdicts.reshape(users, 3), *told)


def _told(random: np.random.Generator, users: int, shape: float, mean: float, latent: float) -> Ints:
    """Returns each user's attributes without and with some property, (users, 2)."""
    counts = 1 + random.poisson(random.gamma(shape, (mean - 1) / shape, users))
    having = random.binomial(counts, norm.cdf(random.normal(latent, 0.5, users)))
    return np.stack([counts - having, having], axis=1)
