"""Learning: what does it learn from that?"""

from pages.shared import show
from pages.shared.loss_lab import show_loss_lab
from pages.shared.runs import show_runs
from pages.shared.tabs import open_tab
from pages.shared.teach import show_teach

scene = show.begin(
    "Learning",
    "Each anchor's answer costs a loss; training moves the weights until it costs less. "
    "Teach a small network this picture and watch.",
)
open_tab(
    {
        "teach it this picture": lambda: show_teach(scene),
        "loss lab": lambda: show_loss_lab(scene),
        "runs": show_runs,
    },
    key="learn",
)
