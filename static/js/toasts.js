/* Toasts in #notices: shown for seven seconds, for twelve if there is something to press, for as long as the pointer or the
   focus is on them, and until they are closed if they tell of an error. */
{
  const timers = new WeakMap();
  const held = (toast) => toast.matches(":hover, :focus-within");
  const wait = (toast) => {
    clearTimeout(timers.get(toast));
    if (toast.dataset.kind === "error") return;
    const long = toast.querySelector("form, a");
    timers.set(toast, setTimeout(() => (held(toast) ? wait(toast) : toast.remove()), long ? 12000 : 7000));
  };
  const arrived = (node) => node.matches?.("[data-toast]") && wait(node);

  const notices = document.getElementById("notices");
  if (notices) {
    notices.childNodes.forEach(arrived);
    new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(arrived))).observe(notices, { childList: true });
  }
  ["pointerover", "focusin"].forEach((type) => on(type, "[data-toast]", (event, toast) => wait(toast)));
  on("click", "[data-dismiss]", (event, button) => button.closest("[data-toast]").remove());
}
