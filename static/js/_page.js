/* What the other files share: words of the page, speaking, telling, and looking at what has just arrived. */
const words = () => document.getElementById("words")?.dataset ?? {};

/** Say something to people who listen, without showing it. */
const say = (text) => {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
};

/** Show a toast made from one of the page's templates. */
const tell = (template, text = "") => {
  const notices = document.getElementById("notices");
  const source = document.getElementById(template);
  if (!notices || !source) return null;
  notices.replaceChildren(source.content.cloneNode(true));
  const toast = notices.firstElementChild;
  if (text) toast.querySelector("span").textContent = text;
  return toast;
};

/** Run `welcome` for each element that matches, now and in whatever htmx brings later. */
const forEach = (selector, welcome) => {
  const look = (root) => {
    if (root.matches?.(selector)) welcome(root);
    root.querySelectorAll(selector).forEach(welcome);
  };
  document.addEventListener("htmx:load", (event) => look(event.detail.elt));
};

/** Listen once for the whole page, for events on elements that match. */
const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) act(event, element);
  });

const visible = (element) => element.checkVisibility?.() ?? element.getClientRects().length > 0;
