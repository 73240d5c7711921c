"""How QGIS shows our layers when it opens them: the classes of our maps, names of fields."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from phusong.publish.palette import BREAKS, CLASSES, NO_DATA

__all__ = ["alias_of", "style_layer"]

FIELDS = {
    "rank": "Thứ tự", "commune_code": "Mã xã", "vintage": "Bản đồ xã", "commune_name": "Tên xã",
    "commune_type": "Loại", "province_code": "Mã tỉnh", "district_name": "Huyện (cũ)",
    "area_km2": "Diện tích (km²)", "polygon_km2": "Diện tích vẽ (km²)", "population": "Dân số",
    "households": "Số hộ", "missing": "Còn thiếu", "certainty": "Mức chắc chắn",
    "basis": "Tính theo", "population_raster_factor": "Hệ số lưới dân số",
    "population_spread": "Cách rải dân số", "share_low_cost": "Giá thấp",
    "share_low_cost_low": "Giá thấp (thấp)", "share_low_cost_high": "Giá thấp (cao)",
    "people_uncovered": "Người chưa phủ", "area_uncovered_km2": "Diện tích chưa phủ (km²)",
    "broadband": "Băng rộng", "operators_present": "Nhà mạng có mặt",
    "nearest_site_id": "Trạm gần nhất", "nearest_site_operator": "Nhà mạng của trạm gần nhất",
    "nearest_site_technology": "Công nghệ của trạm gần nhất", "nearest_site_km": "Cách trạm (km)",
    "nearest_mast_km": "Cách cột (km)", "reason": "Lý do", "broadband_b0": "B0: có dịch vụ",
    "broadband_b1": "B1: tại trung tâm", "broadband_b2": "B2: ≥ 95 % thôn, bản",
    "broadband_b3": "B3: ≥ 95 % hộ", "synthetic": "Giả lập", "schematic": "Ranh giới sơ đồ",
    "income_vnd_month": "Thu nhập (đồng/tháng)", "terrain_class": "Loại địa hình",
    "poverty_share": "Tỷ lệ nghèo", "minority_share": "Tỷ lệ dân tộc thiểu số",
}  # fmt: skip
SHARES = {"area": "Diện tích phủ", "population": "Dân số phủ"}
BOUNDS = {"low": " (thấp)", "high": " (cao)"}
SHARE = re.compile(r"share_(area|population)_([^_]+)(?:_(.+?))??(?:_(low|high))?")


def alias_of(field: str) -> str:
    """Return the Vietnamese name of a field; one that has none keeps its own.

    Examples
    --------
    >>> alias_of("commune_name"), alias_of("share_population_5g_viettel_low"), alias_of("x")
    ('Tên xã', 'Dân số phủ 5G, viettel (thấp)', 'x')
    """
    found = SHARE.fullmatch(field)
    if found is None:
        return FIELDS.get(field, field)
    what, service, operator, bound = found.groups()
    whose = {None: "", "two_or_more": ", từ hai nhà mạng"}.get(operator, f", {operator}")
    return f"{SHARES[what]} {service.upper()}{whose}{BOUNDS.get(bound, '')}"


def style_layer(fields: Iterable[str], *, shown: str) -> str:
    """Return the style of a layer of polygons as QML: a share in the classes of our maps.

    Parameters
    ----------
    fields : iterable of str
        Of the layer; they get their Vietnamese names.
    shown : str
        The share that decides the colour, 0 to 1; unknown is grey.
    """
    root = ElementTree.Element("qgis", version="3.28", styleCategories="Symbology|Fields")
    fill = ElementTree.SubElement(root, "renderer-v2", type="RuleRenderer", symbollevels="0")
    rules = ElementTree.SubElement(fill, "rules", key="all")
    symbols = ElementTree.SubElement(fill, "symbols")
    edges = (0.0, *BREAKS, 1.0)
    classes = [(f'"{shown}" IS NULL', "chưa biết", NO_DATA)]
    for i, colour in enumerate(CLASSES):
        low, high, is_last = edges[i], edges[i + 1], i == len(CLASSES) - 1
        test = f'"{shown}" >= {low:g} AND "{shown}" {"<=" if is_last else "<"} {high:g}'
        classes.append((test, f"{100 * low:g} – {100 * high:g} %", colour))
    for i, (test, label, colour) in enumerate(classes):
        ElementTree.SubElement(
            rules, "rule", key=f"class{i}", symbol=str(i), filter=test, label=label
        )
        symbol = ElementTree.SubElement(symbols, "symbol", type="fill", name=str(i), alpha="1")
        layer = ElementTree.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1"})
        options = ElementTree.SubElement(layer, "Option", type="Map")
        for name, value in (("color", _rgba(colour)), ("outline_color", "90,90,90,255"),
                            ("outline_width", "0.1"), ("style", "solid")):  # fmt: skip
            ElementTree.SubElement(options, "Option", type="QString", name=name, value=value)
    aliases = ElementTree.SubElement(root, "aliases")
    for i, field in enumerate(fields):
        ElementTree.SubElement(aliases, "alias", index=str(i), field=field, name=alias_of(field))
    return ElementTree.tostring(root, encoding="unicode")


def _rgba(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"
