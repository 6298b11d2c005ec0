"""What `conceptspace theory` answers: sentences and a figure for each kind of equations."""
