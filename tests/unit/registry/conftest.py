from fakeregistry import fake as fake
from fakeregistry import fake as other  # noqa: F401 - the name of a second one
