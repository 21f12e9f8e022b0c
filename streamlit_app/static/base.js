// Where the app answers: without it Streamlit's page looks below the page's own address first, and fails.
window.__streamlit = { BACKEND_BASE_URL: `${location.origin}/`, MAIN_PAGE_BASE_URL: `${location.origin}/` };
