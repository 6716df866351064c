/* What was typed into a form with data-draft="key" survives leaving the page, in this browser only. */
{
  const PREFIX = "draft:";
  const kept = (form) =>
    [...form.elements].filter(
      (field) => field.name && field.matches("textarea, select, input:is([type=text], [type=search], [type=url], :not([type]))"),
    );
  const untouched = (field) =>
    field.matches("select") ? ![...field.options].some((option) => option.defaultSelected) : !field.value;

  const save = (form) => {
    const fields = kept(form).map((field) => [field.name, field.value]);
    if (!fields.some(([, value]) => value.trim())) return;
    try {
      localStorage.setItem(PREFIX + form.dataset.draft, JSON.stringify(Object.fromEntries(fields)));
    } catch {
      return; /* no room, or storage switched off: then there is no draft, and nothing says there is */
    }
    const status = form.querySelector("[data-draft-status]");
    if (!status) return;
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    status.textContent = status.dataset.draftStatus.replace("{time}", time);
  };

  const restore = (form) => {
    const fields = JSON.parse(localStorage.getItem(PREFIX + form.dataset.draft) ?? "null");
    if (!fields) return;
    for (const field of kept(form)) {
      if (!fields[field.name] || !untouched(field)) continue;
      field.value = fields[field.name];
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const timers = new WeakMap();
  on("input", "form[data-draft]", (event, form) => {
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(save, 500, form));
  });
  on("submit", "form[data-draft]", (event, form) => {
    clearTimeout(timers.get(form));
    save(form);
  });
  addEventListener("pagehide", () => document.querySelectorAll("form[data-draft]").forEach((form) => timers.has(form) && save(form)));

  forEach("[data-draft-clear]", (mark) => localStorage.removeItem(PREFIX + mark.dataset.draftClear));
  const here = new URL(location.href); /* loading the page again must not forget what is typed from now on */
  if (here.searchParams.has("said")) {
    here.searchParams.delete("said");
    history.replaceState(history.state, "", here);
  }
  forEach("form[data-draft]", restore);
  on("submit", "form[data-forget-drafts]", () =>
    Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).forEach((key) => localStorage.removeItem(key)),
  );
}
