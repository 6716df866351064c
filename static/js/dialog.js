/* Dialogs and menus. Without this, data-dialog stands on a link to a page that does the same. */
{
  const open = (id) => document.getElementById(id)?.showModal();
  const typed = (dialog) =>
    [...dialog.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);

  on("click", "[data-dialog]", (event, control) => {
    event.preventDefault();
    open(control.dataset.dialog);
  });
  on("click", "dialog [data-close]", (event, control) => control.closest("dialog").close());
  on("click", "dialog", (event, dialog) => {
    if (event.target === dialog && !typed(dialog)) dialog.close();
  });

  const closeMenus = (except) =>
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (menu !== except) menu.open = false;
    });
  document.addEventListener("click", (event) => closeMenus(event.target.closest?.("details[data-menu]")));
  document.addEventListener("focusin", (event) => closeMenus(event.target.closest?.("details[data-menu]")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopImmediatePropagation();
  });
}
