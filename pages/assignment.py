"""Assignment: what is each anchor told to predict?"""

from pages.shared import show, snippets, told_view
from pages.shared.scene import Scene


def body(scene: Scene) -> None:
    """Every anchor in the colour of what it is told, and the codes behind it."""
    coder = told_view.controls(scene)
    shown = told_view.picture(scene)
    told_view.tables(scene, coder)
    show.more(scene, scene.anchor, code=snippets.assignment_code, shown=shown)


show.header(
    "Assignment",
    "Positive anchors are told their object's class and box, negative ones background, ignored ones nothing.",
)
show.page(body)
show.details(
    why="""
A positive anchor $p$ that answers for $g$ is told its class and four codes:
$t_x = \\frac{g_x - p_x}{p_w v_1}$, $t_y = \\frac{g_y - p_y}{p_h v_1}$, $t_w = \\ln(g_w/p_w)/v_2$,
$t_h = \\ln(g_h/p_h)/v_2$. The *variances* $v_1 = 0.1$ and $v_2 = 0.2$ divide, so that the four numbers are
about as large as the logits; without them the localisation loss hardly counts. Negative anchors are told
background and no box. Anchors close to a difficult or crowd object are ignored.

The lesson codes with tanh: a centre moves at most half a cell, a side grows or shrinks by at most a half.

*Liu et al., SSD, ECCV 2016, section 2.2; Caffe-SSD prior_variance.*""",
    think="""
**"A negative anchor is a mistake."** No: nearly all are negative, and must be. That is why training mines
only three hard negatives for each positive.

**"Orphans are rare."** Count them on your own data: under *overwrite* every pair of objects that shares its
best anchor makes one.""",
)
