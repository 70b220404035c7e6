"""What is measured; the tables are in README.md."""
