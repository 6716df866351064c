/* Preferences that are saved as they are changed. */
on("change", "form[data-autosubmit]", (event, form) => form.requestSubmit());
