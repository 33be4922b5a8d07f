"""The gallery in headless Chromium, used with mouse and keyboard."""

import shutil
import time

from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-dev-shm-usage "
    "--window-size=1024,720"
)
TIMEOUT_S = 60.0


def start_browser():
    """Start Chromium and its driver, which scripts/browser.sh installs. Without them the test fails."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    assert all(programs), "Chromium or its driver is missing. Install them with: bash scripts/browser.sh"
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(programs[1]))


class GalleryPage:
    """One page in the browser."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, address, *, size=(1024, 720), dark=False, phone=False):
        """Load a page in a window of this size [px]."""
        self.browser.get("about:blank")
        self.browser.get_log("browser")
        width, height = size
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )
        self._command("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self.browser.get(address)
        return self

    def js(self, code, *values):
        return self.browser.execute_script(f"return {code}", *values)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.one(selector).text

    def click(self, selector):
        element = self.one(selector)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def hover(self, selector):
        element = self.one(selector)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.browser).move_to_element(element).perform()

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def choose(self, name, text):
        Select(self.one(f"#filter-{name}")).select_by_visible_text(text)

    def type_seed(self, text):
        self.one("#filter-seed").clear()
        self.one("#filter-seed").send_keys(text)

    @property
    def shown(self):
        """Task and seed of every tile, in order."""
        keys = (tile.get_attribute("data-key").rpartition(" ") for tile in self.all(".tile"))
        return [(task, int(seed)) for task, _, seed in keys]

    @property
    def seeds(self):
        return [seed for _, seed in self.shown]

    @property
    def is_open(self):
        return self.js("document.getElementById('detail').open")

    def videos(self, field):
        """A property of every video in the dialog."""
        return self.js("[...document.querySelectorAll('#screens video')].map((video) => video[arguments[0]])", field)

    def until(self, condition):
        """Wait until a condition is true and return its value."""
        deadline = time.monotonic() + TIMEOUT_S
        while not (value := condition()):
            assert time.monotonic() < deadline, "the condition did not become true in time"
            time.sleep(0.02)
        return value

    def playing(self, count=1):
        """Wait until `count` videos in the dialog play."""
        return self.until(
            lambda: (
                len(self.videos("paused")) == count
                and not any(self.videos("paused"))
                and all(now > 0 for now in self.videos("currentTime"))
            )
        )

    def rewind(self):
        """Pause the videos of the dialog and move them to their start, with the keyboard."""
        self.playing(len(self.all("#screens video")) or 1)
        self.press(Keys.SPACE)
        self.until(lambda: all(self.videos("paused")))
        self.js("document.getElementById('position').focus()")
        self.press(Keys.HOME)
        self.until(lambda: not any(self.videos("currentTime")))

    def messages(self):
        """Warnings and errors in the browser's console."""
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def _command(self, name, **values):
        self.browser.execute_cdp_cmd(name, values)


__all__ = ["GalleryPage", "Keys", "start_browser"]
