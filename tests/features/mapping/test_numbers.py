"""Numbers as people write them: exact to the cent, or refused."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.mapping.numbers import cents_sql, exact_sql, plain_sql
from features.mapping.rules import Decimals

CENTS = st.integers(-(10**14), 10**14)
STYLES = ["{sign}{body}", "{sign}R$ {body}", "R$ {sign}{body}", "{sign}{body} EUR", "{sign}€{body}"]
DUCKDB = duckdb.connect()
NEGATIVE = [*STYLES, "({body})", "{body}-", "(R$ {body})"]


def plain(text: str, decimals: Decimals) -> str | None:
    found: str | None = DUCKDB.execute(f"SELECT {plain_sql('t', decimals)} FROM (SELECT ? AS t)", [text]).fetchall()[0][
        0
    ]
    return found


def cents(number: str) -> Decimal | None:
    found: Decimal | None = DUCKDB.execute(
        f"SELECT {cents_sql(exact_sql('t'))} FROM (SELECT ? AS t)", [number]
    ).fetchall()[0][0]
    return found


def written(amount: Decimal, *, group: str, point: str, style: str) -> str:
    body = f"{abs(amount):,.2f}".replace(",", "G").replace(".", "P").replace("G", group).replace("P", point)
    return style.format(sign="-" if amount < 0 else "", body=body)


@pytest.mark.parametrize(
    ("decimals", "group", "point"), [("comma", ".", ","), ("point", ",", "."), ("comma", " ", ",")]
)
@given(number=CENTS, data=st.data())
def test_an_amount_reads_as_it_was_written(
    decimals: Decimals, group: str, point: str, number: int, data: st.DataObject
) -> None:
    amount = Decimal(number).scaleb(-2)
    style = data.draw(st.sampled_from(NEGATIVE if amount < 0 else STYLES))
    found = plain(written(amount, group=data.draw(st.sampled_from([group, ""])), point=point, style=style), decimals)
    assert found is not None
    assert Decimal(found) == amount


@given(number=st.decimals(-(10**11), 10**11, places=8, allow_nan=False, allow_infinity=False))
def test_cents_are_rounded_half_to_even_as_decimals_are(number: Decimal) -> None:
    assert cents(str(number)) == number.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


@given(number=CENTS)
def test_cents_pass_through_as_they_are(number: int) -> None:
    assert cents(str(Decimal(number).scaleb(-2))) == Decimal(number).scaleb(-2)


@pytest.mark.parametrize("number", ["0.005", "0.015", "-0.005", "-0.015", "2.675", "1.005"])
def test_half_a_cent_goes_to_the_even_one(number: str) -> None:
    assert cents(number) == Decimal(number).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


@given(text=st.text(max_size=30), decimals=st.sampled_from(["plain", "point", "comma"]))
def test_any_text_is_a_number_that_duckdb_reads_or_none(text: str, decimals: Decimals) -> None:
    found = plain(text.replace("\x00", ""), decimals)
    assert found is None or Decimal(found).is_finite()


@given(number=CENTS)
def test_an_amount_with_a_decimal_comma_is_never_read_as_one_with_a_point(number: int) -> None:
    text = written(Decimal(number).scaleb(-2), group=".", point=",", style="{sign}{body}")
    assert [plain(text, "plain"), plain(text, "point")] == [None, None]


@given(number=CENTS)
def test_an_amount_with_a_decimal_point_is_never_read_as_one_with_a_comma(number: int) -> None:
    text = written(Decimal(number).scaleb(-2), group=",", point=".", style="{sign}{body}")
    assert plain(text, "comma") is None


@pytest.mark.parametrize(
    "text", ["1.23,45", "1.2345,00", "1,2,3", "--1", "(-1)", "-1-", "R$", "", "12a", "1 2", "R$ R$ 1"]
)
def test_what_is_written_otherwise_is_refused(text: str) -> None:
    assert plain(text, "comma") is None


@pytest.mark.parametrize("text", ["1,234", "R$ 1", "1 000", "0x10", "inf", "nan", "1e", "."])
def test_plain_numbers_have_neither_groups_nor_currency(text: str) -> None:
    assert plain(text, "plain") is None
