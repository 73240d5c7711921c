"""The register of evidence (TOML): how samples are judged, items of the standard, thresholds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from phusong.errors import InputFileError
from phusong.evidence import QualityItem
from phusong.sampling import SamplingRule

__all__ = ["EvidenceRules", "read_evidence_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRules:
    """How samples become shares, which items a standard has, and what share serves a place."""

    sampling: SamplingRule
    items: tuple[QualityItem, ...]
    served_share: float


def read_evidence_rules(path: Path) -> EvidenceRules:
    """Read a register of evidence (TOML, as `data/evidence.toml`).

    Raises
    ------
    InputFileError
        If the file is not TOML, lacks a key, has one too many, or a share is not within 0 to 1.

    Examples
    --------
    >>> from phusong.io.embedded import embedded_path
    >>> read_evidence_rules(embedded_path("evidence")).items[0].threshold
    100.0
    """
    try:
        register = tomllib.loads(path.read_text(encoding="utf-8"))
        sampling = {k: v for k, v in register["sampling"].items() if k != "source"}
        rules = EvidenceRules(
            sampling=SamplingRule(**sampling),
            items=tuple(QualityItem(**entry) for entry in register["item"]),
            served_share=float(register["places"]["served_share"]),
        )
        for name, share in (
            ("confidence", rules.sampling.confidence),
            ("served_share", rules.served_share),
        ):
            if not 0 < share <= 1:
                raise ValueError(f"{name}: found {share}, expected above 0 and at most 1")
        return rules
    except (ValueError, KeyError, TypeError) as error:
        raise InputFileError(f"{path}: not a register of evidence: {error!r}") from error
