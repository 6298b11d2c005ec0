"""Data sets on disk, one file a format; each returns `LabelledImages`.

Nothing is imported here: a reader loads what it needs when it reads.
"""
