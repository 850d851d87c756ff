"""What a GitLab server says of a project's settings: its API, read only, with the person's own token."""
