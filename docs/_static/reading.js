// What a reader with a keyboard or a screen reader needs and the theme leaves out.

// Code, tables and formulas that are wider than the page scroll by themselves; those that do can be reached by keyboard.
const WIDE = "div.highlight pre, .table-wrapper, div.math, .cell_output, .cell_output .output";

function letKeysScroll() {
  for (const box of document.querySelectorAll(WIDE)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// Two landmarks of one kind are told apart by their names.
function nameSidebars() {
  document.querySelector("aside.sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector("aside.toc-drawer")?.setAttribute("aria-label", "On this page");
}

document.addEventListener("DOMContentLoaded", nameSidebars);
window.addEventListener("load", () => {
  const ready = window.MathJax?.startup?.promise ?? Promise.resolve();
  ready.then(letKeysScroll);
});
window.addEventListener("resize", letKeysScroll);
