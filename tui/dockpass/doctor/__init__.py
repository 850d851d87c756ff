"""The doctor: one table of checks over variables, configuration, docker's config, build files and a probe."""
