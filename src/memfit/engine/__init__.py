"""What inference runtimes allocate: one file an engine, and the records they share."""
