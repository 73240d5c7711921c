"""The periodic report: runs in, a document in the form of an administrative report out."""
