"""The same report as a PDF: A4 across, every section, light and picture; long tables are cut and say so."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import matplotlib as mpl
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from training.reporting.page import Cell, ShownPicture, ShownSection, ShownTable, counted
from training.reporting.words import Words

_FONT = "DejaVu"
_MOST_ROWS = 60
_LINE = 4.2
_WIDE_PICTURE, _NARROW_PICTURE = 150.0, 88.0
_COLOURS = {"green": (11, 110, 79), "amber": (138, 83, 0), "red": (176, 28, 28), "not_available": (82, 96, 109)}
_SOFT = (82, 96, 109)


class _Document(FPDF):  # type: ignore[misc]  # the library is not followed by the type checker
    """A4 across, with page numbers; fonts are those that come with matplotlib."""

    def __init__(self, footer: str) -> None:
        super().__init__(orientation="landscape", format="A4")
        self._footer = footer
        fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
        self.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        self.set_margin(12)
        self.set_auto_page_break(auto=True, margin=14)

    def footer(self) -> None:
        """The version and the number of the page."""
        self.set_y(-10)
        self.set_font(_FONT, size=7)
        self.set_text_color(*_SOFT)
        self.cell(0, 5, f"{self._footer} · {self.page_no()}/{{nb}}", align="R")


def document(
    sections: Sequence[ShownSection], said: Words, *, version: str, policy_version: str, made_at: datetime
) -> bytes:
    """The bytes of the PDF; ``made_at`` dates it, so that the same report is the same file."""
    found = _Document(f"Acerto · {said('title')} {version}")
    found.set_creation_date(made_at)
    found.set_lang(said("lang"))
    found.set_title(f"Acerto: {said('title')} {version}")
    found.add_page()
    _text(found, said("title"), size=18, bold=True)
    _text(found, said("subtitle", version=version), soft=True)
    _text(found, f"{said('summary')}: {counted(sections, said)}", size=11, bold=True)
    _text(found, said("summary_text", version=policy_version), soft=True)
    _text(found, said("interval_note"), soft=True)
    _lights(found, sections, said)
    for section in sections:
        _section(found, section, said)
    _text(found, said("references"), soft=True)
    return bytes(found.output())


def _section(found: _Document, section: ShownSection, said: Words) -> None:
    if found.will_page_break(40):
        found.add_page()
    found.ln(4)
    found.start_section(f"{section.number}. {section.title}")
    _text(found, f"{section.number}. {section.title}", size=13, bold=True)
    if section.missing is not None:
        _text(found, f"{said('missing_title')}. {section.missing}")
        return
    for light in section.lights:
        where = f" ({light.about})" if light.about else ""
        _text(
            found,
            f"{light.named} · {light.question}: {light.found.text}{where}",
            colour=_COLOURS[light.colour],
            bold=True,
        )
    for note in section.notes:
        _text(found, note, soft=True)
    _pictures(found, section.pictures)
    for one in section.tables:
        if one.rows:
            _table(found, one, said)


def _text(
    found: _Document, text: str, *, size: float = 8, bold: bool = False, soft: bool = False,
    colour: tuple[int, int, int] = (31, 41, 51),
) -> None:  # fmt: skip
    found.set_font(_FONT, "B" if bold else "", size)
    found.set_text_color(*(_SOFT if soft else colour))
    found.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")
    found.ln(1)


def _pictures(found: _Document, pictures: Sequence[ShownPicture]) -> None:
    """One large, or several in rows of three."""
    if not pictures:
        return
    if len(pictures) == 1:
        found.image(io.BytesIO(pictures[0].png), w=min(_WIDE_PICTURE, found.epw), alt_text=pictures[0].alt)
        return
    across = int(found.epw // _NARROW_PICTURE)
    height = 72.0
    for number, one in enumerate(pictures):
        if number % across == 0:
            if number:
                found.ln(height + 2)
            if found.will_page_break(height + 4):
                found.add_page()
        found.image(
            io.BytesIO(one.png), x=found.l_margin + (number % across) * _NARROW_PICTURE, y=found.get_y(),
            w=_NARROW_PICTURE - 4, h=height, keep_aspect_ratio=True, alt_text=one.alt,
        )  # fmt: skip
    found.ln(height + 4)


def _lights(found: _Document, sections: Sequence[ShownSection], said: Words) -> None:
    heads = [said(name) for name in ("section", "question", "verdict", "found", "about", "limits", "size")]
    found.set_font(_FONT, size=6.5)
    found.set_text_color(31, 41, 51)
    with found.table(
        col_widths=(16, 32, 10, 20, 18, 22, 10), line_height=3.4, borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD"), text_align="LEFT", padding=0.7,
    ) as drawn:  # fmt: skip
        drawn.row(heads)
        for section in sections:
            for light in section.lights:
                row = drawn.row()
                row.cell(section.title)
                row.cell(f"{light.question}\n{light.code}")
                row.cell(light.named, style=FontFace(emphasis="BOLD", color=_COLOURS[light.colour]))
                row.cell(_joined(light.found))
                row.cell(light.about)
                row.cell(light.limits)
                row.cell(light.size)


def _table(found: _Document, one: ShownTable, said: Words) -> None:
    _text(found, one.caption, bold=True)
    found.set_font(_FONT, size=7 if len(one.heads) <= 8 else 5.6)
    found.set_text_color(31, 41, 51)
    widths = _widths(one)
    with found.table(
        width=min(found.epw, sum(widths) * 1.7), col_widths=widths, line_height=3.4,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, headings_style=FontFace(emphasis="BOLD"), align="LEFT",
        text_align=tuple("RIGHT" if numeric else "LEFT" for numeric in one.numeric), padding=0.7,
    ) as drawn:  # fmt: skip
        drawn.row(one.heads)
        for row in one.rows[:_MOST_ROWS]:
            drawn.row([_joined(cell) for cell in row])
    if len(one.rows) > _MOST_ROWS:
        _text(found, said("not_shown", rows=len(one.rows) - _MOST_ROWS), soft=True)
    if one.certain:
        _text(found, one.certain, soft=True)
    found.ln(2)


def _widths(one: ShownTable) -> tuple[float, ...]:
    """In proportion to the longest line of each column, within bounds."""
    longest = [
        max(
            [
                max(map(len, head.split())) * 1.3,
                *(len(line) for row in one.rows[:_MOST_ROWS] for line in (row[place].text, row[place].small)),
            ]
        )
        for place, head in enumerate(one.heads)
    ]
    return tuple(float(min(max(length, 8), 48)) for length in longest)


def _joined(cell: Cell) -> str:
    return f"{cell.text}\n{cell.small}" if cell.small else cell.text
