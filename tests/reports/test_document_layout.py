"""Widths of columns and words that may break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.document import Heading, Paragraph, Table
from reports.document_layout import let_break, level_headings, measure_picture, share_widths, widen_shares
from tests.reports.document_samples import DIGEST, build_png

shares = st.lists(st.floats(0.01, 1), min_size=1, max_size=8)


@given(shares, st.data())
def test_no_column_is_narrower_than_its_need_where_all_fit(weights: list[float], data: st.DataObject) -> None:
    wanted = [weight / sum(weights) for weight in weights]
    needed = data.draw(st.lists(st.floats(0, 0.5), min_size=len(wanted), max_size=len(wanted)))
    found = widen_shares(wanted, needed)
    assert sum(found) == pytest.approx(1)
    if sum(needed) < 1:
        assert all(share >= need - 1e-6 for share, need in zip(found, needed, strict=True))


def test_a_narrow_column_is_widened_for_its_longest_word() -> None:
    table = Table(("Kindergarten", "b"), (("x", "y"),), (0.02, 0.98))
    first, second = share_widths(table)
    assert first > 0.1 and first + second == pytest.approx(1)


def test_widths_are_found_where_none_are_given() -> None:
    widths = share_widths(Table(("n", "words"), tuple((str(n), "many words here " * 5) for n in range(9))))
    assert sum(widths) == pytest.approx(1) and widths[1] > 2 * widths[0]
    assert share_widths(Table((), ())) == ()


def test_long_words_may_break_and_short_ones_not() -> None:
    assert let_break("plain words 幸福路") == "plain words 幸福路"
    broken = let_break(DIGEST)
    assert broken.replace("\u200b", "") == DIGEST and max(map(len, broken.split("\u200b"))) <= 8


def test_pictures_never_leave_the_page() -> None:
    assert measure_picture(build_png(60, 40), 0.5) == pytest.approx((84, 56))
    width, height = measure_picture(build_png(20, 200), 1.0)
    assert height <= 215 and height / width == pytest.approx(10)


def test_headings_step_down_one_at_a_time() -> None:
    blocks = level_headings([Heading("a", 3), Paragraph("x"), Heading("b", 3), Heading("c", 1), Heading("d", 3)])
    assert [block.level for block in blocks if isinstance(block, Heading)] == [1, 2, 1, 2]
