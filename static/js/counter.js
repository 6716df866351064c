/* Characters typed, of how many; the words stand in data-text of the element that data-counter names. */
{
  const count = (field) => {
    const place = document.getElementById(field.dataset.counter);
    if (place) place.textContent = place.dataset.text.replace("{n}", field.value.length).replace("{max}", field.maxLength);
  };
  on("input", "[data-counter]", (event, field) => count(field));
  forEach("[data-counter]", count);
}
