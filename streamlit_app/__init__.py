"""What people see: Streamlit pages over the live API and the published copies."""
