"""Pages of reports in a browser: pointing, clicking, printing, and nothing that leaves the page."""

import re
import shutil

import numpy as np
import pytest
from pages import Page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NAMES = ["<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "ß & co", "last"]


@pytest.fixture(scope="module")
def chromium():
    """A browser, or the test skips."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Opened:
    """A page in the browser, and what it said and asked for."""

    def __init__(self, chromium, path, **how):
        self.page = chromium.new_page(**how)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.path = path

    def at(self, row, column, shape):
        """Place of a pixel of the map on the screen."""
        box = self.page.locator("#map").bounding_box()
        return (box["x"] + (column + 0.5) / shape[1] * box["width"],
                box["y"] + (row + 0.5) / shape[0] * box["height"])  # fmt: skip

    def readout(self):
        return self.page.locator("#readout").inner_text()

    def check(self):
        """Nothing was said, and nothing asked for but the page and what it holds."""
        assert self.said == []
        assert {url for url in self.asked if not url.startswith("data:")} == {self.path.as_uri()}
        self.page.close()


@pytest.fixture(scope="module")
def reported(_clustered, tmp_path_factory):
    """Result and page of a map."""
    s = _clustered.deepcopy()
    s.axes_manager.navigation_axes[0].scale = 40.0  # pixels that are not square
    result = s.keep_clusters(s.clusters["pca_gmm"].rename(NAMES))
    path = s.cluster_report(
        tmp_path_factory.mktemp("browser") / "page.html",
        quantification={"kfactors": s.metadata.Ground_truth.kfactors, "extra_elements": ["Au"]},
        homogeneity=False,
    )
    return result, path


def test_pointing_at_the_map_shows_the_cluster(chromium, reported):
    result, path = reported
    opened = Opened(chromium, path)
    shape = result.labels.shape
    box = opened.page.locator("#map").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(64 * 40 / (56 * 1250 / 70), rel=0.02)
    hint = opened.readout()
    seen = set()
    for row, column in [(3, 5), (20, 60), (31, 8), (50, 33), (55, 63), (0, 0)]:
        opened.page.mouse.move(*opened.at(row, column, shape))
        label = result.labels[row, column]
        name = NAMES[label] if label >= 0 else "left out"
        assert opened.readout().startswith(f"{name}: x = ")
        assert f"x = {40 * column:g} nm" in opened.readout()
        strong = opened.page.locator('#spectra path[opacity="1"]')
        assert strong.count() == (label >= 0)
        seen.add(int(label))
        if label >= 0:
            colour = Page(path.read_text("utf8")).numbers["clusters"][label]["colour"]
            assert strong.get_attribute("stroke") == colour
    assert len(seen) > 2
    opened.page.mouse.move(2, 2)
    assert opened.readout() == hint
    assert opened.page.locator("#spectra path[opacity]").count() == 0
    opened.check()


def test_clicking_shows_what_is_known_of_the_cluster(chromium, reported):
    result, path = reported
    opened = Opened(chromium, path)

    def shown():
        texts = opened.page.locator("article.cluster:visible h3").all_inner_texts()
        return [text.strip() for text in texts]

    assert shown() == [NAMES[0]]
    row, column = np.argwhere(result.labels == 2)[40]
    opened.page.mouse.click(*opened.at(row, column, result.labels.shape))
    assert shown() == [NAMES[2]]
    opened.page.locator(".legend button").nth(1).click()
    assert shown() == [NAMES[1]]
    article = opened.page.locator("article.cluster:visible")
    names = article.locator(".fit svg text").all_text_contents()
    assert {"S Kα", "Cu Kα", "Counts", "residual (σ)"} <= set(names)
    assert article.locator("table").first.inner_text().count("±") >= 7
    opened.check()


def test_spectra_are_enlarged_and_made_linear(chromium, reported):
    opened = Opened(chromium, reported[1])
    chart = opened.page.locator("article.cluster:visible .fit svg")
    before = chart.inner_html()
    opened.page.get_by_role("button", name="linear scale").first.click()
    linear = chart.inner_html()
    assert linear != before
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    y = box["y"] + 0.5 * box["height"]
    opened.page.mouse.move(box["x"] + 0.4 * box["width"], y)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + 0.6 * box["width"], y)
    assert "keV" in chart.locator("g text").text_content()
    opened.page.mouse.up()
    assert chart.inner_html() != linear
    opened.page.mouse.dblclick(box["x"] + 0.5 * box["width"], y)
    opened.page.mouse.move(2, 2)
    assert chart.inner_html() == linear
    opened.check()


def test_counts_and_shares_are_told_in_their_units(chromium, reported, clustered, tmp_path):
    result, path = reported
    without = clustered.cluster_report(
        tmp_path / "a.html", quantification=False, homogeneity=False, line_maps=False
    )
    told = []
    for of in (path, without):
        opened = Opened(chromium, of)
        chart = opened.page.locator("article.cluster:visible .fit svg")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        opened.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
        told.append(
            re.fullmatch(r"([\d.]+) keV: ([\d.]+) (.+)", chart.locator("g text").text_content())
        )
        opened.check()
    assert [match[3] for match in told] == ["counts", "% of the counts"]
    energy = np.array(Page(without.read_text("utf8")).numbers["spectra"]["energy"])
    n = np.searchsorted(energy, float(told[1][1]))
    share = result.spectra[0] / result.spectra[0].sum()
    near = 100 * share[max(n - 1, 0) : n + 2]
    assert near.min() * 0.99 <= float(told[1][2]) <= near.max() * 1.01


def test_it_prints_all_clusters(chromium, reported):
    opened = Opened(chromium, reported[1])
    printed = opened.page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 3
    opened.page.emulate_media(media="print")
    assert opened.page.locator("article.cluster:visible").count() == 4
    assert not opened.page.locator("#readout").is_visible()
    opened.check()


def test_nothing_is_wider_than_a_narrow_window(chromium, reported):
    opened = Opened(chromium, reported[1], viewport={"width": 360, "height": 700})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
    opened.check()


def test_without_javascript_the_map_and_the_tables_are_there(chromium, reported):
    context = chromium.new_context(java_script_enabled=False)
    opened = Opened(context, reported[1])
    assert opened.page.locator("#map img").is_visible()
    assert opened.page.locator("article.cluster:visible").count() == 4
    assert "need JavaScript" in opened.page.locator("noscript").inner_text()
    opened.check()


def test_a_line_scan_is_pointed_at(chromium, clustered, tmp_path):
    scan = clustered.inav[:, 20]
    labels = scan.clusters["pca_gmm"].labels
    path = scan.cluster_report(
        tmp_path / "a.html", quantification=False, homogeneity=False, line_maps=False
    )
    opened = Opened(chromium, path)
    assert opened.page.locator("#scan svg path").count() >= 4
    for column in (2, 30, 60):
        opened.page.mouse.move(*opened.at(0, column, (1, 64)))
        assert opened.readout().startswith(f"cluster {labels[column]}: x = ")
        assert "y =" not in opened.readout()
    opened.check()


def test_a_map_of_a_stack_is_chosen(chromium, sulfide, tmp_path):
    data = sulfide.rebin(scale=[2, 2, 1]).data
    stack = type(sulfide)(np.stack([data, data[::-1]]))
    energy = stack.axes_manager.signal_axes[0]
    energy.units, energy.scale = "keV", sulfide.axes_manager.signal_axes[0].scale
    energy.offset = sulfide.axes_manager.signal_axes[0].offset
    stack.metadata.set_item("Acquisition_instrument", sulfide.metadata.Acquisition_instrument)
    result = stack.cluster_pca_gmm(4)
    path = stack.cluster_report(tmp_path / "a.html", quantification=False, line_maps=False)
    opened = Opened(chromium, path)
    for number in (0, 1):
        opened.page.locator("#chooser").select_option(str(number))
        assert opened.page.locator("#map img:visible").count() == 1
        for row, column in ((2, 5), (20, 30)):
            opened.page.mouse.move(*opened.at(row, column, (28, 32)))
            label = result.labels[number, row, column]
            assert opened.readout().startswith(f"cluster {label}" if label >= 0 else "left out")
    opened.check()
