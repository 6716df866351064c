/* What the browser runs when it is told something while no page of the portal is open: it shows it, and leads there. */
self.addEventListener("push", (event) => {
  const told = event.data?.json() ?? {};
  const { title = "", body = "", tag = "", lang = "", url = "/inbox" } = told;
  event.waitUntil(self.registration.showNotification(title, { body, tag, lang, data: { url } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const wanted = new URL(event.notification.data?.url ?? "/inbox", self.location.origin);
  const address = wanted.origin === self.location.origin ? wanted.href : self.location.origin;
  const lead = async () => {
    const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = open.find((page) => page.url === address);
    return there ? there.focus() : self.clients.openWindow(address);
  };
  event.waitUntil(lead());
});
