"""Parts that every page shares: the frame, formats, states. Data comes from `streamlit_app/readings`."""
