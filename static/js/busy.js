/* What a request is waiting for says so after 150 ms; one that fails leaves the page as it was and can be tried again. */
{
  const timers = new WeakMap();
  const waiting = (detail) => {
    const pressed = detail.requestConfig.triggeringEvent?.submitter;
    return [pressed ?? detail.requestConfig.elt, detail.target].filter(Boolean);
  };
  const settle = (detail) => {
    (timers.get(detail.xhr) ?? []).forEach(clearTimeout);
    waiting(detail).forEach((element) => element.removeAttribute("aria-busy"));
  };
  const failed = ({ requestConfig }) => {
    if (requestConfig.elt.matches("[data-poll]")) return;
    const toast = tell("notice-failed");
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = words().retry;
    again.addEventListener("click", () => {
      toast.remove();
      const { submitter, type } = requestConfig.triggeringEvent ?? {};
      submitter ? submitter.click() : htmx.trigger(requestConfig.elt, type ?? "click");
    });
    toast?.querySelector("[data-dismiss]").before(again);
  };

  document.addEventListener("htmx:beforeSend", ({ detail }) => {
    const busy = () => waiting(detail).forEach((element) => element.setAttribute("aria-busy", "true"));
    timers.set(detail.xhr, [setTimeout(busy, 150), setTimeout(() => say(words().slow), 8000)]);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => settle(detail));
  document.addEventListener("htmx:sendError", ({ detail }) => failed(detail));
  document.addEventListener("htmx:timeout", ({ detail }) => failed(detail));
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const notOurs = detail.isError && (!detail.xhr.responseText.trim() || /<html/i.test(detail.xhr.responseText));
    if (notOurs) {
      detail.shouldSwap = false;
      failed(detail);
    }
  });
}
