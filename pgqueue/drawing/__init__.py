"""Graphs as people look at them: text for a terminal, mermaid for a page of notes, SVG for a browser. No database here.

drawn = graph(boxes)
print("\n".join(as_text(drawn)))
"""

from pgqueue.drawing.as_mermaid import as_mermaid
from pgqueue.drawing.as_svg import as_svg
from pgqueue.drawing.as_text import as_text
from pgqueue.drawing.graph import MOST_BOXES, Box, Graph, graph
from pgqueue.drawing.rails import Rail, rails

__all__ = ["MOST_BOXES", "Box", "Graph", "Rail", "as_mermaid", "as_svg", "as_text", "graph", "rails"]
