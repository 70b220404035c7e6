"""What people look at: the contact sheet, the report, and the colors of both."""
