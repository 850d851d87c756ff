"""What a GitLab job would see: definitions from everywhere, resolved as GitLab and its runner do it.

Pure: nothing here touches the network, runs a program, or reads a file on its own.
"""
