"""Assessments with other tables than were measured."""

from __future__ import annotations

from dataclasses import replace

from phusong.publish.assessment import Assessment

__all__ = ["with_tables"]


def with_tables(assessment: Assessment, **tables: object) -> Assessment:
    drawn_up = replace(assessment.conclude(), **tables)  # type: ignore[arg-type]
    return replace(assessment, conclude=lambda: drawn_up)
