"""Questions that people make up: from a form to SQL, and asking it of what their role may see."""
