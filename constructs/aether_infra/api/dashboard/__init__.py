"""The dashboard: one page without any data, which asks the API for all it shows."""
