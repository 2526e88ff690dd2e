"""Graphs as text, mermaid and SVG: what is drawn, how much of it, and that no name steers anything."""

from __future__ import annotations

import itertools
import random
from xml.etree import ElementTree

import pytest

from pgqueue.drawing import MOST_BOXES, Box, Graph, as_mermaid, as_svg, as_text, graph
from pgqueue.drawing.layers import layout

HOSTILE = '"]:::x\n%% <script>alert(1)</script> \x1b[2J‮ `#quot; & \'"\ud800\x00'


def boxes() -> list[Box]:
    return [
        Box(1, "stock", "succeeded", note="0.2 s"),
        Box(2, "risk", "succeeded"),
        Box(3, "ship", "dead", (1, 2), note="after 8 attempts: Timeout"),
        Box(4, "audit", "waiting", (3,)),
        Box(5, "thumbs", "running", total=100_000, ended=87_500, note="87,500 of 100,000"),
        Box(6, "publish", "waiting", (5,)),
        Box(7, "refund", "waiting", (), (3,)),
        Box(8, "last", "waiting", (1, 4, 6)),
    ]


def test_text_leads_each_line_from_what_is_needed_to_what_needs_it() -> None:
    assert list(as_text(graph(boxes()))) == [
        "✔        stock    succeeded · 0.2 s",
        "│ ✔      risk     succeeded",
        "├─✘      ship     dead · after 8 attempts: Timeout",
        "│ ├─○    audit    waiting",
        "│ ○ │    refund   waiting",
        "│   │ ▶  thumbs   running · 87,500 of 100,000",
        "│   │ ○  publish  waiting",
        "○───┴─╯  last     waiting",
    ]


def test_text_joins_no_two_boxes_that_have_nothing_to_do_with_each_other() -> None:
    assert list(as_text(graph([Box(1, "a", "ready"), Box(2, "b", "ready"), Box(3, "c", "ready")]))) == [
        "●    a  ready",
        "  ●  b  ready",
        "●    c  ready",
    ]


def test_mermaid_has_every_box_and_arrow_once() -> None:
    lines = list(as_mermaid(graph(boxes())))
    assert lines[0] == "flowchart LR"
    assert '  n5[["thumbs<br>running · 87,500 of 100,000"]]:::running' in lines
    assert "  n3 -. fails .-> n7" in lines
    assert sum("-->" in line for line in lines) == 7


def test_svg_says_in_words_what_it_shows() -> None:
    tree = ElementTree.fromstring(as_svg(graph(boxes()), "order 42: failed"))
    said = {each.tag.rpartition("}")[2]: each.text or "" for each in tree if each.get("id")}
    assert said["title"] == "order 42: failed"
    assert said["desc"].startswith("8 nodes: 1 dead, 1 running, 4 waiting, 2 succeeded; stock: succeeded; ")
    assert "ship: dead, after stock, risk; " in said["desc"]
    assert "refund: waiting, after ship (if it fails)" in said["desc"]
    assert tree.get("role") == "img"


def test_svg_of_a_page_has_links_and_brings_no_colours() -> None:
    drawn = as_svg(graph(boxes()), "x", lambda box: f"/jobs/{box.number}?a=1&b=2", alone=False)
    assert "<style" not in drawn
    assert " style=" not in drawn
    assert 'role="group"' in drawn
    assert '<a href="/jobs/3?a=1&amp;b=2">' in drawn
    ElementTree.fromstring(drawn)


def test_no_name_steers_a_terminal_a_browser_or_mermaid() -> None:
    drawn = graph([Box(1, HOSTILE, "dead", note=HOSTILE), Box(2, HOSTILE, HOSTILE, (1,))])
    svg = as_svg(drawn, HOSTILE)
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "\x1b" not in svg
    assert "‮" not in svg
    text = "\n".join(as_text(drawn))
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "‮" not in text
    text.encode()
    mermaid = list(as_mermaid(drawn))
    assert len(mermaid) == 5
    assert mermaid[1].count('"') == 2
    assert "%%" not in mermaid[1]
    assert "<script" not in mermaid[1]


def test_of_very_many_boxes_those_are_drawn_that_say_most() -> None:
    many = [Box(n, f"n{n}", "succeeded", (n - 1,)) for n in range(1, 5_000)] + [Box(5_000, "bad", "dead", (4_999,))]
    drawn = graph(many, of=10_000)
    assert len(drawn.boxes) == MOST_BOXES
    assert drawn.boxes_left_out == 10_000 - MOST_BOXES
    assert "bad" in {box.name for box in drawn.boxes}
    assert "9,800 more nodes are not drawn" in list(as_text(drawn))[-1]
    assert len(as_svg(drawn, "x")) < 300_000


def test_rows_that_contradict_themselves_are_drawn_all_the_same() -> None:
    odd = graph([Box(1, "a", "ready", (2,)), Box(2, "b", "ready", (1, 1, 99)), Box(3, "c", "ready", (3,))])
    assert [(arrow.begin, arrow.end) for arrow in odd.arrows] == [(1, 2)]
    assert len(list(as_text(odd))) == 3
    ElementTree.fromstring(as_svg(odd, "x"))
    assert list(as_text(graph([]))) == []
    ElementTree.fromstring(as_svg(graph([]), "empty"))


@pytest.mark.parametrize("seed", range(20))
def test_each_box_has_a_place_of_its_own_right_of_all_that_it_needs(seed: int) -> None:
    dice = random.Random(seed)
    drawn = graph(
        Box(n, f"n{n}", "waiting", tuple(dice.sample(range(1, n), min(n - 1, dice.randrange(4)))))
        for n in range(1, dice.randrange(2, 120))
    )
    where = layout(drawn)
    places = [(place.column, round(place.row, 3)) for place in where.boxes.values()]
    assert len(set(places)) == len(drawn.boxes)
    for arrow, way in where.ways:
        assert where.boxes[arrow.begin].column < where.boxes[arrow.end].column
        assert [place.column for place in way] == list(range(way[0].column, way[-1].column + 1))
    _check_lines(drawn)


def _check_lines(drawn: Graph) -> None:
    """Every row has one mark; a line that leaves a row downwards goes on in the next."""
    rows = [line.split("  n")[0] for line in as_text(drawn)]
    width = max(map(len, rows), default=0)
    for above, below in itertools.pairwise(rows):
        for at, letter in enumerate(above.ljust(width)):
            if letter in "│├┤┼":
                assert below.ljust(width)[at] in "│├┤┼╰╯┴○", (above, below)
