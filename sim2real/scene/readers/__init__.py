"""One module or package per kind of file; ``registry`` names them, and imports a reader when a file asks for it."""
