// The school to give to: its colour and name, and a list that narrows while one types.

const OPTIONS_SHOWN = 400;

class Chooser {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.options = [];
    this.chosen = -1;
    this.box = element("div", "chooser");
    this.label = element("span", "chooser-label");
    this.label.id = "buju-give-to";
    this.field = element("div", "chooser-field");
    this.colour = element("i", "chooser-colour");
    this.input = element("input");
    this.input.type = "text";
    this.input.autocomplete = "off";
    this.input.spellcheck = false;
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-controls": "buju-zones", "aria-labelledby": "buju-give-to" };
    for (const [name, value] of Object.entries(roles)) this.input.setAttribute(name, value);
    this.list = element("div", "chooser-list");
    this.list.id = "buju-zones";
    this.list.setAttribute("role", "listbox");
    this.field.append(this.colour, this.input);
    this.box.append(this.label, this.field, this.list);
    this.listen();
    this.close();
  }

  listen() {
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.open(""));
    this.input.addEventListener("input", () => this.open(this.input.value));
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("keydown", (event) => this.press(event));
    // The field keeps the focus while an option is clicked.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-zone]");
      if (row) this.take(Number(row.dataset.zone));
    });
  }

  update(text, options) {
    this.text = text;
    this.options = options;
    this.label.textContent = text.target;
    this.input.placeholder = text.choose;
    this.showChosen();
    if (!this.list.hidden) this.fill();
  }

  show(zone) {
    this.chosen = zone;
    this.showChosen();
  }

  showChosen() {
    const option = this.options[this.chosen];
    this.colour.style.background = option ? option.colour : "";
    this.colour.classList.toggle("empty", !option);
    if (this.list.hidden) this.input.value = option ? option.name : "";
    this.input.title = option ? option.name : "";
  }

  open(words) {
    this.words = words.trim().toLowerCase();
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.at = -1;
    this.fill();
    const row = this.list.querySelector("[aria-selected=true]");
    if (row) row.scrollIntoView({ block: "nearest" });
  }

  fill() {
    this.found = this.options.filter((option) => option.name.toLowerCase().includes(this.words)).slice(0, OPTIONS_SHOWN);
    const rows = this.found.map((option, i) => {
      const row = element("div", "chooser-row"), colour = element("i", "chooser-colour");
      colour.style.background = option.colour;
      row.append(colour, element("span", "chooser-name", option.name), element("span", "chooser-note", option.note));
      row.id = `buju-zone-${option.zone}`;
      row.dataset.zone = option.zone;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(option.zone === this.chosen));
      row.classList.toggle("at", i === this.at);
      return row;
    });
    this.list.replaceChildren(...(rows.length ? rows : [element("div", "chooser-none", this.text.nothing_found)]));
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.showChosen();
  }

  press(event) {
    if (event.key === "Escape" || event.key === "Tab") {
      if (!this.list.hidden && event.key === "Escape") event.stopPropagation();
      this.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) this.open("");
      this.step(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      const option = this.found[Math.max(0, this.at)];
      if (option) this.take(option.zone);
    }
  }

  step(by) {
    if (!this.found.length) return;
    this.at = (this.at + by + this.found.length) % this.found.length;
    [...this.list.children].forEach((row, i) => row.classList.toggle("at", i === this.at));
    const row = this.list.children[this.at];
    row.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", row.id);
  }

  take(zone) {
    this.close();
    this.onChoose(zone);
    this.showChosen();
  }
}
