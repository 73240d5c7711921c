"""The web map of an assessment: one file that opens anywhere, with the network off."""

from __future__ import annotations

from phusong.publish.assessment import Assessment
from phusong.publish.mapdata import map_data, to_block
from phusong.publish.offline import OfflineMap

__all__ = ["build_map", "render_map"]


def build_map(assessment: Assessment, *, lang: str = "vi") -> OfflineMap:
    """Return the map of an assessment; a notebook shows it as it is.

    Parameters
    ----------
    assessment : Assessment
    lang : {"vi", "en"}
    """
    return OfflineMap(to_block(map_data(assessment, lang=lang)), lang=lang)


def render_map(assessment: Assessment, *, lang: str = "vi") -> str:
    """Return the whole page of the map, the same text for the same assessment."""
    return build_map(assessment, lang=lang).to_page()
