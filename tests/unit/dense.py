"""What the intervals are compared with: the same figures from dense matrices, one row for each item."""

import numpy as np
from scipy.stats import t as student


def dense_estimate(totals, items, weights) -> tuple[float, float, float]:
    """Estimate, CR2 error and Bell-McCaffrey degrees of freedom of a regression on one dummy for each rate.

    Args:
        totals: (users, rates).
        items: (users, rates).
        weights: (rates,): the combination of the coefficients.
    """
    rows = [
        (user, rate, totals[user, rate] / items[user, rate])
        for user, rate in np.ndindex(items.shape)
        for _ in range(int(items[user, rate]))
    ]
    user, rate, score = (np.array(column) for column in zip(*rows, strict=True))
    design = np.eye(items.shape[1])[rate]
    bread = np.linalg.inv(design.T @ design)
    hat = design @ bread @ design.T
    coefficients = bread @ design.T @ score
    combined = []
    for one in np.unique(user):
        mine = user == one
        values, vectors = np.linalg.eigh(np.eye(mine.sum()) - hat[np.ix_(mine, mine)])
        adjustment = vectors @ np.diag(values**-0.5) @ vectors.T
        residual_maker = (np.eye(len(score)) - hat)[mine]
        combined.append(residual_maker.T @ adjustment @ design[mine] @ bread @ np.asarray(weights))
    matrix = np.array(combined)
    covariance = matrix @ matrix.T
    freedom = np.trace(covariance) ** 2 / (covariance**2).sum()
    return float(coefficients @ weights), float(np.sqrt(((matrix @ score) ** 2).sum())), float(freedom)


def dense_interval(totals, items, weights) -> tuple[float, float]:
    """The 95 % interval of `dense_estimate`."""
    estimate, error, freedom = dense_estimate(totals, items, weights)
    reach = student.ppf(0.975, freedom) * error
    return estimate - reach, estimate + reach
