/* A choice that decides which further fields there are: data-leads="name" on the select or the group of radio buttons,
   data-led="name" data-when="planned declined" on each fieldset. Without this all of them show.
   data-lead="planned" on a link to that fieldset or form: chooses it, and goes to its first field. */
{
  const show = (leader) => {
    const chosen = leader.matches("select, input") ? leader.value : leader.querySelector(":checked")?.value;
    const scope = leader.closest("form") ?? document;
    scope.querySelectorAll(`[data-led="${leader.dataset.leads}"]`).forEach((led) => {
      led.hidden = !led.dataset.when.split(" ").includes(chosen);
      if ("disabled" in led) led.disabled = led.hidden;
    });
  };
  on("change", "[data-leads]", (event, leader) => show(leader));
  forEach("[data-leads]", show);
  on("click", "[data-lead]", (event, choice) => {
    const leader = document.querySelector("select[data-leads]");
    event.preventDefault();
    leader.value = choice.dataset.lead;
    show(leader);
    document.querySelector(choice.hash).querySelector("textarea, select, input:not([type=hidden])").focus();
  });
}
