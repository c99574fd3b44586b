"""Pictures of a document, as vectors and as characters. Takes widths; knows no record."""
