"""Words that a browser broke in the middle, because nothing says where they may break."""

from __future__ import annotations

from playwright.sync_api import Page

# A word is what stands between blanks, `/`, `-`, `_` and places where the page itself allows a break. One longer than its line has to break.
_FIND = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode, holder = node.parentElement;
    if (!holder.checkVisibility() || holder.closest("pre, script, style, math")) continue;
    for (const {0: word, index} of node.data.matchAll(/[^\\s\\/_\\u00ad-]+/g)) {
      range.setStart(node, index); range.setEnd(node, index + word.length);
      const lines = [...range.getClientRects()];
      const wide = lines.reduce((sum, line) => sum + line.width, 0);
      let block = holder;
      while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
      if (new Set(lines.map(line => Math.round(line.top))).size > 1 && wide < 0.9 * block.clientWidth) found.push(word);
    }
  }
  return found;
}"""


def broken(page: Page) -> list[str]:
    """The words on this page that stand on two lines and would fit on one."""
    return page.evaluate(_FIND)
