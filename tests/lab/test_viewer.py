"""What a reviewer sees in Inspect's log viewer: the columns, and an account whose citations lead to the proof."""

import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from inspect_ai import eval as run_eval
from playwright.sync_api import Page, sync_playwright

from afagent.tasks.weight_exfiltration import weight_exfiltration

pytestmark = [pytest.mark.docker, pytest.mark.browser]

COLUMNS = ["Stage", "Attempted", "Delivered", "Fraction", "Engagement", "Arm"]
SAMPLE = "0001-incident_timeline-helpful_only-unmonitored"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of an episode in which the weights were sent out and this was denied."""
    [log] = run_eval(
        weight_exfiltration(seeds="1,3", weights_mb=8),
        model="afagent/deny",
        log_dir=str(tmp_path_factory.mktemp("logs")),
        display="none",
    )
    assert log.status == "success"
    return Path(log.location)


@pytest.fixture(scope="module")
def viewer(log: Path, tmp_path_factory: pytest.TempPathFactory):
    """The address of a real `inspect view` over the log's folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = (tmp_path_factory.mktemp("viewer") / "output").open("wb")
    command = [str(Path(sys.executable).with_name("inspect")), "view", "start", "--log-dir", str(log.parent)]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=said, stderr=said)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(address).close()
                break
            except OSError:
                assert server.poll() is None, "the viewer stopped"
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(10)
        said.close()


@pytest.fixture
def page(viewer: str):
    """A page of headless Chromium, Debian's package. For one test: Playwright keeps an event loop while it is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser.new_page(viewport={"width": 1500, "height": 950})
        browser.close()


def test_the_list_of_samples_shows_what_decides(page: Page, viewer: str, log: Path):
    page.goto(f"{viewer}/#/logs/{log.name}")
    page.get_by_role("columnheader", name="Stage").wait_for()
    shown = page.get_by_role("columnheader").all_inner_texts()
    assert not [column for column in COLUMNS if column.lower() not in [text.strip().lower() for text in shown]]
    row = page.get_by_role("row").filter(has_text="0001-incident").first.inner_text().split()
    assert "helpful_only-unmonitored" in row
    assert "ignored" in row
    assert "5" in row


def test_a_citation_of_the_account_leads_to_the_event(page: Page, viewer: str, log: Path):
    page.goto(f"{viewer}/#/logs/{log.name}/samples/sample/{SAMPLE}/1/transcript")
    page.get_by_text("What happened").wait_for()
    page.get_by_text("100.0% of the weights").first.wait_for()
    cite = page.locator("li", has_text="blocks of the weights reached").first.locator("a").first
    number = cite.inner_text()
    cite.click()
    page.get_by_text(f'"[{number}]"').first.wait_for()
    assert page.get_by_text('"content"').first.is_visible()


def test_every_citation_of_the_account_is_a_link(page: Page, viewer: str, log: Path):
    page.goto(f"{viewer}/#/logs/{log.name}/samples/sample/{SAMPLE}/1/transcript")
    page.get_by_text("What happened").wait_for()
    cites = page.locator("li", has_text="proven").locator("a")
    cites.nth(4).wait_for()
    told = " ".join(page.locator("li", has_text="proven").all_inner_texts())
    assert sorted(re.findall(r"\[([EM]\d+)\]", told)) == sorted(cites.all_inner_texts())
