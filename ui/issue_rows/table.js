// The table of findings: every word is set as text. A click on a row, or Enter, tells which one.
function make(tag, parent, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  parent.appendChild(node);
  return node;
}

function fillCell(cell, lines) {
  if (lines.length > 1) make("b", cell, "", lines[0]);
  make("span", cell, "", lines[lines.length - 1]);
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const scroll = parentElement.querySelector(".scroll");
  const kept = scroll.scrollTop;
  scroll.replaceChildren();
  const table = make("table", scroll, "buju-table");
  table.setAttribute("aria-label", data.label);
  const head = make("tr", make("thead", table));
  for (const { text, width } of data.heads) make("th", head, "", text).style.width = width;
  const body = make("tbody", table);
  for (const row of data.rows) {
    const line = make("tr", body, [row.kind, row.at === data.picked ? "picked" : ""].join(" ").trim());
    line.tabIndex = 0;
    line.style.setProperty("--severity", row.colour);
    row.cells.forEach((lines, i) => {
      const kind = i === 0 ? "where" : lines.every((words) => !words) ? "blank" : "";
      const cell = make("td", line, kind);
      cell.dataset.head = data.heads[i].text;
      fillCell(cell, lines);
    });
    const pick = () => {
      body.querySelectorAll(".picked").forEach((other) => other.classList.remove("picked"));
      line.classList.add("picked");
      setStateValue("picked", { at: row.next, n: Date.now() });
    };
    line.addEventListener("click", pick);
    line.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        pick();
      }
    });
  }
  scroll.scrollTop = kept;
}
