"""How often the intervals of measured shares hold the truth, over simulated communes.

    python benchmarks/evidence_intervals.py

Writes docs/evidence-intervals.svg and prints its numbers; about two minutes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from phusong.io.embedded import embedded_path
from phusong.io.evidence_rules import read_evidence_rules
from phusong.sampling import summarise_samples, wilson

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "evidence-intervals.svg"
TRUTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
CLUSTERS = (10, 20, 40)
COMMUNES = 1000
ALIKE = 0.2  # correlation of two tests of one tile
DAY = pd.Timestamp("2026-06-30")


def simulate(truth: float, clusters: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return tests of `COMMUNES` communes: tiles vary about the truth, tests about their tile."""
    n = COMMUNES * clusters
    tile = rng.beta(truth * (1 / ALIKE - 1), (1 - truth) * (1 / ALIKE - 1), n)
    tests = 3 + rng.poisson(7, n)
    cluster = np.repeat(np.arange(n), tests)
    return pd.DataFrame(
        {
            "place": [f"{place:04d}" for place in cluster // clusters],
            "passes": (rng.random(len(cluster)) < tile[cluster]).astype(float),
            "weight": 1.0,
            "cluster": cluster,
            "day": DAY,
        }
    )


def main() -> None:
    rule = replace(read_evidence_rules(embedded_path("evidence")).sampling, resamples=300)
    rng = np.random.default_rng(rule.seed)
    matplotlib.rcParams["svg.hashsalt"] = "phusong"
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.axhspan(0.87, 0.93, color="0.9", label="87–93 %")
    axes.axhline(rule.confidence, color="0.6", linewidth=1)
    for clusters in CLUSTERS:
        ours, plain = [], []
        for truth in TRUTHS:
            samples = simulate(truth, clusters, rng)
            found = summarise_samples(samples, ["place"], "passes", kind="share", rule=rule)
            ours.append(((found["low"] <= truth) & (truth <= found["high"])).mean())
            counts = samples.groupby("place")["passes"].agg(["sum", "count"])
            low, high = wilson(counts["sum"], counts["count"], confidence=rule.confidence)
            plain.append(((low <= truth) & (truth <= high)).mean())
        axes.plot(TRUTHS, ours, marker="o", label=f"by clusters, {clusters} of them")
        if clusters == CLUSTERS[-1]:
            axes.plot(TRUTHS, plain, "k:", label=f"as if tests were independent, {clusters}")
        for name, values in (("by clusters", ours), ("as if independent", plain)):
            shown = " ".join(f"{value:.3f}" for value in values)
            print(f"{clusters} clusters, {name}: {shown}  mean {np.mean(values):.3f}")
    axes.set(xlabel="true share", ylabel="intervals that hold it", ylim=(0.4, 1.0))
    axes.legend(fontsize=8)
    figure.savefig(FIGURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
