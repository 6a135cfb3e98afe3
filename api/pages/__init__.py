"""The web pages: rendered on the server, in the reader's language, with nothing inline and nothing foreign."""
