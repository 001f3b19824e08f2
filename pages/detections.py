"""Detections: what comes out, and why these?"""

from pages.shared import detections_view, show

show.header(
    "Detections",
    "Each anchor gets a code and scores; score threshold, top-k and non-maximum suppression (NMS) decide "
    "what stays. Drag a threshold; select a verdict to see the box to blame.",
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

*evaluation* keeps nearly everything (.01 / .45 / 400 / 200): AP ranks by score; *display* starts at .5.

*Liu et al., SSD, ECCV 2016, section 3.1; torchvision SSD.postprocess_detections.*""",
    think="""
**"A lower score threshold finds more, so it is better."** It finds more of everything. Watch precision fall.

**"NMS merges boxes."** It never moves or averages a box; it only drops. The box that stays is exactly as it
was decoded.""",
)
