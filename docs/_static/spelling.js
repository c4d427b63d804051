// Where nothing is found: the words of the pages that are spelled nearly like those that were asked for. They come from `excerpts.js`.

function differences(one, other) { // letters to change, add, leave out, or swap with the next
  const rows = [...Array(one.length + 1)].map((_, i) => [...Array(other.length + 1)].map((_, j) => (i ? (j ? 0 : i) : j)));
  for (let i = 1; i <= one.length; i++) {
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1], swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + !same, swapped ? rows[i - 2][j - 2] + 1 : Infinity);
    }
  }
  return rows[one.length][other.length];
}

function nearest(word, counts) { // the commonest of the nearest; the word itself where it is there, or nothing is near
  if (counts.has(word)) return word;
  const allowed = word.length < 4 ? 0 : word.length < 6 ? 1 : 2;
  const near = [...counts.keys()].filter(known => Math.abs(known.length - word.length) <= allowed)
    .map(known => [differences(word, known), -counts.get(known), known]).filter(([far]) => far <= allowed);
  return near.sort((a, b) => a[0] - b[0] || a[1] - b[1])[0]?.[2] ?? word;
}

function suggest(status) {
  const counts = new Map();
  for (const word of Object.values(EXCERPTS).flat().join(" ").toLowerCase().match(/[\p{L}_]{4,}/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  const asked = (new URLSearchParams(location.search).get("q") ?? "").toLowerCase().trim();
  const meant = asked.replace(/[\p{L}_]+/gu, word => nearest(word, counts));
  status.textContent = "No page has all of these words. ";
  if (meant === asked) return;
  status.append("Did you mean ", Object.assign(document.createElement("a"), { textContent: meant, href: `?q=${encodeURIComponent(meant)}` }), "?");
}

const results = document.getElementById("search-results");
const look = () => {
  const status = results.querySelector(".search-summary");
  if (status?.textContent.includes("did not match")) suggest(status);
};
new MutationObserver(look).observe(results, { childList: true, subtree: true, characterData: true });
look();
