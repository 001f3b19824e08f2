"""Results: how good is it, what is missed, and why?"""

from pages.shared import show
from pages.shared.results_view import results_of

show.header(
    "Results",
    "Average precision (AP) ranks all detections by score and asks how many are right; behind every number "
    "stand its pictures.",
)
show.page(results_of)
show.details(
    why="""
Per class all detections of all pictures are sorted by score. Each takes the object of its class with the
highest jaccard, if that is at least the **evaluation IoU**; a second hit on the same object is wrong. After
every detection there is a **precision** (share that is right) and a **recall** (share of the objects found);
AP is the area under that curve. The metrics differ in how they draw it: **VOC07** takes the best precision at
eleven recalls, **VOC12** the whole area, **COCO** 101 recalls and the mean over ten IoUs from .50 to .95.

A missed object has exactly one **verdict**, the first stage of the pipeline that lost it.

*Everingham et al., The Pascal VOC challenge, 2010; Lin et al., Microsoft COCO, 2014.*""",
    think="""
**"AP .75 is AP .75."** The same detections give three different numbers under VOC07, VOC12 and COCO; switch
the metric above. Only numbers with the same full name, on the same split, can be compared.

**"A higher score threshold would raise AP."** AP looks at every threshold at once: the score slider moves
precision and recall, never AP.""",
)
