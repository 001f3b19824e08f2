"""Detections: what comes out, and why these?"""

from dataclasses import replace

import streamlit as st

from pages.shared import detector, show, snippets
from pages.shared import scene as scenes

scene = show.begin(
    "Detections",
    "Each anchor gets a code and scores; score threshold, top-k and non-maximum suppression (NMS) decide "
    "what stays. Drag the score.",
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    model = detector.model_picker(scene)
    config = detector.limits()

code = None
with show.errors():
    if model is not None and detector.knows(model, scene):
        with st.spinner("The network looks at the picture, once …"):
            predictor, output = scenes.predictor_of(model), scenes.output_of(scene, model=model)
        limits = replace(config, score_threshold=detector.score())
        candidates, shown = predictor.select(output, config), predictor.select(output, limits)
        code = snippets.detect_code(scene, model=model, config=limits)
        detector.draw(scene, predictor, candidates)
        detector.stages(scene, predictor, candidates, output)
        detector.verdict(scene, predictor, shown, candidates, output)
        with st.expander("Download", icon=":material/download:"):
            detector.downloads(scene, predictor, shown)
    else:
        picture, why = st.columns((2, 1), gap="medium")
        with picture:
            show.scene_canvas(scene, mode="matching", editable=False, static=True, max_height_px=480)
        with why:
            detector.explain_misfit(scene)
show.details(
    why="""
Every anchor proposes one box for each class. A candidate is an anchor with a class whose score is above
the **score threshold**. Of each class the best **top-k** go on. **NMS** takes the best box, drops every
other whose jaccard with it is above the **NMS threshold**, and goes on with the best of the rest; within each
class, or among all. Last, a **cap** on the boxes of a picture.

*evaluation* keeps nearly everything (.01 / .45 / 400 / 200): AP ranks by score; *display* starts at .5.

*Liu et al., SSD, ECCV 2016, section 3.1; torchvision SSD.postprocess_detections.*""",
    think="""
**"A lower score threshold finds more, so it is better."** It finds more of everything. Watch precision fall.

**"NMS merges boxes."** It never moves or averages a box; it only drops. The box that stays is exactly as it
was decoded.""",
    code=code,
)
