"""Who builds, pulls and pushes."""
