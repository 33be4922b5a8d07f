"""Parses a gallery page without a browser."""

import base64
import json
from html.parser import HTMLParser


class PageParts(HTMLParser):
    """The elements of a page.

    Attributes:
        elements: (tag, attributes) of every element, in order.
        blocks: (attributes, text) of every script element.
        style: Text of the style element.
        texts: Text outside of scripts and styles.
    """

    def __init__(self, page):
        super().__init__()
        self.elements, self.blocks, self.style, self.texts = [], [], "", []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.blocks.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            attrs, text = self.blocks[-1]
            self.blocks[-1] = (attrs, text + data)
        elif self._inside == "style":
            self.style += data
        else:
            self.texts.append(data)

    @property
    def model(self):
        return json.loads(next(text for attrs, text in self.blocks if attrs.get("id") == "model"))

    @property
    def program(self):
        return next(text for attrs, text in self.blocks if not attrs)

    @property
    def policy(self):
        return next(a["content"] for tag, a in self.elements if a.get("http-equiv") == "Content-Security-Policy")

    @property
    def videos(self):
        return {a["id"]: base64.b64decode(text) for a, text in self.blocks if a.get("type") == "text/plain"}

    @property
    def episodes(self):
        return [episode for run in self.model["runs"] for episode in run["episodes"]]
