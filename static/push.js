/* Telling this browser at once. A form with data-push asks for permission when its button is pressed, and not before;
   then it carries the address that the browser was given to the portal. */
{
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));

  const say = (form, what) => {
    const line = form.querySelector("[data-push-says]");
    line.textContent = what ? line.dataset[what] : "";
    line.hidden = !what;
  };

  /** The address for this portal's key; one for an earlier key is of no use. */
  const ask = async (form) => {
    const worker = await navigator.serviceWorker.register(form.dataset.worker);
    await navigator.serviceWorker.ready;
    const options = { userVisibleOnly: true, applicationServerKey: bytes(form.dataset.push) };
    try {
      return await worker.pushManager.subscribe(options);
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error;
      await (await worker.pushManager.getSubscription())?.unsubscribe();
      return worker.pushManager.subscribe(options);
    }
  };

  on("submit", "form[data-push]", async (event, form) => {
    event.preventDefault();
    say(form);
    if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return say(form, "cannot");
    form.setAttribute("aria-busy", "true");
    try {
      if ((await Notification.requestPermission()) !== "granted") return say(form, "denied");
      const { endpoint, keys } = (await ask(form)).toJSON();
      form.elements.endpoint.value = endpoint;
      form.elements.public_key.value = keys.p256dh;
      form.elements.auth_secret.value = keys.auth;
      form.submit();
    } catch {
      say(form, "failed");
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
}
