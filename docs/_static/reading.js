// What a reader with a keyboard or a screen reader needs and the theme leaves out.

// Code, tables and formulas that are wider than the page scroll by themselves; those that do can be reached by keyboard.
const WIDE = "div.highlight pre, .table-wrapper, div.math, .cell_output, .cell_output .output";

function letKeysScroll() {
  for (const box of document.querySelectorAll(WIDE)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// Code and figures show at which edge there is more of them: their own background hides the shade that tables and formulas have.
function showEdges(box) {
  const left = box.scrollLeft, right = box.scrollWidth - box.clientWidth - left;
  box.classList.toggle("more-left", left > 1);
  box.classList.toggle("more-right", right > 1);
}

function watchEdges() {
  for (const box of document.querySelectorAll("div.highlight pre, .cell_output, .cell_output .output")) {
    if (getComputedStyle(box).overflowX === "visible") continue;
    box.addEventListener("scroll", () => showEdges(box), {passive: true});
    new ResizeObserver(() => showEdges(box)).observe(box);
  }
}

// On a phone a long name in a table breaks between its words.
function letNamesBreak() {
  for (const code of document.querySelectorAll("td code span.pre, td code:not(:has(*))")) {
    const parts = code.textContent.split(/(?<=_)(?=\w)|(?<=[a-z])(?=[A-Z])/);
    code.replaceChildren(...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
  }
}

// Two landmarks of one kind are told apart by their names.
function nameSidebars() {
  document.querySelector("aside.sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector("aside.toc-drawer")?.setAttribute("aria-label", "On this page");
}

document.addEventListener("DOMContentLoaded", () => { nameSidebars(); letNamesBreak(); watchEdges(); });
window.addEventListener("load", () => {
  const ready = window.MathJax?.startup?.promise ?? Promise.resolve();
  ready.then(letKeysScroll);
});
window.addEventListener("resize", letKeysScroll);
