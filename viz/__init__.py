"""The app, the charts and the report."""
