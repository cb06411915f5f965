"""The page as its readers meet it, in Chromium and from the disk."""

import re

import pytest
from results import NAMES
from selenium.webdriver.common.keys import Keys

RED = {"failed", "error", "crashed", "timed_out", "unexpected_success"}


def test_it_says_at_once_what_it_came_to(browser, pages):
    browser.open(pages.run)
    assert browser.text("h1") == "RED"
    assert "Exit code 1" in browser.text(".headline")
    assert "--rerun 20260104-090000-m4rt" in browser.text("#summary")
    red = [test for test in pages.tests if test["outcome"] in RED]
    assert browser.text("#failures-title") == f"Failures{len(red)}"
    assert browser.texts("#failures .cause > summary .number")[0] == "27 tests"


def test_failures_of_one_cause_are_together_and_the_first_is_open(browser, pages):
    browser.open(pages.run)
    cause = browser.find(".cause[open]")
    assert "stripe.error.APIConnectionError" in cause.text
    assert "checkout, invoices · /app/payments/gateway.py in charge" in cause.text
    assert "return self.session.send(request, timeout=self.timeout)" in cause.text
    assert len(browser.all(".cause[open] > .one")) == 5
    browser.find(".cause[open] .printed > summary").click()
    assert "WARNING retrying in 0.1 s" in browser.text(".cause[open] .printed pre")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("cart voucher", lambda test: "cart" in test["id"].lower() and "voucher" in test["id"].lower()),
        ('"CartTest.test_sends"', lambda test: "CartTest.test_sends" in test["id"]),
        ("tests.test_cart.CartTest.test_", lambda test: "tests.test_cart.CartTest.test_" in test["id"]),
        ("verdict:err", lambda test: test["outcome"] == "error"),
        ("verdict:red", lambda test: test["outcome"] in RED),
        ("is:flaky,skipped", lambda test: test["outcome"] in ("flaky", "skipped")),
        ("app:api", lambda test: test["app"] == "api"),
        ("app:api,health -verdict:passed", lambda test: test["app"] in ("api", "health") and test["outcome"] != "passed"),
        ("class:OrderTest", lambda test: "OrderTest" in test["id"].rsplit(".", 1)[0]),
        ("file:search/tests/test_cart", lambda test: test["id"].startswith("search.tests.test_cart.")),
        ("agent:ci-2 >500ms", lambda test: test["agent"] == "ci-2" and test["seconds"] > 0.5),
        ("<=0.02", lambda test: test["seconds"] is not None and test["seconds"] <= 0.02),
        ("tries:>1", lambda test: "others" in test),
        ("!test_ -app:shop", lambda test: False),
        ("nosuchkey:value", lambda test: False),
        ("/CARTTEST\\.test_[a-m]/ app:api", lambda test: test["app"] == "api" and re.search(r"CartTest\.test_[a-m]", test["id"])),
        ("-/_[0-9]*[13579]$/", lambda test: not re.search("_[0-9]*[13579]$", test["id"])),
        ("/(/", lambda test: False),
        ("Agent:ci-2", lambda test: test["agent"] == "ci-2"),
        ("-agent:ci slot:1", lambda test: (test["agent"], test["slot"]) == ("laptop", 0)),
        ("slot:ci-1/3,laptop/2", lambda test: (test["agent"], test["slot"]) in (("ci-1", 2), ("laptop", 1))),
        ("run:1", lambda test: True),
    ],
)
def test_the_filter_finds_what_it_says(browser, pages, text, fits):
    browser.open(pages.run)
    expected = [test["id"] for test in pages.tests if fits(test)]
    assert browser.filter(text) == len(expected)
    shown = [link.removeprefix("#test=") for link in browser.value("[...document.querySelectorAll('.row:not([hidden]) a')].map((one) => one.hash)")]
    assert shown == [*expected[: len(shown)]]


def test_a_filter_that_means_nothing_says_so(browser, pages):
    browser.open(pages.run)
    assert browser.filter("verdict:purple") == 0
    assert "no verdict begins with purple" in problem(browser)


def problem(browser):
    """What is said of the filter, seen and announced, and tied to the field."""
    found = browser.find("#filter-problem")
    field = browser.find("#filter")
    assert found.get_attribute("role") == "alert" and "filter-problem" in field.get_attribute("aria-describedby").split()
    assert field.get_attribute("aria-invalid") == str(found.is_displayed()).lower()
    below = found.rect["y"] - field.rect["y"] - field.rect["height"]
    assert not found.is_displayed() or 0 <= below < 20
    return found.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nosuchkey:cart", "there is no key nosuchkey, so nosuchkey:cart is looked for as text"),
        ("/cart(/", "/cart(/ is no regular expression, so it is looked for as text"),
        ("at:noon", "at:noon is no stretch of time"),
        ("run:7", "there is no run 7 in this report"),
    ],
)
def test_what_the_filter_cannot_read_is_told_beside_it(browser, pages, text, said):
    browser.open(pages.run)
    assert problem(browser) == ""
    browser.filter(text)
    assert said in problem(browser)
    browser.filter("cart")
    assert problem(browser) == ""


def test_a_key_that_is_unknown_is_searched_for_as_text(browser, pages):
    browser.open(pages.hostile)
    assert browser.filter("javascript:alert(1)") == 1
    assert "there is no key javascript" in problem(browser)
    assert browser.filter('"javascript:alert(1)"') == 1
    assert problem(browser) == ""


@pytest.mark.parametrize("text", ["at:3s..6s", "at:..6s", "at:8000ms..", "at:5s", "-at:3s..6s"])
def test_the_filter_finds_what_ran_at_a_time(browser, pages, text):
    browser.open(pages.run)
    begin, end = {"at:3s..6s": (3, 6), "at:..6s": (0, 6), "at:8000ms..": (8, 1e9), "at:5s": (5, 5), "-at:3s..6s": (3, 6)}[text]
    bars = [bar for bar in pages.bars("run") if bar["ts"] / 1e6 <= end and (bar["ts"] + bar["dur"]) / 1e6 >= begin]
    ran = {bar["name"] for bar in bars}
    assert 0 < len(ran) < len(pages.tests)
    expected = len(pages.tests) - len(ran) if text.startswith("-") else len(ran)
    assert browser.filter(text) == expected


def test_numbers_lead_to_what_they_count(browser, pages):
    browser.open(pages.run)
    browser.find(".chip.is-skipped").click()
    skipped = [test for test in pages.tests if test["outcome"] == "skipped"]
    browser.wait("document.querySelector('.said').innerText.startsWith(arguments[0])", f"{len(skipped)} of 1,468 tests")
    browser.run("document.querySelector('.cause[open] .names li:last-child a').click()")
    browser.wait("document.querySelector('.said').innerText.startsWith('27 of 1,468 tests')")
    assert browser.value("document.getElementById('filter').value") == "cause:1"


def test_everything_can_be_reached_with_keys(browser, pages):
    browser.open(pages.run)
    browser.press("/")
    assert browser.value("document.activeElement.id") == "filter"
    browser.press(*"verdict:red", Keys.ENTER)
    assert browser.value("document.activeElement.id") == "grid"
    assert browser.value("document.getElementById('filter').value") == "verdict:red"
    current = lambda: browser.text(".row.current a")
    names = browser.texts(".row:not([hidden]) a")
    assert current() == names[0]
    browser.press("j", "j", "k")
    assert current() == names[1]
    browser.press(Keys.ENTER)
    browser.wait("!document.getElementById('detail').hidden")
    assert names[1] in browser.text("#detail-title")
    browser.press("j")
    browser.wait("document.getElementById('detail-title').textContent.includes(arguments[0])", names[2])
    browser.press(Keys.ESCAPE)
    assert browser.value("document.getElementById('detail').hidden")
    browser.press(Keys.END)
    assert current() == browser.texts(".row:not([hidden]) a")[-1]


def test_keys_are_letters_where_one_types(browser, pages):
    browser.open(pages.run)
    browser.press("/", "j", "k", "t", "f", "?")
    assert browser.value("document.getElementById('filter').value") == "jktf?"
    assert browser.value("document.querySelector('dialog').open") is False
    browser.press(Keys.ESCAPE)
    assert browser.value("document.getElementById('filter').value") == ""


def test_f_and_p_go_from_red_to_red_and_o_opens_it(browser, pages):
    browser.open(pages.run)
    red = [test["id"] for test in pages.tests if test["outcome"] in RED]
    current = lambda: browser.value("document.querySelector('.row.current a').hash")
    browser.press("f", "f")
    assert current() == "#test=" + red[1]
    browser.press("p")
    assert current() == "#test=" + red[0]
    browser.press("p")
    assert current() == "#test=" + red[-1]
    browser.press("o")
    browser.wait("document.getElementById('detail-title').textContent === arguments[0]", red[-1])
    browser.press("p")
    browser.wait("document.getElementById('detail-title').textContent === arguments[0]", red[-2])


def test_help_explains_keys_and_the_filter(browser, pages):
    browser.open(pages.run)
    browser.press("?")
    help_text = browser.text("dialog[open]")
    for word in ("verdict:failed", "app:shop,blog", ">1s", "-word", "Esc", "the next test that is red", "at:12s..40s", "slot:2", "run:2", "the other tries"):
        assert word in help_text
    keys = browser.texts("dialog kbd")
    assert {"/", "j  k", "f  p", "o  Enter", "←  →", "t", "?", "+  −", "0"} <= set(keys)
    browser.press(Keys.ESCAPE)
    assert browser.value("document.querySelector('dialog').open") is False


def test_an_address_opens_its_test(browser, pages):
    flaky = next(test for test in pages.tests if test["outcome"] == "flaky")
    browser.open(pages.run, "#test=" + flaky["id"])
    browser.wait("!document.getElementById('detail').hidden")
    assert browser.text("#detail-title").replace("\n", "") == flaky["id"]
    assert [text.split(":")[0] for text in browser.texts(".attempt h3")] == ["Try 1", "Try 2"]
    assert "AssertionError" in browser.text(".attempt.is-failed pre.trace")
    assert browser.value("document.querySelector('.row.current a').hash") == "#test=" + flaky["id"]
    red = next(test for test in pages.tests if test["outcome"] == "error")
    browser.go(f"q=verdict:red&test={red['id']}")
    browser.wait("document.getElementById('detail-title').textContent === arguments[0]", red["id"])
    assert "WARNING retrying in 0.1 s" in browser.text("#detail .output")
    assert browser.text(".said").startswith("29 of")


def test_the_address_has_the_try_that_is_shown(browser, pages):
    flaky = next(test for test in pages.tests if test["outcome"] == "flaky")
    browser.size(1400, 420)
    browser.open(pages.run, f"#test={flaky['id']}&try=2")
    chosen = lambda: browser.texts(".attempt.chosen h3 a")
    browser.wait("document.querySelector('.attempt.chosen')")
    assert chosen() == ["Try 2"]
    assert browser.value("document.querySelector('.attempt.chosen').getBoundingClientRect().top < innerHeight - 20")
    assert browser.value("document.getElementById('detail').scrollTop") > 0
    browser.press(Keys.ARROW_LEFT)
    assert chosen() == ["Try 1"]
    assert browser.value("location.hash") == f"#test={flaky['id']}&try=1"
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert browser.value("location.hash") == f"#test={flaky['id']}&try=2"
    browser.run("document.querySelector('.attempt h3 a').click()")
    assert browser.value("location.hash") == f"#test={flaky['id']}&try=1"
    assert browser.value("document.querySelector('.attempt').getAttribute('aria-current')") == "true"
    browser.go(f"test={flaky['id']}&try=77")
    browser.wait("!document.querySelector('.attempt.chosen')")
    assert browser.value("location.hash") == f"#test={flaky['id']}"


def test_an_address_without_its_test_says_so(browser, pages):
    browser.open(pages.run, "#test=shop.tests.Gone.test_away")
    assert "no test shop.tests.Gone.test_away" in browser.text(".note")
    assert browser.value("document.getElementById('detail').hidden")


@pytest.mark.parametrize("id", ["a.", ".", "", "%00", "shop.tests.Gone.%00", "%E0%A4%A"])
def test_no_address_stops_the_page(browser, pages, id):
    browser.open(pages.run, "#test=" + id)
    assert browser.filter("verdict:red") == 29
    assert browser.value("document.getElementById('detail').hidden")


def test_the_address_follows_what_is_shown(browser, pages):
    browser.open(pages.run)
    browser.filter("app:health")
    assert browser.value("location.hash") == "#q=app%3Ahealth"
    browser.run("document.querySelector('.row').click()")
    browser.wait("!document.getElementById('detail').hidden")
    there = browser.value("location.hash")
    assert there.startswith("#q=app%3Ahealth&test=health.tests.")
    browser.open(pages.run, there)
    browser.wait("!document.getElementById('detail').hidden")
    assert browser.text(".said").startswith("6 of")


def test_only_what_is_seen_is_drawn(browser, pages):
    browser.open(pages.run)
    assert browser.value("document.querySelectorAll('.row').length") < 60
    assert browser.find("#grid").get_attribute("aria-rowcount") == str(len(pages.tests) + 1)
    browser.run("const body = document.querySelector('.grid-body'); body.scrollTop = body.scrollHeight")
    last = "#test=" + pages.tests[-1]["id"]
    browser.wait("[...document.querySelectorAll('.row:not([hidden]) a')].some((one) => one.hash === arguments[0])", last)


def test_tests_can_be_put_in_another_order(browser, pages):
    browser.open(pages.run)
    browser.run("const order = document.querySelector('select'); order.value = 'slow'; order.dispatchEvent(new Event('change'))")
    slowest = max(pages.tests, key=lambda test: test["seconds"])
    assert browser.value("document.querySelector('.row a').hash") == "#test=" + slowest["id"]


def test_results_of_several_runs_are_told_apart(browser, pages):
    browser.open(pages.both)
    assert browser.text("header .brand").strip() == "3 results"
    assert len(browser.all(".timeline canvas")) == 3
    same = browser.texts(".row a")[0]
    assert browser.filter(f'"{same}"') == 2
    links = browser.value("[...document.querySelectorAll('.row:not([hidden]) a')].map((one) => one.hash)")
    assert [link.split("&")[1] for link in links] == ["run=1", "run=2"]
    browser.go(links[1])
    browser.wait("!document.getElementById('detail').hidden")
    assert "20260101-090000-d4y0" in browser.text("#detail .facts")


def test_what_changed_and_how_it_went_before(browser, pages):
    browser.open(pages.run)
    assert "20260103-090000-d4y2" in browser.text("#compare")
    assert browser.texts("#compare summary")[0].startswith("Fails now and did not")
    assert len(browser.all("#history tbody tr")) == 4
    strip = browser.find("#history svg.strip").get_attribute("aria-label")
    assert strip == "red 3, flaky 0, passed 1 of 4 runs"


def test_without_scripts_what_failed_can_be_read(browser, pages):
    browser.open(pages.run, scripts=False)
    page = browser.find("body").text
    assert "stripe.error.APIConnectionError: could not reach" in page
    assert "return self.session.send(request, timeout=self.timeout)" in page
    assert "The list of all tests needs scripts" in page
    closed = browser.all(".cause:not([open]) > summary")[0]
    closed.click()
    assert "AssertionError: 19 != 20" in browser.all(".cause")[1].text
    assert browser.all(".tools")[0].is_displayed() is False


def test_old_browsers_unpack_it_by_hand(browser, pages):
    red = next(test for test in pages.tests if test["outcome"] == "error")
    browser.before_load("delete window.DecompressionStream; delete Uint8Array.fromBase64")
    browser.open(pages.run, "#test=" + red["id"])
    browser.wait("!document.getElementById('detail').hidden")
    assert browser.value("typeof DecompressionStream") == "undefined"
    assert "stripe.error.APIConnectionError" in browser.text("#detail .trace")
    assert browser.filter("verdict:red") == 29


SPANS = "[...document.querySelectorAll(arguments[0] + ' span')].map((one) => [one.className, one.textContent])"


@pytest.mark.parametrize("scripts", [True, False], ids=["by the script", "without scripts"])
def test_colours_of_terminals_are_kept_and_all_else_that_drives_them_is_not(browser, pages, scripts):
    red = next(test for test in pages.tests if test["outcome"] == "error")
    browser.open(pages.run, "#test=" + red["id"], scripts=scripts)
    where = "#detail .output" if scripts else ".cause[open] .output"
    if scripts:
        browser.wait("!document.getElementById('detail').hidden")
    spans = browser.value(SPANS, where)
    for span in (
        ["ansi-red ansi-bold", "FAILED"], ["ansi-green", "green "], ["ansi-green ansi-underline", "under"], ["ansi-blue", "blue"],
        ["ansi-magenta", "<img src=x onerror=\"document.title='pwned'\"> goes on"], ["ansi-on-magenta", " and on \ufffd ["],
        ["ansi-on-blue", "c44"], ["ansi-yellow", "c93"],
    ):  # fmt: skip
        assert span in spans, span
    text = browser.value("document.querySelector(arguments[0]).textContent", where)
    assert text.startswith("FAILED plain green under green blue\n<img") and "\x1b" not in text and "\n and on" in text
    assert browser.value("document.querySelectorAll('img').length") == 0
    assert browser.value("document.querySelectorAll('pre [style]').length") == 0


def visible(name):
    """A name as the page shows it."""
    pictures = {"\t": "␉", "\u202e": "[U+202E]", "\u202c": "[U+202C]"}
    return "".join(pictures.get(one, one) for one in name)


def test_hostile_names_are_text_wherever_they_are(browser, pages):
    browser.open(pages.hostile)
    title = browser.value("document.title")
    scripts = browser.value("document.querySelectorAll('script').length")
    rows = "\n".join(browser.texts(".row .name"))
    static = browser.value("document.getElementById('failures').textContent")
    for name in NAMES:
        assert visible(name) in rows, name
        assert visible(name) in static, name
    links = browser.value("[...document.querySelectorAll('.row:not([hidden]) a')].map((one) => one.getAttribute('href'))")
    for name, link in zip(NAMES, links, strict=True):
        browser.go(link)
        browser.wait("document.getElementById('detail-title').textContent.endsWith(arguments[0])", visible(name))
        assert browser.value("document.querySelector('#detail .output').textContent") != ""
        browser.filter('"' + name.replace('"', "") + '"')
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.value("document.title") == title
    assert browser.value("document.querySelectorAll('script').length") == scripts
    assert browser.value("document.querySelectorAll('img, iframe, object, embed, form, base').length") == 0


def test_the_page_forbids_itself_everything_else(browser, pages):
    browser.open(pages.run)
    seen = browser.driver.execute_async_script(
        """const done = arguments[0], seen = [];
        addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
        const image = new Image();
        image.onerror = () => setTimeout(() => done(seen), 0);
        document.body.append(image);
        try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); } catch { seen.push("html refused"); }
        fetch("http://127.0.0.1:9/").catch(() => { image.src = "http://127.0.0.1:9/x.png"; });"""
    )
    assert {"html refused", "connect-src", "img-src"} <= set(seen)
    assert any("Content Security Policy" in error for error in browser.errors())
