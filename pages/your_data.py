"""Your data: can SSD learn it? No model is needed."""

from pages.shared import show
from pages.shared.your_data import your_data

show.header(
    "Your data",
    "Whatever no anchor overlaps is not learned, and a broken box breaks the loss: both can be known before "
    "any training.",
)
show.page(your_data)
show.details(
    why="""
An object is **covered** when some anchor reaches the match threshold with it, measured as **jaccard** =
intersection / union. Under the rule *bipartite* the best anchor of an object is forced onto it even below the
threshold, so it still has one positive anchor, which fits it badly: *forced only*.

Four limits of the anchors are lifted one at a time to find the **cause** of a poor jaccard: their **size**,
their aspect **ratio**, the **stride** of their cells, and the **clip** at the picture's border. The cause is
the limit whose lifting helps most.

*Liu et al., SSD, ECCV 2016, section 2.2; Redmon and Farhadi, YOLO9000, 2017 (anchors from k-means).*""",
    think="""
**"My pictures are large, so my objects are large."** What counts is the size after the picture was brought to
training size: 40 px of a 4,000 px picture are 3 px at 300.

**"k-means on widths and heights gives the best anchors."** It forgets the grid: an object between two cell
centres loses jaccard to the stride, whatever its shape. The optimiser measures every try on the true grid.

**"Boxes follow the picture by themselves."** They do not; the augmentation tab shows the wrong way too.""",
)
