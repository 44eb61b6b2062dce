/* A field above a long table that shows only the rows with the words that are typed. */
for (const table of document.querySelectorAll(".md-typeset table:not([class])")) {
  const rows = [...table.querySelectorAll("tbody tr")];
  if (rows.length < 30) continue;
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = `Filter ${rows.length} rows`;
  field.setAttribute("aria-label", "Filter the table");
  field.className = "table-filter";
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
  });
  table.before(field);
}
