"""Home: what does SSD do with this picture?"""

import streamlit as st

from pages.shared import show, strip

show.header(
    "SSD Explorer",
    "A single shot multibox detector lays thousands of anchors on a picture, learns what each should say, "
    "and keeps the best answers.",
)
pipeline = st.container(key="pipeline")
st.subheader("Three ways in", anchor=False)
learner, teacher, practitioner = st.columns(3, gap="medium")
with learner, st.container(border=True, height="stretch"):
    st.markdown("**I want to understand it**")
    strip.tour_step("1 · One anchor a cell", "anchors", "worked example", show="whole level")
    strip.tour_step("2 · Drag the dog", "matching", "dog and ball")
    strip.tour_step("3 · What each anchor is told", "assignment", "dog and ball")
    strip.tour_step("4 · From scores to boxes", "detections", None)
with teacher, st.container(border=True, height="stretch"):
    st.markdown("**I teach it**")
    strip.tour_step("The lesson's 3 × 16 jaccard table", "matching", "worked example")
    strip.tour_step("Predict: who becomes an orphan?", "matching", "orphan pair", predict=True)
    strip.tour_step("The label list as printed", "assignment", "worked example")
    st.caption("Every view is a link: copy the address bar into your slides.")
with practitioner, st.container(border=True, height="stretch"):
    st.markdown("**I have a data set**")
    strip.tour_step("Too small for any anchor", "assignment", "small objects")
    strip.tour_step("Neighbours that compete", "matching", "crowded")
    strip.tour_step("Longer than any ratio", "anchors", "extreme ratios")
    strip.tour_step("A picture of my own", "matching", None, source="upload")
scene = show.scene_after_header()
with pipeline:
    strip.draw_pipeline(scene)
