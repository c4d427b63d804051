// One question at a time: shows an answer, takes points and a comment, and sends both to the gradebook as they change.

const at = id => document.getElementById(id);
const SAVE_AFTER = 500, RETRY_AFTER = 3000; // milliseconds: after the last key in a field; after the server did not answer
let questions = [], asked = null, answer = null; // the list; the question; the answer on the screen
let seen = null, saving = null, timer = 0, opening = 0; // what the gradebook is known to hold; the request under way; the next one; how many were opened

async function ask(path, options = {}) {
  const reply = await fetch(path, options);
  const said = await reply.json();
  if (!reply.ok && reply.status !== 409) throw new Error(said.error);
  return { conflict: reply.status === 409, ...said };
}

// ---- what is given

function given() {
  const typed = at("points").value.trim().replace(",", ".");
  const items = [...at("items").querySelectorAll("[aria-pressed=true]")].map(b => b.dataset.key);
  return { points: typed === "" ? null : Number(typed), comment: at("comment").value.trim(), items };
}

const inWords = points => `${points} point${points === 1 ? "" : "s"}`;
const same = (a, b) => a.points === b.points && a.comment === b.comment && a.items.join() === b.items.join();
const kept = a => ({ points: a.points, comment: a.comment, items: [...a.items] });
const dirty = () => answer !== null && !same(given(), seen);

function later(delay = SAVE_AFTER) {
  clearTimeout(timer);
  at("state").textContent = dirty() ? "Saving …" : at("state").textContent;
  timer = setTimeout(save, delay);
}

// Send what changed, one request at a time; true when the gradebook holds what is on the screen.
async function save(stay = false) {
  clearTimeout(timer);
  while (saving) await saving;
  if (!dirty() && stay !== true) return true;
  const wanted = given(), trouble = wrong(wanted.points);
  if (trouble) return complain(trouble);
  saving = send(wanted);
  const done = await saving;
  saving = null;
  return done && (dirty() ? save() : true);
}

async function send(wanted) {
  try {
    const now = await ask(`answers/${answer.id}`, request(wanted));
    seen = kept(now);
    if (now.conflict) show(now);
    at("trouble").textContent = now.conflict ? "Somebody else graded this answer meanwhile: this is what they gave. Change it if you disagree." : "";
    at("state").textContent = now.conflict ? "" : `Saved: ${now.points === null ? "not graded" : inWords(now.points)}.`;
    note(now);
    return !now.conflict;
  } catch (error) {
    timer = setTimeout(save, RETRY_AFTER);
    return complain(`Not saved (${error.message}). This page tries again; what you typed stays here.`);
  }
}

const request = (wanted, more = {}) => ({ method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...wanted, seen }), ...more });

function wrong(points) {
  const right = points === null || (points >= 0 && points <= asked.points);
  return right ? "" : `Points are a number from 0 to ${asked.points}.`;
}

function complain(words) {
  at("trouble").textContent = words;
  at("state").textContent = "";
  return false;
}

// ---- what is shown

function note(now) { // in the list, so that the count and the next ungraded one are right
  Object.assign(asked.answers.find(a => a.id === now.id), { points: now.points, waiting: now.waiting, blank: now.blank });
  at("changed").hidden = !now.changed;
  if (now.comment && !asked.comments.includes(now.comment)) asked.comments.push(now.comment);
  count();
  suggest();
}

function count() {
  const waiting = asked.answers.filter(a => a.waiting).length, blank = asked.answers.filter(a => a.blank).length;
  const rest = blank ? `, ${blank} blank (0 points)` : "";
  at("done").textContent = `${asked.answers.length - waiting - blank} of ${asked.answers.length - blank} graded${rest}`;
  at("ungraded").disabled = !following();
  at("question").options[questions.indexOf(asked.listed)].text = titled(asked.listed.title, waiting);
}

const titled = (title, waiting) => `${title} (${waiting ? `${waiting} to grade` : "done"})`;

const place = () => asked.answers.findIndex(a => a.id === answer.id);
const following = () => [...asked.answers.slice(place() + 1), ...asked.answers.slice(0, Math.max(place(), 0))].find(a => a.waiting);

function show(now) {
  at("points").value = now.points ?? "";
  at("comment").value = now.comment;
  for (const button of at("items").children) button.setAttribute("aria-pressed", now.items.includes(button.dataset.key));
}

function suggest() {
  const buttons = asked.comments.filter(text => text !== at("comment").value.trim()).map(text => {
    const button = Object.assign(document.createElement("button"), { textContent: text, title: "Add this comment" });
    button.addEventListener("click", () => {
      const own = at("comment").value.trim();
      at("comment").value = own ? `${own}\n${text}` : text;
      save();
    });
    return button;
  });
  at("comments").replaceChildren(...buttons);
  at("before").hidden = !buttons.length;
}

function rubric() {
  const buttons = asked.items.map((item, index) => {
    const button = document.createElement("button"), key = document.createElement("kbd"), points = document.createElement("strong"), words = document.createElement("span");
    button.className = item.key.endsWith("-half") ? "item half" : "item";
    Object.assign(button.dataset, { key: item.key, part: item.part, points: item.points });
    if (index < 9) [key.textContent, button.ariaKeyShortcuts] = [index + 1, String(index + 1)];
    key.ariaHidden = "true"; // a screen reader tells the shortcut by itself
    points.textContent = `+${item.points}`;
    words.innerHTML = item.html; // the course's own text, cleaned by the server like everybody's
    button.append(key, points, words);
    button.addEventListener("click", () => choose(button));
    return button;
  });
  at("items").replaceChildren(...buttons);
}

function choose(chosen) { // the items of one part exclude each other
  const on = chosen.getAttribute("aria-pressed") !== "true";
  for (const button of at("items").children)
    if (button.dataset.part === chosen.dataset.part) button.setAttribute("aria-pressed", on && button === chosen);
  const items = [...at("items").querySelectorAll("[aria-pressed=true]")];
  at("points").value = Math.min(items.reduce((sum, b) => sum + Number(b.dataset.points), 0), asked.points);
  save();
}

function nothing(points) {
  for (const button of at("items").children) button.setAttribute("aria-pressed", false);
  at("points").value = points;
  save();
}

// What is wider than its place scrolls; without a mouse only where Tab reaches it.
function reachable() {
  for (const part of document.querySelectorAll(".prose :is(math[display=block], pre, table)"))
    part.scrollWidth > part.clientWidth ? part.setAttribute("tabindex", 0) : part.removeAttribute("tabindex");
}

// ---- moving

async function open(id) {
  const turn = ++opening, names = at("names").checked ? "?names=yes" : "";
  let now;
  do { // what was given while the next answer was on its way belongs to the one on the screen
    if (dirty() && !(await save())) return;
    now = await ask(`answers/${id}${names}`);
  } while (dirty() && turn === opening);
  if (turn !== opening) return; // another was asked for meanwhile
  [answer, seen] = [now, kept(now)];
  at("who").textContent = now.student ? `${now.name || now.student}${now.name ? ` (${now.student})` : ""}` : `Answer ${now.number} of ${asked.answers.length}`;
  at("answer").innerHTML = now.html; // cleaned by the server; the page's policy lets nothing in it act or load
  if (now.blank) at("answer").append(Object.assign(document.createElement("p"), { className: "soft", textContent: "Nothing was written: 0 points, unless you give some." }));
  at("state").textContent = now.points === null ? "" : `Saved: ${inWords(now.points)}.`;
  at("trouble").textContent = "";
  at("changed").hidden = !now.changed;
  reachable();
  show(now);
  count();
  suggest();
  at("previous").disabled = place() === 0;
  at("next").disabled = place() === asked.answers.length - 1;
  history.replaceState(null, "", `#${asked.lesson}/${asked.question}/${now.number}`);
  document.body.inert = false; // from the first answer on
  at("who").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

const stay = () => at("changed").hidden || save(true);
const step = by => asked.answers[place() + by] && open(asked.answers[place() + by].id);
const skip = () => following() && open(following().id);

async function pick(index, number = 0) {
  if (dirty() && !(await save())) return (at("question").value = questions.indexOf(asked.listed));
  const listed = questions[index];
  asked = { listed, lesson: listed.lesson, question: listed.question, ...(await ask(`questions/${listed.lesson}/${listed.question}`)) };
  answer = null;
  at("question").value = index;
  at("text").innerHTML = asked.text;
  at("model").innerHTML = asked.model;
  at("most").textContent = asked.points;
  rubric();
  const first = asked.answers.find(a => a.number === number) ?? asked.answers.find(a => a.waiting) ?? asked.answers[0];
  await open(first.id);
}

function pressed(event) {
  const typing = event.target.matches("textarea, select, #points"), key = event.key.length === 1 ? event.key.toLowerCase() : event.key; // Caps Lock
  if (event.key === "Escape" && typing) return event.target.blur();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && answer) { // out of a comment, too
    event.preventDefault();
    return skip();
  }
  if (typing || !at("keys").checked || event.ctrlKey || event.metaKey || event.altKey || !answer) return;
  if (key.startsWith("Arrow") && event.target.matches(".prose [tabindex]")) return; // scrolls what is wide
  const item = /^[1-9]$/.test(key) ? at("items").children[Number(key) - 1] : null;
  const act = item ? () => choose(item)
    : { 0: () => nothing(0), n: skip, k: stay, c: () => at("comment").focus(), ArrowLeft: () => step(-1), ArrowRight: () => step(1) }[key];
  if (!act) return;
  event.preventDefault();
  act();
}

function listen() {
  document.addEventListener("keydown", pressed);
  at("comment").addEventListener("input", () => later());
  at("points").addEventListener("input", () => later());
  for (const id of ["comment", "points"]) at(id).addEventListener("change", save);
  at("zero").addEventListener("click", () => nothing(0));
  at("clear").addEventListener("click", () => nothing(""));
  at("stay").addEventListener("click", stay);
  at("previous").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));
  at("ungraded").addEventListener("click", skip);
  at("names").addEventListener("change", () => open(answer.id));
  at("question").addEventListener("change", () => pick(Number(at("question").value)));
  // who closes or reloads the page between a key and its request loses nothing: this one outlives the page
  addEventListener("pagehide", () => dirty() && !wrong(given().points) && fetch(`answers/${answer.id}`, request(given(), { keepalive: true })));
  addEventListener("resize", reachable);
  for (const id of ["asked", "solution"]) at(id).addEventListener("toggle", reachable);
  addEventListener("beforeunload", event => at("trouble").textContent.startsWith("Not saved") && event.preventDefault());
}

async function begin() {
  questions = (await ask("questions")).questions;
  const options = questions.map((q, i) => new Option(titled(q.title, q.answers.filter(a => a.waiting).length), i));
  at("question").replaceChildren(...options);
  if (!questions.length) return complain("No written answers yet: grade the submissions first (autograde grade).");
  const [lesson, question, number] = location.hash.slice(1).split("/");
  const wanted = questions.findIndex(q => q.lesson === lesson && q.question === question);
  const first = questions.findIndex(q => q.answers.some(a => a.waiting));
  listen();
  await pick(wanted >= 0 ? wanted : Math.max(first, 0), wanted >= 0 ? Number(number) : 0);
}

begin().catch(error => complain(`The page cannot reach its server (${error.message}). Is autograde written still running? Start it again.`));
