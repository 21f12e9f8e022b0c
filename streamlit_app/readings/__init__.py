"""What pages read: live queries up to the window, published marts beyond.

Here: one typed function per question. Not here: drawing (`streamlit_app/views`, `streamlit_app/components`).
"""
