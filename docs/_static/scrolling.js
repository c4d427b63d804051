// Code, tables and formulas that are wider than the page scroll by themselves; those that do can be reached by keyboard.
const WIDE = "div.highlight pre, .table-wrapper, div.math, .cell_output, .cell_output .output";

function letKeysScroll() {
  for (const box of document.querySelectorAll(WIDE)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

window.addEventListener("load", () => {
  const ready = window.MathJax?.startup?.promise ?? Promise.resolve();
  ready.then(letKeysScroll);
});
window.addEventListener("resize", letKeysScroll);
