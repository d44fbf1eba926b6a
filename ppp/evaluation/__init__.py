"""What is measured, and the reports."""
