/* Lists that open at their button (details[data-pick]): typing leaves each [data-choice] with the words, arrows walk, Enter takes the
   first that is left; where none is, the form is sent with what was typed. */
{
  const left = (menu) => [...menu.querySelectorAll("[data-choice]")].filter((choice) => !choice.hidden);
  const filter = (menu) => menu.querySelector("[data-filter]");
  // At once, not upon "toggle", which comes later: what is typed until then would be taken for single keys.
  on("click", "[data-pick]:not([open]) > summary", (event, { parentElement: menu }) => {
    event.preventDefault();
    menu.open = true;
    filter(menu).focus();
  });
  on("input", "[data-filter]", (event, field) => {
    const words = field.value.toLowerCase();
    field.closest("[data-pick]").querySelectorAll("[data-choice]").forEach((choice) => {
      choice.hidden = !choice.textContent.toLowerCase().includes(words);
    });
  });
  on("keydown", "[data-pick]", (event, menu) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const choices = left(menu);
    const first = event.key === "Enter" && event.target === filter(menu) && choices[0];
    if (!first && (!step || event.target.type === "date")) return;
    event.preventDefault();
    if (first) first.click();
    else (choices[choices.indexOf(event.target) + step] ?? filter(menu)).focus();
  });
}
