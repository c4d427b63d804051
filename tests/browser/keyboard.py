"""What a page is to somebody without a mouse: Tab reaches every control, and shows where it is."""

from __future__ import annotations

from playwright.sync_api import Page

# Each visible control gets a number; radio buttons of one name are one stop. A theme's own skip link may show only while it has the focus.
_NUMBER = """() => {
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter(e =>
    !e.disabled && e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true}) && e.getBoundingClientRect().width > 1);
  const names = new Map();
  for (const e of all) {
    const key = e.type === "radio" ? "radio " + e.name : names.size;
    if (!names.has(key)) names.set(key, (e.textContent.trim() || e.ariaLabel || e.id || e.tagName).slice(0, 40));
    e.dataset.stop = [...names.keys()].indexOf(key);
  }
  return [...names.values()];
}"""
_WHERE = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  const seen = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  return e === document.body ? null : [e.dataset.stop ?? "", seen];
}"""


def trouble(page: Page) -> list[str]:
    """The controls that Tab does not reach, and those that do not show that they have the focus."""
    names = page.evaluate(_NUMBER)
    reached: set[int] = set()
    found = []
    for _ in range(2 * len(names) + 10):
        page.keyboard.press("Tab")
        if (where := page.evaluate(_WHERE)) is None:
            if len(reached) == len(names):
                break
            continue
        stop, seen = where
        if stop == "" or int(stop) in reached:
            continue
        reached.add(int(stop))
        if not seen:
            found.append(f"no focus to see: {names[int(stop)]}")
    return found + [f"Tab does not reach: {name}" for i, name in enumerate(names) if i not in reached]
