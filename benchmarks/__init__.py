"""Side by side with peers: in one run, interleaved, behind green tests. See README.md in this folder."""
