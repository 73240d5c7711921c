"""The colours and classes of every map: the web page, the printed page and their legends."""

from __future__ import annotations

__all__ = ["BREAKS", "CHANGES", "CLASSES", "GAP", "NO_DATA", "TECHNOLOGIES", "TIERS"]

# The classes are policy, the same for every map: two maps can be laid side by side.
BREAKS = (0.4, 0.6, 0.8, 0.95, 0.99)
# viridis in six classes: lightness rises with the class, also for eyes that see few colours.
CLASSES = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
# PuOr in five classes: what went down, what stayed, what went up.
CHANGES = ("#b35806", "#f1a340", "#f7f7f7", "#998ec3", "#542788")
TIERS = ("#440154", "#22a884")  # no, yes
NO_DATA, GAP = "#ededed", "#c43c28"
# The newest first: a mast has the colour of its newest technology.
TECHNOLOGIES = {
    "5G SA": "#b5179e",
    "5G": "#d81b60",
    "5G NSA": "#f06292",
    "4G": "#1e66d0",
    "3G": "#f29111",
    "2G": "#6b6b6b",
}
