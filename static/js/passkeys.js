/* Passkeys. A form with data-passkey asks the portal what to ask the browser for, and carries the answer back as a field;
   with data-autofill the browser offers passkeys in the address field too, until the button is pressed. */
{
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const described = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));
  const FRESH = 240000; // milliseconds after which an offer in the address field asks for a new challenge
  let offer = null;

  /** What the browser is to be asked for; a redirect means that the page itself has to be opened again. */
  const options = async (form, signal) => {
    const body = new URLSearchParams({ for: form.dataset.passkey, csrf_token: form.elements.csrf_token.value });
    const answer = await fetch(form.dataset.options, { method: "POST", body, redirect: "manual", signal });
    if (answer.type === "opaqueredirect") location.reload();
    if (!answer.ok) throw new TypeError(`status ${answer.status}`);
    const asked = await answer.json();
    asked.challenge = bytes(asked.challenge);
    asked.allowCredentials = described(asked.allowCredentials);
    asked.excludeCredentials = described(asked.excludeCredentials);
    if (asked.user) asked.user.id = bytes(asked.user.id);
    return asked;
  };

  const send = (form, { id, rawId, type, response }) => {
    const said = response.getTransports ? { transports: response.getTransports() } : {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[part]) said[part] = text(response[part]);
    }
    form.elements.credential.value = JSON.stringify({ id, rawId: text(rawId), type, response: said });
    form.submit();
  };

  const say = (form, what) => {
    const line = form.querySelector("[data-passkey-says]");
    line.textContent = what ? line.dataset[what] : "";
    line.hidden = !what;
  };

  const press = async (form) => {
    offer?.abort();
    say(form);
    if (!window.PublicKeyCredential) return say(form, "cannot");
    form.setAttribute("aria-busy", "true");
    try {
      const publicKey = await options(form);
      const make = form.dataset.passkey === "add" ? "create" : "get";
      send(form, await navigator.credentials[make]({ publicKey }));
    } catch (error) {
      const whys = { InvalidStateError: "known", TypeError: "lost", NotSupportedError: "cannot", SecurityError: "cannot" };
      say(form, whys[error.name] ?? "nothing");
    } finally {
      form.removeAttribute("aria-busy");
    }
  };

  const offerIn = async (form) => {
    if (!(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
    const mine = (offer = new AbortController());
    const again = setTimeout(() => (mine.abort(), offerIn(form)), FRESH);
    mine.signal.addEventListener("abort", () => clearTimeout(again));
    try {
      const publicKey = await options(form, mine.signal);
      send(form, await navigator.credentials.get({ publicKey, mediation: "conditional", signal: mine.signal }));
    } catch {
      // Nobody took the offer; the button is there.
    }
  };

  on("submit", "form[data-passkey]", (event, form) => {
    event.preventDefault();
    press(form);
  });
  forEach("form[data-autofill]", offerIn);
}
