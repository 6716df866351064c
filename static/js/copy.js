/* Copying a link: data-copy holds it, or is empty for the page itself. On a real link, so that it is useful without this. */
on("click", "[data-copy]", async (event, control) => {
  event.preventDefault();
  const address = new URL(control.dataset.copy || control.getAttribute("href") || location.pathname, location.href);
  await navigator.clipboard.writeText(address.href);
  tell("notice-plain", words().copied);
});

/* Copying what stands on the page: data-copy-from names it. A list is copied line by line. */
on("click", "[data-copy-from]", async (event, control) => {
  const source = document.getElementById(control.dataset.copyFrom);
  const lines = [...source.querySelectorAll("li")].map((item) => item.textContent.trim());
  await navigator.clipboard.writeText(lines.length ? lines.join("\n") : source.textContent.trim());
  tell("notice-plain", control.dataset.copied);
});
on("click", "[data-print]", () => window.print());
