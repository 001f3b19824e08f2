"""Matching: which anchor overlaps which object?"""

from pages.shared import match_view, show, snippets
from pages.shared.scene import Scene


def body(scene: Scene) -> None:
    """The match of the scene, live; first a guess where one is wanted."""
    view = match_view.controls(scene)
    shown = None
    if view.reveal:
        shown = match_view.picture(scene, view)
    else:
        show.contest_canvas(scene, view.contest)
    show.more(scene, scene.anchor, code=snippets.match_code, also=view.table, shown=shown)


show.header(
    "Matching",
    "An anchor answers for an object when their jaccard overlap (IoU) reaches the match threshold; "
    "each object's best anchor is forced. Drag an object.",
)
show.page(body)
show.details(
    why="""
For an object $g$ and an anchor $a$ the jaccard overlap (IoU) is $J = |g ∩ a| / |g ∪ a|$. Each anchor looks
for its best object (maximum down a column) and takes it when $J$ ≥ the match threshold. Each object looks for
its best anchor (maximum along a row) and forces it, so that small objects are learned too. Sources differ:

- **bipartite** (Caffe-SSD, the paper): the best pair of all first, each anchor once. Every object keeps one.
- **overwrite** (most ports, the lesson): object by object; a later one takes the anchor from an earlier one.
- **torchvision**: all best anchors written at once; which duplicate wins is not defined on a GPU.

*Liu et al., SSD, ECCV 2016, section 2.2; Caffe-SSD, MatchBBox; torchvision, SSDMatcher.*""",
    think="""
**"Every object gets an anchor."** Not under *overwrite*: open the orphan pair. Two objects share their best
anchor, the later one takes it, and the first is background in training.

**"A higher threshold gives better boxes."** It gives fewer anchors to each object, and small objects live on
their forced anchor alone.""",
)
