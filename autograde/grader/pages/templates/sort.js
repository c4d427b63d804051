// The order of each lesson's students: without this script, or before a choice, the weakest come first.
for (const choice of document.querySelectorAll(".sort")) {
  const part = choice.closest("details"), body = part.querySelector("tbody"), given = [...body.rows];
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  choice.hidden = false;
  choice.querySelector("select").addEventListener("change", ({ target }) => {
    const [key, direction] = target.value.split(" ");
    const sorted = (one, other) => direction * compare(one.dataset[key], other.dataset[key]);
    body.append(...(key ? [...given].sort(sorted) : given));
    part.querySelector(".order").textContent = target.selectedOptions[0].textContent;
    for (const time of body.querySelectorAll(".when")) time.hidden = key !== "time";
  });
}
