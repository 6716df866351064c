/* What others do, on an open page: [data-live] changes in place, or is a button that counts what came (data-words) beyond data-after. */
{
  let source, topics, last, timer, polls = 0;

  const update = (here, next) => {
    const { after, words: text } = here.dataset;
    if (here.matches("nav")) htmx.trigger(here, "live"); // to each their own
    else if (text) {
      const known = after.split(" ");
      const fresh = next.dataset.after.split(" ").filter((one) => !known.includes(one) && !(+one <= +known.at(-1)));
      const { size } = (here.came = new Set([...(here.came ?? []), ...fresh]));
      if (size) here.textContent = text.split("|")[Math.min(size, 10) - 1] ?? text;
      here.hidden = !size;
    } else if (here.innerHTML !== next.innerHTML) {
      for (const { name, value } of next.attributes) if (name !== "class") here.setAttribute(name, value);
      next.querySelectorAll("time").forEach((time) => time.replaceWith(here.querySelector(`[datetime="${time.dateTime}"]`) ?? time));
      here.innerHTML = next.innerHTML;
      here.dataset.changed = "";
      setTimeout(() => delete here.dataset.changed, 2000);
    }
  };
  const parts = (page) => [...page.querySelectorAll("[data-live]")];
  const show = (html) => {
    const came = parts(new DOMParser().parseFromString(html, "text/html"));
    parts(document).forEach((here) => came.forEach((next) => here.dataset.live === next.dataset.live && update(here, next)));
  };
  const ask = async (url) => {
    const answer = await fetch(url).catch(() => new Response());
    last = answer.headers.get("X-Live") ?? last;
    if (answer.status === 205) ask(location.href);
    else if (answer.ok) show(await answer.text());
  };

  const listen = () => {
    const held = document.hidden ? [] : parts(document).map((part) => part.dataset.live.split("/")[0]);
    const now = [...new Set(held)].join();
    if (now === topics) return;
    source?.close();
    clearInterval(timer);
    if (!(topics = now)) return;
    const at = (path) => `${words().stream + path}?on=${now}&${last ? `after=${last}` : `age=${performance.now() / 1000}`}`;
    source = new EventSource(at(""));
    ["hello", "message", "refetch"].forEach((type) =>
      source.addEventListener(type, ({ data, lastEventId }) => {
        last = lastEventId;
        type === "refetch" ? ask(location.href) : show(data);
      }),
    );
    source.onerror = ({ target }) => {
      if (target.readyState > 1) timer = setInterval(() => (++polls % 9 ? ask(at("/poll")) : listen((topics = 0))), 30000);
    };
  };
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("htmx:load", listen);
}
