"""The report in a real browser: opened as a file, pointed at, clicked, and walked by keyboard."""

import contextlib
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1180,1400",
)  # fmt: skip

try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None

pytestmark = [
    pytest.mark.skipif(webdriver is None, reason="selenium is not installed"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
    pytest.mark.skipif(not CHROMEDRIVER, reason="there is no chromedriver on this machine"),
]

POINT = """
const [name, seed, at] = arguments;
const plot = document.getElementById("plane");
const trace = plot.data.find((t) => t.customdata && t.customdata[0][0] === name
  && String(t.customdata[0][1]) === String(seed));
const x = trace.x[at], y = trace.y[at];
const box = plot.getBoundingClientRect(), full = plot._fullLayout;
const left = box.left + full._size.l + full.xaxis.d2p(x);
const top = box.top + full._size.t + full.yaxis.d2p(y);
return [left, top, x, y];
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=CHROMEDRIVER)
    )
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def log() -> list[dict]:
    """What the console said; Chromium hands each line over once."""
    return []


@pytest.fixture
def report(browser: Any, report_file: Path, log: list[dict]) -> Any:
    browser.get(report_file.as_uri())
    WebDriverWait(browser, 60).until(
        lambda driver: driver.execute_script("return document.body.dataset.ready === 'yes'")
    )
    log += browser.get_log("browser")
    return browser


def _point_at(report: Any, name: str, seed: str | int, at: int) -> tuple[float, float]:
    """Move the mouse to a checkpoint; returns its coordinates."""
    report.execute_script(
        "document.getElementById('plane').scrollIntoView({block: 'center', behavior: 'instant'})"
    )
    x, y, first, second = report.execute_script(POINT, name, seed, at)
    mouse = ActionChains(report, duration=60)
    mouse.w3c_actions.pointer_action.move_to_location(int(x) - 90, int(y) - 60)
    mouse.w3c_actions.pointer_action.move_to_location(round(x), round(y))
    mouse.perform()
    return first, second


def _panel(report: Any) -> Any:
    return report.find_element(By.ID, "panel")


def _wait_for(report: Any, text: str) -> str:
    with contextlib.suppress(Exception):
        WebDriverWait(report, 5).until(lambda _: text in _panel(report).text)
    return _panel(report).text


def test_pointing_at_a_checkpoint_shows_its_step_and_coordinates(report: Any, evidence: Any):
    at = 5
    colour, size = _point_at(report, "11", "mean", at)
    step = f"{evidence.steps[at]:,}".replace(",", "\u202f")
    text = _wait_for(report, f"Step {step}")
    assert f"Step {step}" in text
    assert "class 11 blue small (held out), mean of 2 seeds" in text
    assert re.search(rf"colour {colour:.2f}\b", text)
    assert re.search(rf"size {size:.2f}\b", text)
    expected = evidence.mean_coordinates("11")[0][at]
    assert (colour, size) == pytest.approx(expected, abs=1e-4)


def test_pointing_at_a_checkpoint_shows_sample_images(report: Any, evidence: Any):
    _point_at(report, "11", "mean", 9)
    _wait_for(report, f"{evidence.steps[9]:,}".replace(",", "\u202f"))
    images = _panel(report).find_elements(By.CSS_SELECTOR, "figure > img")
    shown = [image for image in images if image.is_displayed()]
    assert len(shown) == 3  # naive, over-prompting, steering
    for image in shown:
        assert image.get_property("naturalWidth") == 8 * 17 - 1
        assert image.get_property("naturalHeight") == 16
        assert str(evidence.steps[9]) in image.get_attribute("alt")


def test_pointing_at_a_seeds_own_line_shows_that_seed(report: Any):
    _point_at(report, "11", 1, 10)
    text = _wait_for(report, "seed 1")
    assert "class 11 blue small (held out)" in text
    assert _panel(report).get_attribute("data-step")


def test_a_click_keeps_the_panel_until_it_is_released(report: Any):
    _point_at(report, "11", "mean", 9)
    ActionChains(report).click().perform()
    release = report.find_element(By.ID, "release")
    WebDriverWait(report, 5).until(lambda _: release.is_displayed())
    kept = _panel(report).text
    _point_at(report, "00", "mean", 4)
    time.sleep(0.3)
    assert _panel(report).text == kept
    release.click()
    assert not release.is_displayed()


def test_the_slider_walks_through_the_checkpoints_by_keyboard(report: Any, evidence: Any):
    slider = report.find_element(By.ID, "pick-step")
    slider.send_keys(Keys.HOME)
    assert _panel(report).get_attribute("data-step") == "0"
    slider.send_keys(Keys.ARROW_RIGHT)
    assert _panel(report).get_attribute("data-step") == str(evidence.steps[1])


def test_another_class_can_be_picked(report: Any):
    report.find_element(By.CSS_SELECTOR, "#pick-class option[value='01']").click()
    assert "class 01 red small (trained on)" in _panel(report).text


def test_axes_can_be_swapped(report: Any):
    report.find_element(By.CSS_SELECTOR, "#axis-x option[value='1']").click()
    report.find_element(By.CSS_SELECTOR, "#axis-y option[value='0']").click()
    title = report.execute_script("return document.getElementById('plane').layout.xaxis.title.text")
    assert title == "size"


def test_the_plane_of_concept_space_is_square(report: Any):
    wide, tall = report.execute_script(
        "const s = document.getElementById('plane')._fullLayout._size; return [s.w, s.h]"
    )
    assert wide == pytest.approx(tall, abs=2)
    assert wide > 350


def test_every_chart_is_drawn(report: Any):
    holders = report.find_elements(By.CSS_SELECTOR, ".chart")
    assert len(holders) >= 8
    assert all(holder.find_elements(By.CSS_SELECTOR, ".main-svg") for holder in holders)


def test_the_page_is_no_wider_than_the_window(report: Any):
    wide, room = report.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= room


def test_the_page_loads_nothing_but_itself(report: Any):
    names = report.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert [name for name in names if not name.startswith(("data:", "blob:"))] == []


def test_the_console_reports_no_error(report: Any, log: list[dict]):
    log += report.get_log("browser")
    assert [line for line in log if line["level"] in ("SEVERE", "WARNING")] == []
