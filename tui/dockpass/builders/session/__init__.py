"""BuildKit's session: what the engine asks of the client of a build, served over a connection of its own."""
