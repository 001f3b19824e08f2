"""Home: what does SSD do with this picture?"""

import streamlit as st

from pages.shared import show, strip, tours

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
    strip.draw_tour(tours.LEARNER)
with teacher, st.container(border=True, height="stretch"):
    st.markdown("**I teach it**")
    strip.draw_tour(tours.TEACHER)
    st.caption("Every view is a link: copy the address bar into your slides.")
with practitioner, st.container(border=True, height="stretch"):
    st.markdown("**I have a data set**")
    strip.draw_tour(tours.PRACTITIONER)
with pipeline:
    show.page(strip.draw_pipeline)
