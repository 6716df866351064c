/* Copying a link: data-copy holds it, or is empty for the page itself. On a real link, so that it is useful without this. */
on("click", "[data-copy]", async (event, control) => {
  event.preventDefault();
  const address = new URL(control.dataset.copy || control.getAttribute("href") || location.pathname, location.href);
  await navigator.clipboard.writeText(address.href);
  tell("notice-plain", words().copied);
});
