"""SSD Explorer: page config, navigation, and the scene that every page shares."""

from pathlib import Path

import streamlit as st

from pages.shared import picker, privacy, scene, show

ASSETS = Path(__file__).parent / "assets"
STYLE = ASSETS / "app.css"

st.set_page_config(page_title="SSD Explorer", page_icon=str(ASSETS / "icon.svg"), layout="wide")
st.html(STYLE)
scene.warm_up()
privacy.protect()
page = show.navigation()
picker.draw_sidebar()
page.run()
show.say_notes()
