/* What comes next is asked for while the reader is here (a[data-ahead]), and shown at once when it is opened; asked for anew after
   whatever changes. Nothing that repeats itself is asked for while nobody looks. */
{
  let ahead = {};
  forEach("[data-ahead]", async (link) => {
    const mine = (ahead = { url: link.href });
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok && !answer.redirected) mine.text = await answer.text();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target } = event.detail;
    if (elt.matches("[data-poll]") && document.hidden) event.preventDefault();
    if (!elt.href || elt.href !== ahead.url || !ahead.text) return;
    event.preventDefault();
    history.pushState({ htmx: true }, "", elt.href);
    htmx.swap(target, ahead.text, { swapStyle: "outerHTML", show: "top", showTarget: "window" });
  });
}
