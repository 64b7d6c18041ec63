"""The page in a real browser: nothing runs, nothing is asked for, nothing sticks out, and everybody can read it."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from afagent.report.evidence import wanted
from afagent.report.page import build
from afagent.report.viewer import bundle, check_address, link
from tests.report.examples import HOSTILE, hostile, judged, reads, timeline, verdict
from tests.report.test_timelines import EPISODE, write

pytestmark = pytest.mark.browser

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SIZES: list[tuple[int, Literal["light", "dark"]]] = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")]
STICKS_OUT = """[...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll') && !one.closest('.text'))
    .map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    logs = reads(60)
    episodes = {(one.log, one.sample, one.epoch): one for log in logs for one in log.episodes}
    lines = [timeline(episodes[name]) for name in wanted(logs)[:9]]
    made = {
        "calm": build(verdict(), logs, lines, "viewer"),
        "no policy": build(None, logs, lines),
        "judged": build(judged(), logs, lines, "viewer"),
        "hostile": build(*hostile(HOSTILE), "viewer"),
        "wide": build(*hostile("W" * 5_000)),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, page in made.items():
        (folder / f"{name}.html").write_text(page, "utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture
def browser():
    """Headless Chromium, Debian's package. For one test: Playwright keeps an event loop while it is open."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield started
        started.close()


def listen(page: Page) -> list[str]:
    """Everything that the page says, asks for or opens, from now on."""
    heard: list[str] = []
    page.on("console", lambda said: heard.append(said.text))
    page.on("pageerror", lambda said: heard.append(str(said)))

    def dismissed(dialog: Dialog) -> None:
        heard.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.on("request", lambda asked: heard.append(asked.url))
    return heard


@pytest.mark.parametrize("name", ["calm", "no policy", "judged", "hostile", "wide"])
def test_nothing_runs_nothing_is_asked_for_and_nothing_sticks_out(pages: dict[str, Path], browser: Browser, name: str):
    for width, scheme in SIZES:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        heard = listen(page)
        page.goto(pages[name].as_uri())
        for opened in (False, True):
            page.evaluate("open => document.querySelectorAll('details').forEach(one => one.open = open)", opened)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(STICKS_OUT) == []
        assert [said for said in heard if said not in (pages[name].as_uri(), "data:,")] == []
        context.close()


def test_its_own_policy_stops_what_would_run(pages: dict[str, Path], browser: Browser, tmp_path: Path):
    attack = "<script>document.title='run'</script><style>h1{display:none}</style><img src=x onerror=\"document.title='run'\">"
    (tmp_path / "attacked.html").write_text(
        pages["calm"].read_text("utf-8").replace("<footer>", attack + "<footer>"), "utf-8"
    )
    page = browser.new_page()
    page.goto((tmp_path / "attacked.html").as_uri())
    assert page.title() != "run"
    assert page.locator("h1").is_visible()


@pytest.mark.parametrize("name", ["judged", "hostile"])
def test_axe_finds_no_barrier(pages: dict[str, Path], browser: Browser, name: str):
    """Contrast, names, order, tables, language: by axe-core, which is let past the page's policy to run at all."""
    for width, scheme in SIZES[1:3]:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.goto(pages[name].as_uri())
        found = Axe().run(page).response
        assert "color-contrast" in {rule["id"] for rule in found["passes"]}
        assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found["violations"]] == []
        context.close()


def test_the_keyboard_reaches_the_verdict_first(pages: dict[str, Path], browser: Browser):
    page = browser.new_page()
    page.goto(pages["calm"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_verdict_and_a_reason_are_seen_without_scrolling_on_a_phone(pages: dict[str, Path], browser: Browser):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    for name in ("calm", "judged", "hostile"):
        page.goto(pages[name].as_uri())
        box = page.locator(".reasons li").first.bounding_box()
        assert box is not None
        assert box["y"] < 740


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    """A folder with logs and their viewer; made before the browser, whose event loop Inspect would find running."""
    (tmp_path / "logs" / "deeper").mkdir(parents=True)
    write(tmp_path / "logs" / "deeper")
    bundle(tmp_path / "logs", tmp_path / "viewer")
    return tmp_path


def test_a_link_leads_to_the_episode_in_the_bundled_viewer(bundled: Path, browser: Browser):
    served = partial(QuietHandler, directory=str(bundled))
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        address = link(check_address("viewer"), "deeper/a.eval", EPISODE, 1, ("event", "uuid-2"))
        page.goto(f"http://127.0.0.1:{server.server_port}/{address}")
        page.get_by_text(f"Sample {EPISODE}").first.wait_for(timeout=20_000)
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the library's
        pass
