"""Where values come from: the process environment, env files and edits."""
