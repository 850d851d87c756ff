"""What a build pulls: base images read from a Dockerfile or a werf.yaml."""
