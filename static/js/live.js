/* What others do shows on the page that is open. Numbers and signs change in place (data-live="topic/part"); what would move
   the page waits behind a button (data-fresh="topic/part", data-after: what the page has of it). A page tells the stream
   which topics it holds; where there is no stream it asks every half minute. Nobody is told, nothing is asked for unseen. */
{
  let source, topics, last, timer;
  const every = (name, act) => (part) => document.querySelectorAll(`[data-${name}="${part.dataset[name]}"]`).forEach((here) => act(here, part));

  const change = every("live", (here, next) => {
    if (here.innerHTML === next.innerHTML) return;
    for (const { name, value } of next.attributes) if (name !== "class") here.setAttribute(name, value);
    here.innerHTML = next.innerHTML;
    here.dataset.changed = "";
    setTimeout(() => delete here.dataset.changed, 2000);
  });
  const offer = every("fresh", (here, { dataset, innerHTML }) => {
    const came = (here.came ??= new Set());
    const [known] = here.dataset.after.split(" ").slice(-1);
    for (const one of dataset.after.split(" ")) if (one && one !== known && !(+one <= +known)) came.add(one);
    if (!came.size) return;
    here.textContent = here.dataset.words.split("|")[Math.min(came.size, 10) - 1];
    here.hidden = false;
  });
  const show = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll("[data-live]").forEach(change);
    page.querySelectorAll("[data-fresh]").forEach(offer);
  };
  const ask = async (url) => {
    const answer = await fetch(url).catch(() => ({}));
    last = answer.headers?.get("X-Live") ?? last;
    if (answer.status === 205) ask(location.href);
    else if (answer.status === 200) show(await answer.text());
  };

  const stop = () => {
    source?.close();
    clearInterval(timer);
    topics = source = null;
  };
  const start = () => {
    const held = [...document.querySelectorAll("[data-live], [data-fresh]")].map(({ dataset }) => (dataset.live ?? dataset.fresh).split("/")[0]);
    const now = [...new Set(held)].sort().join();
    if (document.hidden || !now || !words().live) return stop();
    if (now === topics) return;
    stop();
    topics = now;
    const query = () => `?on=${topics}&${last ? `after=${last}` : `age=${performance.now() / 1000}`}`;
    source = new EventSource(words().live + query());
    source.onmessage = ({ data, lastEventId }) => {
      last = lastEventId;
      show(data);
    };
    source.addEventListener("hello", ({ lastEventId }) => (last = lastEventId));
    source.addEventListener("refetch", ({ lastEventId }) => {
      last = lastEventId;
      ask(location.href);
    });
    source.onerror = ({ target }) => {
      if (target === source && target.readyState === 2) timer = setInterval(() => ask(`${words().live}/poll${query()}`), 30000);
    };
  };
  document.addEventListener("visibilitychange", start);
  document.addEventListener("htmx:load", start);
}
