"""Chromium with one page in it, and what a person can do with that page."""

import json
import shutil

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.wait import WebDriverWait

# Nothing but the page may ask the network for anything, so a request is the page's.
ARGUMENTS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
 --disable-component-update --disable-sync --disable-default-apps --disable-extensions --mute-audio""".split()
DEADLINE = 30


def program(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise SystemExit(f"needs {names[0]}: install Debian's chromium and chromium-driver, or run tests/bin/browser")
    return found


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome")
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(program("chromedriver")))


class Browser:
    def __init__(self, driver):
        self.driver = driver
        self.injected = []

    def command(self, name, **values):
        return self.driver.execute_cdp_cmd(name, values)

    def reset(self):
        """As if it had just been started."""
        for script in self.injected:
            self.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        self.injected = []
        self.command("Emulation.setScriptExecutionDisabled", value=False)
        self.size(1400, 900)
        self.prefer("light")
        self.driver.get("about:blank")
        self.errors(), self.requests()

    def size(self, width, height):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme):
        """Colours as the system has them, and no motion, so that nothing has to be waited for."""
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        self.command("Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features.items()])

    def before_load(self, script):
        """Runs a script before those of each page."""
        self.injected.append(self.command("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"])

    def open(self, path, fragment="", scripts=True):
        self.driver.get("about:blank")
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.driver.get(f"file://{path}{fragment}")
        if scripts:
            self.wait("document.documentElement.dataset.timeline === 'yes'")
            self.run("localStorage.clear()") if not self.injected else None

    def go(self, fragment):
        self.run("location.hash = arguments[0]", fragment)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def value(self, expression, *arguments):
        return self.run(f"return {expression}", *arguments)

    def wait(self, expression, *arguments):
        """What an expression comes to, as soon as that is true of anything."""
        message = f"never: {expression} {arguments}"
        return WebDriverWait(self.driver, DEADLINE, poll_frequency=0.02).until(lambda _: self.value(expression, *arguments), message)

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def text(self, selector):
        return self.value("document.querySelector(arguments[0])?.innerText ?? null", selector)

    def texts(self, selector):
        return self.value("[...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector)

    def press(self, *keys):
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def mouse(self, kind, x, y, **more):
        self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, begin, end, y, **more):
        held = {"button": "left", "buttons": 1, "clickCount": 1, **more}
        self.mouse("mousePressed", begin, y, **held)
        for step in range(1, 6):
            self.mouse("mouseMoved", begin + (end - begin) * step / 5, y, **held)
        self.mouse("mouseReleased", end, y, **held)

    def filter(self, text):
        """Writes a filter as typing does, and reads how many tests there are."""
        self.run("const box = document.getElementById('filter'); box.value = arguments[0]; box.dispatchEvent(new Event('input'))", text)
        return int(self.text(".said").split()[0].replace(",", ""))

    def errors(self):
        """What the console was told since this was asked last."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """What was asked of anything but the disk since this was asked last, and not forbidden."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        of = lambda method: [one["params"] for one in messages if one["method"] == method]
        forbidden = {one["requestId"] for one in of("Network.loadingFailed") if one.get("blockedReason") == "csp"}
        sent = [one["request"]["url"] for one in of("Network.requestWillBeSent") if one["requestId"] not in forbidden]
        return [url for url in sent if not url.startswith(("file:", "data:", "about:", "blob:"))]
