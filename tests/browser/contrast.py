"""How well text is read on what it stands on, as a browser computes both: WCAG's contrast ratio."""

from __future__ import annotations

from playwright.sync_api import Locator

ENOUGH = 4.5

# a canvas turns any colour that CSS knows into numbers; translucent ones are laid over what lies beneath
_MEASURE = """all => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}), pen = canvas.getContext("2d", {willReadFrequently: true});
  const numbers = colour => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); return [...pen.getImageData(0, 0, 1, 1).data]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] / 255 + below[i] * (1 - top[3] / 255));
  const ground = e => e === null ? [255, 255, 255] : over(numbers(getComputedStyle(e).backgroundColor), ground(e.parentElement));
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  return all.filter(e => e.textContent.trim()).map(e => {
    const behind = e.ownerSVGElement && e.parentElement.matches("[role=button]") ? e.parentElement.querySelector(":scope > rect") : null;
    const below = behind && getComputedStyle(behind).fill !== "none" ? over(numbers(getComputedStyle(behind).fill), ground(e)) : ground(e);
    const style = getComputedStyle(e), ink = over(numbers(e.ownerSVGElement ? style.fill : style.color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.textContent.trim().slice(0, 40), `${ink.map(Math.round)} on ${below.map(Math.round)}`];
  });
}"""


def faint(texts: Locator, enough: float = ENOUGH) -> list[str]:
    """Each of these texts whose contrast is less than `enough`, with its colours."""
    return [f"{ratio:.2f}: {words!r}, {colours}" for ratio, words, colours in texts.evaluate_all(_MEASURE) if ratio < enough]
