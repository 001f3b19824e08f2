"""Detections: what comes out, and why these?"""

from pages.shared import detections_view, show

show.header(
    "Detections",
    "Score threshold, top-k and non-maximum suppression (NMS) decide which anchors' boxes stay. "
    "Drag a limit; select a verdict to see the box to blame.",
)
show.page(detections_view.body_of)
show.details(
    why="""
Every anchor proposes one box for each class. A candidate is an anchor with a class whose score is above
the **score threshold**. Of each class the best **top-k** go on. **NMS** takes the best box, drops every
other whose jaccard with it is above the **NMS threshold**, and goes on with the best of the rest; within each
class, or among all. Last, a **cap** on the boxes of a picture.

A **missed object** has one verdict: the first stage that lost the last box on it, in the order no box,
wrong class, score too low, top-k, suppressed, cap, counts for another object. Whether anchors cover it
*in training* is another matter. Each button was tried: its limits find the object, at the cost it names.

**Soft NMS** drops nothing at once: it multiplies the score of a close box by $e^{-J^2/\\sigma}$, and the box
leaves when too little of its score is left. *step by step* shows either, box by box.

*evaluation* keeps nearly everything (.01 / .45 / 400 / 200): AP ranks by score; *display* starts at .5.

*Liu et al., SSD, ECCV 2016, section 3.1; torchvision SSD.postprocess_detections; Bodla et al., Soft-NMS,
ICCV 2017.*""",
    think="""
**"A lower score threshold finds more, so it is better."** It finds more of everything. Watch precision fall.

**"NMS merges boxes."** It never moves or averages a box; it only drops (soft NMS: lowers its score). The box
that stays is exactly as it was decoded.""",
)
