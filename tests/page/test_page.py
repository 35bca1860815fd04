"""The page at /, in Debian's Chromium."""

import pytest
from playwright.sync_api import expect, sync_playwright

from support.audio import decode


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser, server):
    context = browser.new_context(accept_downloads=True)
    opened = context.new_page()
    opened.complaints = []
    opened.on("console", lambda message: message.type in ("error", "warning")
              and opened.complaints.append(message.text))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.goto(server.url + "/")
    expect(opened.locator("#voice option[value=alloy]")).to_have_count(1)
    yield opened
    context.close()


def test_speaks_and_offers_the_file(page, tmp_path):
    page.fill("#text", "The page speaks. It plays while it streams.")
    page.select_option("#voice", "nova")
    page.click("#speak")
    expect(page.locator("#download")).to_be_visible(timeout=20_000)
    with page.expect_download() as waiting:
        page.click("#download")
    file = tmp_path / "speech.wav"
    waiting.value.save_as(file)
    assert decode(file.read_bytes(), "wav").seconds > 2
    expect(page.locator("#player")).to_be_visible()
    assert "First sound after" in page.text_content("#status")
    assert page.complaints == []


def test_plays_before_the_end_has_come(page):
    page.fill("#text", "This is one of many sentences. " * 60)
    page.click("#speak")
    expect(page.locator("#status")).to_contain_text("Speaking", timeout=10_000)
    expect(page.locator("#download")).to_be_hidden()
    page.click("#stop")
    expect(page.locator("#status")).to_have_text("Stopped.")
    expect(page.locator("#speak")).to_be_enabled()
    assert page.complaints == []


def test_shows_the_curl_of_what_is_heard(page, server):
    page.fill("#text", "It's quoted \"well\".")
    page.locator("#speed").fill("1.5")
    curl = page.text_content("#curl")
    import subprocess
    done = subprocess.run(["bash", "-c", curl.replace("-o speech.wav", "-s -o -")],
                          capture_output=True)
    assert done.returncode == 0 and done.stdout[:4] == b"RIFF"
    assert '"speed":1.5' in curl and server.url in curl


def test_says_what_is_wrong(page):
    page.fill("#text", "...")
    page.click("#speak")
    expect(page.locator("#status")).to_have_class("error")
    assert "spoken" in page.text_content("#status")


def test_counts_characters_and_refuses_too_many(page):
    page.fill("#text", "🎙" * 5001)
    assert page.text_content("#count") == "5,001"
    assert page.evaluate("document.querySelector('#text').validationMessage") != ""


def test_can_be_used_by_keyboard_and_on_a_telephone(page, tmp_path):
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.focus("#text")
    for expected in ("voice", "speed", "speak"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == expected
    for field in ("text", "voice", "speed"):
        assert page.evaluate(f"document.querySelector('label[for={field}]') !== null")
