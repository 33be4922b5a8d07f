"""One browser for the tests of a module."""

import pytest
from gallery_page import GalleryPage, start_browser


@pytest.fixture(scope="module")
def page():
    browser = start_browser()
    yield GalleryPage(browser)
    browser.quit()
