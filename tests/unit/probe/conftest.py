from fakeregistry import fake as fake
