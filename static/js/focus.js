/* Where the reader is after a part of the page has been replaced.
   data-focus         on something that has just arrived: go there
   data-focus-after   on a control: where to go when it is gone; inside [data-row] the next row, or the one before, comes first
   data-more          on a link that appends to a list: go to the first new row and say how many came */
{
  const go = (element) => {
    if (!element) return false;
    const target = element.matches("a, button, summary, input, select, textarea, [tabindex]")
      ? element
      : (element.querySelector("h2 a, h3 a") ?? element.querySelector("a, button") ?? element);
    if (target === element && !element.matches("a, button, summary, input, select, textarea")) element.tabIndex = -1;
    target.focus();
    return true;
  };

  let after = null;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const control = detail.requestConfig.triggeringEvent?.submitter ?? detail.requestConfig.elt;
    const marked = control.closest("[data-focus-after], [data-more]");
    after = null;
    if (!marked || detail.isError) return;
    const here = document.activeElement;
    if (here !== document.body && !marked.contains(here)) return; // pressed by its key, from somewhere that may stay
    const row = marked.closest("[data-row]");
    after = {
      control: marked,
      before: detail.target.childElementCount,
      rows: row ? [row.nextElementSibling, row.previousElementSibling] : [],
    };
  });

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (!after) return;
    const { control, before, rows } = after;
    after = null;
    if ("more" in control.dataset) {
      const number = detail.target.childElementCount - before;
      if (number > 0) go(detail.target.children[before]);
      say(control.dataset.more.replace("{n}", number));
    } else if (!control.isConnected || !rows.length) {
      rows.find((row) => row?.isConnected && go(row)) ?? go(document.querySelector(control.dataset.focusAfter));
    }
  });

  forEach("[data-focus]", (element) => element.focus());
}
