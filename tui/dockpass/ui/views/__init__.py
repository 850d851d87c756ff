"""What the screens show, as rows and words. Pure; imports no Textual."""
