"""Names of images, repositories and registries: how they are parsed, compared and written."""
