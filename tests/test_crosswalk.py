"""Vintages: a commune is (code, vintage); old tables land on new communes by their parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phusong.crosswalk import (
    BEFORE_2025,
    VINTAGE_2025,
    decide_vintage,
    links_to,
    move_shares,
    move_yes_no,
    place_service,
)
from phusong.errors import CrosswalkError
from phusong.io.embedded import embedded_path
from phusong.io.registers import read_crosswalk

KNOWN = pd.DataFrame(
    [
        ("14758", VINTAGE_2025, "Phường Hàm Rồng"),
        ("14797", VINTAGE_2025, "Phường Hạc Thành"),
        ("14758", BEFORE_2025, "Phường Đông Thọ"),
        ("14755", BEFORE_2025, "Phường Hàm Rồng"),
        ("14797", BEFORE_2025, "Phường Lam Sơn"),
    ],
    columns=["commune_code", "vintage", "commune_name"],
)
LINKS = pd.DataFrame(
    [("1", "A", "whole"), ("2", "A", "whole"), ("3", "B", "whole"), ("4", "B", "split"),
     ("4", "C", "split")],
    columns=["commune_code_old", "commune_code", "part"],
)  # fmt: skip


def table(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["commune_code", "commune_name"])


def test_names_tell_the_vintage_of_reused_codes() -> None:
    new, _ = decide_vintage(table(("14758", "P. Hàm Rồng")), KNOWN)
    old, _ = decide_vintage(table(("14758", "Phường Đông Thọ"), ("14755", "Hàm Rồng")), KNOWN)
    assert new["vintage"].tolist() == [VINTAGE_2025]
    assert old["vintage"].tolist() == [BEFORE_2025] * 2


def test_mixed_vintages_are_an_error_that_lists_the_rows() -> None:
    mixed = table(("14758", "Hàm Rồng"), ("14758", "Đông Thọ"), ("14797", "Hạc Thành"))
    with pytest.raises(
        CrosswalkError, match=r"2025: 2 rows \(1, 3\)(.|\n)*before-2025: 1 rows \(2\)"
    ):
        decide_vintage(mixed, KNOWN)
    said = mixed.assign(vintage=["2025", "before-2025", "2025"])
    with pytest.raises(CrosswalkError, match="mixes commune vintages"):
        decide_vintage(said, KNOWN)


def test_of_many_mixed_rows_twenty_are_listed() -> None:
    twenty = table(*[("14758", "Hàm Rồng")] * 20, ("14758", "Đông Thọ"))
    with pytest.raises(CrosswalkError, match=r"2025: 20 rows \(1, .*, 19, 20\)"):
        decide_vintage(twenty, KNOWN)
    more = table(*[("14758", "Hàm Rồng")] * 23, ("14758", "Đông Thọ"))
    with pytest.raises(CrosswalkError, match=r"2025: 23 rows \(1, .*, 19, 20 and 3 more\)"):
        decide_vintage(more, KNOWN)


def test_vintage_column_is_believed_and_its_empty_rows_take_the_others() -> None:
    said = pd.DataFrame({"commune_code": ["14758", "14797"], "vintage": [None, BEFORE_2025]})
    assert decide_vintage(said, KNOWN)[0]["vintage"].tolist() == [BEFORE_2025] * 2


def test_vintage_that_no_commune_has_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(CrosswalkError, match=r"'1999' are known; known are 2025, before-2025$"):
        decide_vintage(table(("14758", "Hàm Rồng")), KNOWN, vintage="1999")


def test_bare_codes_that_could_be_of_either_vintage_are_refused() -> None:
    bare = table(("14758", "")).drop(columns="commune_name")
    with pytest.raises(CrosswalkError, match="--vintage"):
        decide_vintage(bare, KNOWN)
    assert decide_vintage(bare, KNOWN, vintage="2025")[0]["vintage"].tolist() == ["2025"]


def test_bare_codes_decide_where_only_one_vintage_has_them() -> None:
    bare = pd.DataFrame({"commune_code": ["14755", "14758"]})
    assert set(decide_vintage(bare, KNOWN)[0]["vintage"]) == {BEFORE_2025}
    stray = pd.DataFrame({"commune_code": ["14755", "99999"]})  # of 2025 neither, of before one
    used, problems = decide_vintage(stray, KNOWN)
    assert used["vintage"].tolist() == [BEFORE_2025]
    assert [p.found for p in problems] == ["99999"]
    unnamed = table(("14755", "Tào Xuyên"), ("14758", "Đâu Đó"))  # no such pair in either
    assert decide_vintage(unnamed, KNOWN)[1][0].expected.startswith("a commune of vintage before")


def test_bare_codes_that_are_all_of_one_vintage_are_of_it() -> None:
    every = pd.DataFrame({"commune_code": ["14797", "14758"]})  # before has these, and 14755
    assert set(decide_vintage(every, KNOWN)[0]["vintage"]) == {VINTAGE_2025}


def test_row_without_a_name_is_known_by_its_code() -> None:
    used, problems = decide_vintage(table(("14758", "Hàm Rồng"), ("14797", None)), KNOWN)
    assert used["commune_code"].tolist() == ["14758", "14797"]
    assert problems == []


def test_row_that_no_commune_answers_to_is_returned_as_a_problem() -> None:
    rows = table(("14758", "Hàm Rồng"), ("14797", "Tào Xuyên"), ("99999", "Nowhere"))
    used, problems = decide_vintage(rows, KNOWN, rows=pd.Series([2, 3, 4]))
    assert len(used) == 1
    assert [p.row for p in problems] == [3, 4]
    assert {p.field for p in problems} == {"commune_code"}
    assert problems[0].found == "14797 Tào Xuyên"
    assert problems[0].expected == "a commune of vintage 2025: the code is Phường Hạc Thành"
    assert problems[1].expected == "a commune of vintage 2025"


def test_yes_only_if_all_parts_are_and_split_without_weight_is_unknown() -> None:
    yes = pd.DataFrame({"low": 1.0, "high": 1.0}, index=["1", "2", "3", "4"])
    moved = move_yes_no(yes, LINKS)
    assert moved.loc["A"].tolist() == [1, 1]
    assert moved.loc["B"].tolist() == [0, 1]
    assert moved.loc["C"].tolist() == [0, 1]
    no = yes.copy()
    no.loc["3"] = 0.0
    assert move_yes_no(no, LINKS).loc["B"].tolist() == [0, 0]


def test_weight_settles_a_split_and_a_weightless_part_is_left_out() -> None:
    yes = pd.DataFrame({"low": [1.0, 1, 1, 0], "high": [1.0, 1, 1, 0]}, index=["1", "2", "3", "4"])
    weights = LINKS.assign(weight=[10, 10, 10, 0, 5])
    moved = move_yes_no(yes, LINKS, weights=weights)
    assert moved.loc["B"].tolist() == [1, 1]
    assert moved.loc["C"].tolist() == [0, 0]


def test_shares_are_means_by_weight_and_bounds_without() -> None:
    old = pd.DataFrame({"share": [0.2, 0.8, 0.5, 1.0]}, index=["1", "2", "3", "4"])
    old = old.assign(low=old["share"], high=old["share"])
    weighted = move_shares(old, LINKS, weights=LINKS.assign(weight=[300, 100, 50, 50, 20]))
    assert weighted["share"].tolist() == pytest.approx([0.35, 0.75, 1.0])
    bare = move_shares(old, LINKS)
    assert np.isnan(bare["share"]).all()
    assert bare.loc["A", ["low", "high"]].tolist() == [0.2, 0.8]
    assert bare.loc["C", ["low", "high"]].tolist() == [0.0, 1.0]


def test_part_that_is_unsure_may_be_anything_and_new_communes_keep_their_order() -> None:
    some = pd.DataFrame({"share": 0.4, "low": 0.4, "high": 0.4}, index=["1", "2", "4"])
    moved = move_shares(some, LINKS.iloc[::-1])  # 3 is absent, 4 is split
    assert moved.index.tolist() == ["C", "B", "A"]
    assert moved[["low", "high"]].to_numpy().tolist() == [[0, 1], [0, 1], [0.4, 0.4]]
    assert move_yes_no(some, LINKS.iloc[::-1]).index.tolist() == ["C", "B", "A"]


def test_absent_old_commune_is_unknown() -> None:
    moved = move_yes_no(pd.DataFrame({"low": [1.0], "high": [1.0]}, index=["1"]), LINKS)
    assert moved.loc["A"].tolist() == [0, 1]


def test_pair_that_occurs_twice_is_refused_not_counted_twice() -> None:
    old = pd.DataFrame({"share": 0.5, "low": 0.5, "high": 0.5}, index=["1", "2", "3", "4"])
    weights = LINKS.assign(weight=10.0)
    twice = pd.concat([weights, weights.iloc[[3]]])
    with pytest.raises(CrosswalkError, match=r"weights: .* twice: 4 → B"):
        move_shares(old, LINKS, weights=twice)
    with pytest.raises(CrosswalkError, match=r"crosswalk: .* twice: 4 → B"):
        move_yes_no(old, pd.concat([LINKS, LINKS.iloc[[3]]]))


def test_service_on_communes_of_before_stays_on_them_though_their_codes_are_used_again() -> None:
    crosswalk = read_crosswalk(embedded_path("crosswalk"))
    code = crosswalk["commune_code"].iloc[0]  # the new commune bears the code of an old one
    before = crosswalk[crosswalk["commune_code_old"] == code].iloc[:1]
    communes = pd.DataFrame(
        {"commune_code": [code], "vintage": BEFORE_2025, "commune_name": before["commune_name_old"]}
    )
    assert links_to(communes, crosswalk).empty
    service = pd.DataFrame({"commune_code": [code], "operator": "A"})
    placed, problems = place_service(service, communes, crosswalk, vintage=BEFORE_2025)
    assert problems == []
    assert placed["vintage"].tolist() == [BEFORE_2025]
