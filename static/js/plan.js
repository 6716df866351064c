/* The roadmap: an idea (data-plan: its address) is dragged to another cell (data-horizon), or sent there by 1, 2, 3 and [ ]. */
{
  const form = document.getElementById("place");
  let held, over;
  const mark = (cell) => {
    over?.removeAttribute("data-over");
    (over = cell)?.setAttribute("data-over", "");
  };
  const put = (item, cell) => {
    if (!item || !cell || cell.contains(item)) return;
    form.action = item.dataset.plan;
    form.elements.theme.value = cell.dataset.themeRow;
    form.elements.horizon.value = cell.dataset.horizon;
    form.submit();
  };
  if (form) {
    on("dragstart", "[data-plan]", (event, item) => (held = item));
    on("dragover", "[data-horizon]", (event, cell) => {
      if (held) event.preventDefault();
      mark(cell);
    });
    on("drop", "[data-horizon]", (event, cell) => {
      event.preventDefault();
      put(held, cell);
    });
    on("dragend", "[data-plan]", () => mark((held = null)));
    on("keydown", "[data-plan]", (event, item) => {
      if (((event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph")) || document.documentElement.dataset.shortcuts === "off") return;
      const cell = item.closest("[data-horizon]");
      const row = cell.parentElement;
      const at = (line) => line?.querySelector(`[data-horizon=${cell.dataset.horizon}]`);
      const to = { "[": at(row.previousElementSibling), "]": at(row.nextElementSibling) }[event.key];
      put(item, to ?? row.querySelectorAll("[data-horizon]")[event.key - 1]);
    });
  }
}
