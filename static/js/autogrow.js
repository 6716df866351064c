/* Text fields that grow with their text, where the browser cannot do it by itself. */
if (!CSS.supports("field-sizing", "content")) {
  const grow = (field) => {
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  };
  on("input", "[data-autogrow]", (event, field) => grow(field));
  forEach("[data-autogrow]", grow);
}
