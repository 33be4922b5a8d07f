"""One browser for the tests of this folder."""

import pytest
from gallery_page import GalleryPage, start_browser


@pytest.fixture(scope="package")
def page():
    browser = start_browser()
    yield GalleryPage(browser)
    browser.quit()
