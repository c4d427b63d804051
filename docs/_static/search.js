// Below each result stands where in the page the words were found. A page that was opened from a folder may not read another one, so the
// pages' paragraphs come as a script (`excerpts.js`, written when the site is built).

const AROUND = 90; // characters on each side of the word

function excerpt(paragraphs, words) {
  for (const word of words) {
    for (const text of paragraphs) {
      const at = text.toLowerCase().indexOf(word);
      if (at < 0) continue;
      const end = at + word.length, near = at - AROUND, far = end + AROUND;
      const from = near > 0 ? Math.min(at, text.indexOf(" ", near) + 1) : 0; // no word is cut
      const to = far < text.length ? Math.max(end, text.lastIndexOf(" ", far)) : text.length;
      return [(from ? "… " : "") + text.slice(from, at), text.slice(at, end), text.slice(end, to) + (to < text.length ? " …" : "")];
    }
  }
  return null;
}

function explain(result, words) {
  const link = result.querySelector("a");
  if (!link || result.querySelector("p.context")) return;
  const name = decodeURIComponent(new URL(link.href).pathname).replace(/\.html$/, "");
  const page = Object.keys(EXCERPTS).filter(page => name.endsWith(`/${page}`)).sort((a, b) => b.length - a.length)[0];
  const found = page && excerpt(EXCERPTS[page], words);
  if (!found) return;
  const shown = Object.assign(document.createElement("p"), { className: "context" });
  shown.append(found[0], Object.assign(document.createElement("mark"), { textContent: found[1] }), found[2]);
  result.append(shown);
}

const words = (new URLSearchParams(location.search).get("q") ?? "").toLowerCase().split(/\s+/).filter(word => word.length > 1);
const explainAll = () => document.querySelectorAll("#search-results li").forEach(result => explain(result, words));
new MutationObserver(explainAll).observe(document.getElementById("search-results"), { childList: true, subtree: true });
explainAll();
