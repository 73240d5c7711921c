"""A report as DOCX, in the form of Decree 30/2020/NĐ-CP, appendix I: A4, margins, Times New Roman.

Word is told what things are, not only how they look: headings, captions, header rows that repeat,
texts for pictures; the page number stands at the head of each page but the first.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import docx
from docx.enum.section import WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from phusong.io.archive import write_archive
from phusong.io.atomic import atomic_path
from phusong.publish.report.blocks import (
    Block,
    Bullets,
    Document,
    Heading,
    PageBreak,
    Paragraph,
    Picture,
    Table,
)
from phusong.words import read_words

__all__ = ["write_docx"]

FONT = "Times New Roman"
BODY_PT, SMALL_PT, TABLE_PT = 13, 12, 9
STYLES = {"Normal": BODY_PT, "Heading 1": BODY_PT, "Heading 2": BODY_PT, "Header": BODY_PT,
          "List Bullet": BODY_PT, "Caption": SMALL_PT, "Title": BODY_PT + 1}  # fmt: skip
PAGE_MM, MARGINS_MM = (210, 297), {"top": 20, "bottom": 20, "left": 30, "right": 15}
TEXT_MM = PAGE_MM[0] - MARGINS_MM["left"] - MARGINS_MM["right"]
PICTURE_MM = (TEXT_MM, 200)
CENTRE, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT


def write_docx(report: Document, path: Path) -> None:
    """Write a report as DOCX; the same report gives the same bytes.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    made = docx.Document()
    _set_up(made, report)
    _head(made, report)
    for block in report.blocks[: report.signed]:
        _put(made, block)
    made.paragraphs[-1].paragraph_format.keep_with_next = True  # no page for the signature alone
    _sign(made, report)
    for block in report.blocks[report.signed :]:
        _put(made, block)
    drawn = BytesIO()
    made.save(drawn)
    with atomic_path(path) as unfinished:
        write_archive(drawn, unfinished, moment=report.moment)


def _set_up(made: Any, report: Document) -> None:
    about = made.core_properties
    about.title, about.subject, about.author = report.kind, report.subject, "phusong"
    about.language = read_words("format", report.lang)["locale"]
    about.created = about.modified = report.moment
    about.comments = "; ".join(report.labels)
    section = made.sections[0]
    section.start_type = WD_SECTION.NEW_PAGE
    section.page_width, section.page_height = (Mm(mm) for mm in PAGE_MM)
    for side, mm in MARGINS_MM.items():
        setattr(section, f"{side}_margin", Mm(mm))
    section.header_distance = section.footer_distance = Mm(10)
    section.different_first_page_header_footer = True
    number = section.header.paragraphs[0]
    number.alignment = CENTRE
    _field(number, "PAGE")
    for name, points in STYLES.items():
        style = made.styles[name]
        style.font.name, style.font.size = FONT, Pt(points)
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for script in ("ascii", "hAnsi", "eastAsia", "cs"):
            fonts.set(qn(f"w:{script}"), FONT)
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        style.paragraph_format.space_before = Pt(6)
        style.paragraph_format.space_after = Pt(6)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), read_words("format", report.lang)["locale"])
    made.styles["Normal"].element.get_or_add_rPr().append(language)
    title = made.styles["Title"]
    title.font.bold = True
    title.element.get_or_add_pPr().remove(title.element.pPr.find(qn("w:pBdr")))  # a blue rule
    caption = made.styles["Caption"]
    caption.font.italic, caption.font.bold = True, False
    caption.paragraph_format.keep_with_next = True


def _head(made: Any, report: Document) -> None:
    """Write the block at the head, and the title."""
    head = made.add_table(rows=2, cols=2)
    head.alignment = WD_TABLE_ALIGNMENT.CENTER
    _fix_widths(head, (40.0, 60.0))
    left, right = head.rows[0].cells
    _line(left, report.authority[0], size=SMALL_PT, is_first=True)
    _line(left, report.authority[1], size=SMALL_PT, bold=True)
    _line(right, report.state, size=SMALL_PT, bold=True, is_first=True)
    _line(right, report.motto, size=BODY_PT, bold=True, underline=True)
    left, right = head.rows[1].cells
    _line(left, report.number, size=BODY_PT, is_first=True)
    _line(right, report.place_and_date, size=BODY_PT, italic=True, is_first=True)
    made.add_paragraph(report.kind, style="Title").alignment = CENTRE
    _line(made, report.subject, size=BODY_PT + 1, bold=True)
    for label in report.labels:
        _line(made, label, size=BODY_PT, bold=True)
    _line(made, report.recipient, size=BODY_PT)


def _line(
    where: Any, text: str, *, size: int, bold: bool = False, italic: bool = False,
    underline: bool = False, is_first: bool = False,
) -> None:  # fmt: skip
    paragraph = where.paragraphs[0] if is_first else where.add_paragraph()
    paragraph.alignment = CENTRE
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    run = paragraph.add_run(text)
    run.font.size, run.bold, run.italic, run.underline = Pt(size), bold, italic, underline


def _put(made: Any, block: Block) -> None:
    if isinstance(block, Heading):
        made.add_heading(block.text, level=block.level)
    elif isinstance(block, Paragraph):
        made.add_paragraph(block.text).alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    elif isinstance(block, Bullets):
        for text in block.texts:
            made.add_paragraph(text, style="List Bullet")
    elif isinstance(block, Table):
        _put_table(made, block)
    elif isinstance(block, Picture):
        _put_picture(made, block)
    elif isinstance(block, PageBreak):
        made.add_page_break()


def _put_table(made: Any, table: Table) -> None:
    made.add_paragraph(table.caption, style="Caption")
    grid = made.add_table(rows=1, cols=len(table.header), style="Table Grid")
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    _narrow_margins(grid)
    for texts in (table.header, *table.rows):
        row = grid.rows[0] if texts is table.header else grid.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for at, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_before = Pt(1)
            paragraph.paragraph_format.space_after = Pt(1)
            run = paragraph.add_run(text)
            run.font.size, run.bold = Pt(TABLE_PT), texts is table.header
            if at in table.numeric:
                paragraph.alignment = RIGHT
    repeats = OxmlElement("w:tblHeader")
    grid.rows[0]._tr.get_or_add_trPr().append(repeats)
    _fix_widths(grid, table.widths)
    made.add_paragraph().paragraph_format.space_after = Pt(0)


def _narrow_margins(grid: Any) -> None:
    """Leave a millimetre beside the texts of cells: there are many columns."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "57")  # twentieths of a point
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    grid._tbl.tblPr.append(margins)


def _fix_widths(grid: Any, parts: tuple[float, ...]) -> None:
    """Give the columns their parts of the text's width, whatever stands in them."""
    grid.autofit = False
    whole = sum(parts)
    for column, part in zip(grid.columns, parts, strict=True):
        column.width = Mm(TEXT_MM * part / whole)
    for cells in zip(*(column.cells for column in grid.columns), strict=True):
        for cell, part in zip(cells, parts, strict=True):
            cell.width = Mm(TEXT_MM * part / whole)


def _put_picture(made: Any, picture: Picture) -> None:
    paragraph = made.add_paragraph()
    paragraph.alignment = CENTRE
    paragraph.paragraph_format.keep_with_next = True
    shape = paragraph.add_run().add_picture(str(picture.path))
    scale = min(Mm(PICTURE_MM[0]) / shape.width, Mm(PICTURE_MM[1]) / shape.height)
    shape.width, shape.height = int(shape.width * scale), int(shape.height * scale)
    about = shape._inline.docPr
    about.set("descr", picture.alt)
    about.set("name", picture.caption)
    caption = made.add_paragraph(picture.caption, style="Caption")
    caption.alignment = CENTRE
    caption.paragraph_format.keep_with_next = False


def _sign(made: Any, report: Document) -> None:
    """Write who gets a copy, and room for the signature."""
    foot = made.add_table(rows=1, cols=2)
    foot.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    _fix_widths(foot, (45.0, 55.0))
    left, right = foot.rows[0].cells
    for at, text in enumerate(report.copies):
        paragraph = left.paragraphs[0] if at == 0 else left.add_paragraph()
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(0)
        run = paragraph.add_run(text)
        run.font.size = Pt(SMALL_PT if at == 0 else SMALL_PT - 1)
        run.bold = run.italic = at == 0
    for at, text in enumerate(report.signature):
        _line(right, text, size=BODY_PT, bold=True, is_first=at == 0)
        if at + 1 < len(report.signature):
            right.paragraphs[-1].paragraph_format.space_after = Pt(54)


def _field(paragraph: Any, code: str) -> None:
    """Add a field that Word fills in, such as the number of the page."""
    run = paragraph.add_run()
    for kind in ("begin", "end"):
        mark = OxmlElement("w:fldChar")
        mark.set(qn("w:fldCharType"), kind)
        run._r.append(mark)
        if kind == "begin":
            text = OxmlElement("w:instrText")
            text.set(qn("xml:space"), "preserve")
            text.text = code
            run._r.append(text)
