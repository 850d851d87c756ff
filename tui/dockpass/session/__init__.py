"""What a person works on: facts and findings, put together once for the command line and the screen."""
