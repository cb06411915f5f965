"""How the page looks: colours that can be told apart, any width, the timeline."""

import re

import pytest

# The contrast of every text with what is behind it, worst first: [ratio, needed, text].
CONTRAST = """
const parse = (text) => {
  const numbers = text.match(/-?[\\d.]+(e-?\\d+)?/g).map(Number);
  const scale = text.startsWith("color(") ? 255 : 1;
  return [numbers[0] * scale, numbers[1] * scale, numbers[2] * scale, numbers[3] ?? 1];
};
const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
const background = (element) => {
  const layers = [];
  for (let one = element; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
};
const light = (color) => {
  const [r, g, b] = color.slice(0, 3).map((one) => one / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement, style = getComputedStyle(element);
  if (!node.data.trim() || !element.checkVisibility() || element.closest("script, style, .hidden, .skip")) continue;
  const behind = background(element), front = over(parse(style.color), behind);
  const [high, low] = [light(front), light(behind)].sort((one, other) => other - one);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
  found.push([(high + 0.05) / (low + 0.05), large ? 3 : 4.5, element.tagName + "." + element.className + ": " + node.data.trim().slice(0, 40)]);
}
return found.sort((one, other) => one[0] - other[0]);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser, pages, scheme):
    browser.prefer(scheme)
    browser.open(pages.run)
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.run("document.querySelector('.row').click()")
    browser.wait("!document.getElementById('detail').hidden")
    red = browser.find("#compare a").get_attribute("href").split("#")[1]
    browser.go(red)
    browser.wait("document.querySelector('#detail .trace')")
    browser.press("?")
    assert browser.all(".output .ansi-red") != [] and browser.all(".output .ansi-on-cyan") != []
    found = browser.run(CONTRAST)
    assert len(found) > 500
    assert [one for one in found if one[0] < one[1]] == []


def test_marks_differ_in_shape_and_have_words(browser, pages):
    browser.open(pages.run)
    shapes = browser.value("[...document.querySelectorAll('.sprite symbol')].map((one) => one.innerHTML)")
    assert len(shapes) == len(set(shapes)) == 11
    assert browser.texts(".row .hidden")[0].strip() in ("passed", "failed", "error", "skipped", "flaky")


def ground(browser):
    return browser.value("getComputedStyle(document.body).backgroundColor")


def test_colours_follow_the_system_and_then_the_switch(browser, pages):
    browser.open(pages.run)
    light = ground(browser)
    browser.prefer("dark")
    dark = ground(browser)
    assert light == "rgb(255, 255, 255)" and dark != light
    browser.find("#theme").click()
    assert browser.text("#theme") == "Light" and ground(browser) == light
    browser.press("t")
    browser.prefer("light")
    assert browser.text("#theme") == "Dark" and ground(browser) == dark
    browser.driver.refresh()
    browser.wait("document.documentElement.dataset.timeline === 'yes'")
    assert ground(browser) == dark


def test_the_timeline_is_drawn_anew_in_other_colours(browser, pages):
    browser.open(pages.run)
    before = pixels(browser)
    browser.press("t", "t")
    assert pixels(browser) != before


def pixels(browser):
    return browser.value("document.querySelector('canvas').toDataURL()")


def view(browser):
    begin, end = browser.value("document.querySelector('canvas').dataset.view").split("-")
    return int(begin), int(end)


@pytest.fixture
def timeline(browser, pages):
    browser.open(pages.run)
    browser.run("document.querySelector('canvas').scrollIntoView({ block: 'center' })")
    return browser


def place(browser):
    box = browser.value("(({ left, top, width }) => [left, top, width])(document.querySelector('canvas').getBoundingClientRect())")
    return box


def test_the_timeline_zooms_with_keys_and_buttons(timeline):
    whole = view(timeline)
    timeline.run("document.querySelector('canvas').focus({ preventScroll: true })")
    timeline.press("+", "+")
    begin, end = view(timeline)
    assert (end - begin) * 4 == pytest.approx(whole[1], rel=0.01)
    timeline.press("\ue014")
    assert view(timeline)[0] > begin
    timeline.press("0")
    assert view(timeline) == whole
    timeline.find("[aria-label='Zoom in']").click()
    assert view(timeline)[1] - view(timeline)[0] < whole[1]
    timeline.find("[aria-label='Show all of it']").click()
    assert view(timeline) == whole


def test_the_timeline_zooms_and_pans_with_the_mouse(timeline):
    whole, drawn = view(timeline), pixels(timeline)
    left, top, width = place(timeline)
    timeline.drag(left + 400, left + 700, top + 60)
    begin, end = view(timeline)
    assert 0 < begin < end < whole[1] and pixels(timeline) != drawn
    timeline.drag(left + 700, left + 500, top + 60, modifiers=8)
    assert view(timeline)[0] > begin and view(timeline)[1] - view(timeline)[0] == pytest.approx(end - begin, abs=2)
    timeline.mouse("mouseWheel", left + 500, top + 60, deltaX=0, deltaY=-200, modifiers=2)
    timeline.wait("(([from, to]) => to - from < arguments[0])(document.querySelector('canvas').dataset.view.split('-'))", end - begin - 10)
    for click in (1, 2):
        for kind in ("mousePressed", "mouseReleased"):
            timeline.mouse(kind, left + 20, top + 10, button="left", clickCount=click)
    timeline.wait("document.querySelector('canvas').dataset.view === arguments[0]", f"{whole[0]}-{whole[1]}")


def brushed(browser):
    """Drags over a part of the timeline; the seconds that were asked for then."""
    left, top, _ = place(browser)
    browser.drag(left + 400, left + 700, top + 60)
    found = re.fullmatch(r"app:checkout at:([\d.]+)s\.\.([\d.]+)s", browser.value("document.getElementById('filter').value"))
    return float(found[1]), float(found[2])


def test_what_is_chosen_on_the_timeline_is_listed_until_that_is_removed(timeline, pages):
    all_of_it = timeline.filter("app:checkout")
    begin, end = brushed(timeline)
    assert [begin * 1000, end * 1000] == pytest.approx(view(timeline), abs=(end - begin) * 15)
    ran = {bar["name"] for bar in pages.bars("run") if bar["ts"] / 1e6 <= end and (bar["ts"] + bar["dur"]) / 1e6 >= begin}
    expected = {name for name in ran if name.startswith("checkout.")}
    assert 0 < len(expected) < all_of_it
    assert timeline.text(".said").startswith(f"{len(expected)} of")
    timeline.wait("location.hash.includes('&zoom=')")
    link = timeline.value("location.hash")
    timeline.open(pages.run, link)
    assert timeline.text(".said").startswith(f"{len(expected)} of")
    condition = timeline.find(".condition")
    assert condition.text.startswith("Ran from ") and condition.get_attribute("aria-label").endswith("remove this condition")
    condition.click()
    assert timeline.value("document.getElementById('filter').value") == "app:checkout"
    assert timeline.text(".said").startswith(f"{all_of_it} of") and timeline.all(".condition") == []


def test_showing_all_of_the_timeline_lists_all_times(timeline):
    timeline.filter("app:checkout")
    brushed(timeline)
    timeline.find("[aria-label='Show all of it']").click()
    assert timeline.value("document.getElementById('filter').value") == "app:checkout"


def test_a_part_of_the_timeline_can_be_chosen_with_keys(timeline):
    timeline.run("document.querySelector('canvas').focus({ preventScroll: true })")
    timeline.press("+", "+")
    assert timeline.value("document.getElementById('filter').value") == ""
    timeline.press("\ue007")
    assert timeline.value("document.getElementById('filter').value").startswith("at:")
    assert timeline.value("document.getElementById('detail').hidden")
    timeline.press("0")
    assert timeline.value("document.getElementById('filter').value") == ""


def test_the_address_has_the_zoom_of_the_timeline(timeline, pages):
    timeline.run("document.querySelector('canvas').focus({ preventScroll: true })")
    timeline.press("+", "+", "+")
    zoomed = view(timeline)
    timeline.wait("/^#zoom=[0-9.]+s[.]{2}[0-9.]+s$/.test(location.hash)")
    link = timeline.value("location.hash")
    timeline.open(pages.run, link)
    assert view(timeline) == pytest.approx(zoomed, abs=(zoomed[1] - zoomed[0]) / 50)
    assert timeline.value("document.getElementById('filter').value") == ""
    timeline.run("document.querySelector('canvas').focus({ preventScroll: true })")
    timeline.press("0")
    timeline.wait("location.hash === ''")


def test_left_and_right_pan_a_timeline_that_is_zoomed_from_anywhere(timeline):
    timeline.press("\ue014")
    whole = view(timeline)
    timeline.find("[aria-label='Zoom in']").click()
    begin = view(timeline)[0]
    timeline.run("document.activeElement.blur()")
    timeline.press("\ue014")
    assert whole[0] < begin < view(timeline)[0]
    timeline.press("\ue012", "\ue012")
    assert view(timeline)[0] < begin


def test_of_several_runs_the_one_whose_timeline_it_was_is_listed(browser, pages):
    browser.open(pages.both)
    browser.run("document.querySelectorAll('canvas')[1].scrollIntoView({ block: 'center' })")
    browser.run("document.querySelectorAll('canvas')[1].focus({ preventScroll: true })")
    browser.press("+", "\ue007")
    chosen = browser.value("document.getElementById('filter').value")
    assert re.fullmatch(r"at:[\d.]+s\.\.[\d.]+s run:2", chosen)
    browser.wait("/&zoom=[0-9.s]+@2$/.test(location.hash)")
    zoomed = browser.value("[...document.querySelectorAll('canvas')].map((one) => one.dataset.view)")
    said = browser.text(".said")
    browser.open(pages.both, browser.value("location.hash"))
    assert browser.text(".said") == said
    again = browser.value("[...document.querySelectorAll('canvas')].map((one) => one.dataset.view)")
    assert (again[0], again[2]) == (zoomed[0], zoomed[2]) and again[1] != again[0]
    browser.find(".condition").click()
    assert browser.value("document.getElementById('filter').value") == ""


@pytest.mark.parametrize("zoom", ["", "..", "5s..1s", "1e9..2", "9" * 400 + "s..", "1s..2s@9", "1s..2s@x", "1s..2s@constructor"])
def test_no_zoom_of_an_address_stops_the_page(browser, pages, zoom):
    browser.open(pages.run, "#zoom=" + zoom)
    begin, end = view(browser)
    assert 0 <= begin < end
    assert browser.filter("verdict:red") == 29


def test_the_timeline_says_what_is_under_the_pointer_and_opens_it(timeline, pages):
    left, top, width = place(timeline)
    slow = max((bar for bar in pages.bars("run") if bar["name"].startswith("checkout.")), key=lambda bar: bar["dur"])
    moment = (slow["ts"] + slow["dur"] / 2) / 1000
    x = left + 148 + moment / view(timeline)[1] * (width - 148 - 12)
    timeline.mouse("mouseMoved", x, top + 26 + 28)
    tip = timeline.text(".tip")
    assert slow["name"] in tip and "ci-1 1 at" in tip
    timeline.mouse("mouseMoved", left + 160, top + 26 + 28)
    assert "starting pods" in timeline.text(".tip")
    timeline.drag(x, x, top + 26 + 28)
    timeline.wait("document.getElementById('detail-title').textContent === arguments[0]", slow["name"])


def test_the_timeline_tells_stages_apart_in_colours_and_numbers(timeline):
    legend = timeline.texts(".legend li")
    for stage in ("starting pods", "loading Django", "loading tests", "databases", "tests", "fixtures and between tests", "idle"):
        assert any(line.startswith(stage) for line in legend), stage
    colours = timeline.value("[...document.querySelectorAll('.legend i')].map((one) => getComputedStyle(one).backgroundColor)")
    assert len(set(colours)) == len(colours) == 7
    rows = timeline.value("[...document.querySelectorAll('.timeline tbody tr')].map((row) => row.textContent)")
    assert len(rows) == 8 and rows[0].startswith("ci-1 1")
    assert sum(int(cell) for cell in timeline.texts(".timeline tbody td:nth-child(3)")) >= 1468


def test_tests_of_other_tools_are_laid_end_to_end(browser, pages):
    browser.open(pages.hostile)
    assert "laid end to end" in browser.text("#timeline")
    assert browser.value("document.querySelector('canvas').dataset.view") == "0-1200"


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(browser, pages, width):
    browser.size(width, 800)
    for page in (pages.run, pages.hostile):
        browser.open(page)
        browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert browser.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        browser.run("document.querySelector('.row').click()")
        browser.wait("!document.getElementById('detail').hidden")
        assert browser.value("document.getElementById('detail').scrollWidth <= document.getElementById('detail').clientWidth")


def test_parts_have_names_and_order(browser, pages):
    browser.open(pages.run)
    assert [browser.value("document.querySelectorAll(arguments[0]).length", tag) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    assert browser.value("[...document.querySelectorAll('main > section')].every((one) => one.ariaLabel || document.getElementById(one.getAttribute('aria-labelledby')))")
    levels = browser.value("[...document.querySelectorAll('main h1, main h2, main h3')].map((one) => Number(one.tagName[1]))")
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    unnamed = "[...document.querySelectorAll('button, input, select, canvas, nav, aside, dialog, [role=grid]')]"
    unnamed += ".filter((one) => !(one.ariaLabel || one.getAttribute('aria-labelledby') || one.textContent.trim())).map((one) => one.outerHTML)"
    assert browser.value(unnamed) == []
    anchors = browser.value("[...document.querySelectorAll('header nav a')].map((one) => one.hash.slice(1))")
    assert anchors == browser.value("[...document.querySelectorAll('main > section')].map((one) => one.id).slice(1)")
