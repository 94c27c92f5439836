"""Pictures: drawn by matplotlib, coloured by the page."""
