"""Calibration: what a model gets wrong, from drive tests, on samples that the fit has not seen.

Samples near each other err alike, so that a thousand of one street say little more than one. They
are put into square blocks; a block counts once in the offset, and whole blocks are held out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from phusong.radio.limits import ModelRangeError, require_within

__all__ = ["calibrate"]

NEEDED = ("measured_dbm", "predicted_dbm", "x_m", "y_m")
LEAST_SAMPLES, LEAST_BLOCKS = 100, 20
MOST_OF_ONE_BLOCK = 0.25
SEED = 0


def calibrate(
    measurements: pd.DataFrame,
    *,
    by: Sequence[str] = ("band", "clutter"),
    location_db: float,
    block_m: float = 1000.0,
    held_out: float = 0.3,
) -> pd.DataFrame:
    """Return the offset and σ_model of each band and clutter class, and the errors of both.

    The error is measured - predicted. `offset_db`, to be added to predictions, is the mean over
    blocks of their mean errors in the blocks that are not held out; σ_model² = sd² - σ_location²
    there (0 where places alone explain more), sd about the offset. Errors before and after are
    those of the held-out samples alone.

    Parameters
    ----------
    measurements : DataFrame
        `measured_dbm` and `predicted_dbm` of the same reference signal at the same place and
        height, `x_m`, `y_m` in a metric CRS, and the columns of `by`. Rows with a gap are counted
        and not used. Samples at the floor of the receiver must have been taken out, with the
        places where it heard nothing: they would make the model look pessimistic.
    by : sequence of str
        The columns whose values are calibrated apart.
    location_db : float
        Standard deviation over the places of a cell, such as `p1812.location_sigma_db`.
    block_m : float
        Side of a block: the distance beyond which errors are no longer alike, or more.
    held_out : float
        Share of the blocks, 0.1 to 0.5, chosen at random with a fixed seed.

    Returns
    -------
    DataFrame
        The columns of `by`, `n_missing`, `n_samples`, `n_blocks`, `n_held_out` (samples),
        `offset_db`, `model_sigma_db`; `mean_before_db`, `sd_before_db`, `rmse_before_db` and the
        same `after`; `refused`: empty, or why nothing was fitted (fewer than 100 samples, fewer
        than 20 blocks, or one block with more than a quarter of the samples).

    Raises
    ------
    ModelRangeError
        If a column is missing, a number is outside its range, or no class can be fitted.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> tests = pd.DataFrame({"band": "700", "clutter": "open", "predicted_dbm": -90.0,
    ...                       "measured_dbm": -86.0 + rng.normal(0.0, 5.0, 2000),
    ...                       "x_m": 100.0 * np.arange(2000), "y_m": 0.0})
    >>> found = calibrate(tests, location_db=3.0)
    >>> found[["offset_db", "model_sigma_db"]].round(0).to_numpy().tolist()
    [[4.0, 4.0]]
    """
    missing = [name for name in (*NEEDED, *by) if name not in measurements]
    if missing:
        raise ModelRangeError(f"measurements: missing {', '.join(missing)}")
    require_within("location_db", location_db, 0.0, 40.0, source="a standard deviation")
    require_within("block_m", block_m, 1.0, 1e6, source="a distance")
    require_within("held_out", held_out, 0.1, 0.5, source="a share")
    rows = []
    for key, group in measurements.groupby(list(by), sort=True, dropna=False):
        known = group.dropna(subset=list(NEEDED))
        found = {
            "n_missing": len(group) - len(known),
            **_fit(known, location_db, block_m, held_out),
        }
        rows.append(dict(zip(by, key, strict=True)) | found)
    table = pd.DataFrame(rows)
    if table.empty or (table["refused"] != "").all():
        reasons = "no row" if table.empty else "; ".join(dict.fromkeys(table["refused"]))
        raise ModelRangeError(f"measurements: nothing can be fitted: {reasons}")
    return table


def _fit(
    samples: pd.DataFrame, location_db: float, block_m: float, held_out: float
) -> dict[str, float | int | str]:
    """Return what one class comes to; numbers are NaN where it is refused."""
    blocks = np.floor(samples[["x_m", "y_m"]].to_numpy(float) / block_m)
    _, block, sizes = np.unique(blocks, axis=0, return_inverse=True, return_counts=True)
    block = block.reshape(-1)
    error_db = (samples["measured_dbm"] - samples["predicted_dbm"]).to_numpy(float)
    counts = {"n_samples": len(samples), "n_blocks": len(sizes)}
    refused = _refuse(len(samples), sizes)
    if refused:
        nothing = dict.fromkeys((*_errors(error_db, "before"), *_errors(error_db, "after")), np.nan)
        return {**counts, "n_held_out": 0, "offset_db": np.nan, "model_sigma_db": np.nan,
                **nothing, "refused": refused}  # fmt: skip
    shuffled = np.random.default_rng(SEED).permutation(len(sizes))
    is_held = np.isin(block, shuffled[: math.ceil(held_out * len(sizes))])
    fitted = pd.Series(error_db[~is_held])
    offset_db = float(fitted.groupby(block[~is_held]).mean().mean())
    variance = float(((fitted - offset_db) ** 2).mean())
    return {
        **counts,
        "n_held_out": int(is_held.sum()),
        "offset_db": offset_db,
        "model_sigma_db": math.sqrt(max(variance - location_db**2, 0.0)),
        **_errors(error_db[is_held], "before"),
        **_errors(error_db[is_held] - offset_db, "after"),
        "refused": "",
    }


def _refuse(n_samples: int, sizes: np.ndarray) -> str:
    if n_samples < LEAST_SAMPLES:
        return f"{n_samples} samples, at least {LEAST_SAMPLES} are needed"
    if len(sizes) < LEAST_BLOCKS:
        return f"all samples lie in {len(sizes)} blocks, at least {LEAST_BLOCKS} are needed"
    if sizes.max() > MOST_OF_ONE_BLOCK * n_samples:
        return f"{sizes.max()} of {n_samples} samples lie in one block"
    return ""


def _errors(error_db: np.ndarray, when: str) -> dict[str, float]:
    if not len(error_db):
        return dict.fromkeys((f"{name}_{when}_db" for name in ("mean", "sd", "rmse")), np.nan)
    return {
        f"mean_{when}_db": float(error_db.mean()),
        f"sd_{when}_db": float(error_db.std()),
        f"rmse_{when}_db": float(np.sqrt((error_db**2).mean())),
    }
