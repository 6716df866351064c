/* Single keys, unless <html data-shortcuts="off">. Everything they do is also a control that can be seen.
   data-search    "/" goes there            data-go="b"    "g", then "b" follows this link
   data-key="s"   "s" presses or enters it  data-rows      a list whose [data-row] "j" and "k" walk, and "x" selects */
{
  const first = (selector) => [...document.querySelectorAll(selector)].find(visible);
  const use = (control) => {
    if (!control) return false;
    control.matches("input, select, textarea") && !control.matches("[type=checkbox], [type=radio]") ? control.focus() : control.click();
    return true;
  };
  const link = (row) => (row.matches("a") ? row : row.querySelector("a"));

  const walk = (step) => {
    const rows = [...document.querySelectorAll("[data-rows] [data-row]")].filter(visible);
    if (!rows.length) return false;
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const current = here >= 0 ? here : rows.findIndex((row) => row.matches("[aria-current]") || row.querySelector("[aria-current]"));
    const next = rows[Math.min(Math.max(current + step, 0), rows.length - 1)];
    link(next).focus();
    return true;
  };
  const tick = (on) => {
    const box = document.activeElement.closest("[data-row]")?.querySelector("[type=checkbox]");
    if (box && box.checked !== on) box.click();
    return Boolean(box);
  };
  const step = (by, { shiftKey }) => (shiftKey ? tick(true) && walk(by) && tick(true) : walk(by));

  const keys = {
    "/": () => use(first("[data-search]")),
    "?": () => document.getElementById("help")?.showModal() ?? true,
    x: () => tick(),
    j: (event) => step(1, event),
    k: (event) => step(-1, event),
    ArrowDown: () => Boolean(document.activeElement.closest("[data-rows]")) && walk(1),
    ArrowUp: () => Boolean(document.activeElement.closest("[data-rows]")) && walk(-1),
    Escape: () => {
      const row = first("[data-rows] [data-row][aria-current], [data-rows] [data-row] [aria-current]");
      if (row) link(row).focus();
      return Boolean(row);
    },
  };

  let prefix = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const form = event.target.matches("textarea, form[data-led] *") && event.target.form;
      if (form) form.requestSubmit();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.documentElement.dataset.shortcuts === "off" || document.querySelector("dialog[open]")) return;
    if (event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])")) return;

    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const gone = Date.now() - prefix < 1200 && use(first(`[data-go="${CSS.escape(key)}"]`));
    prefix = 0;
    if (!gone && key === "g") prefix = Date.now();
    if (gone || keys[key]?.(event) || (/^[a-z0-9[\]]$/.test(key) && use(first(`[data-key="${CSS.escape(key)}"]`)))) event.preventDefault();
  });
}
