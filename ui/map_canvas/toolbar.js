// The bar above the map: tools, undo and redo, views; below them the school to give to, and what was done last.

const TOOLS = ["look", "give", "brush", "lasso", "lock"];
const GIVING = ["give", "brush", "lasso", "pick"];
const VIEWS = ["proposed", "today", "swipe", "side"];
const BRUSHES = [["small", 0], ["middle", 13], ["large", 30]];
const KEY_OF = { look: "V", give: "G", brush: "B", lasso: "L", lock: "K", pick: "P", undo: "Ctrl+Z", redo: "Ctrl+Y" };

class Toolbar {
  // ``deeds``: {tool, view, size, deed, target}, called with what was chosen.
  constructor(deeds) {
    this.deeds = deeds;
    this.buttons = {};
    this.box = element("div", "drawing-bar");
    const first = element("div", "bar-row"), second = element("div", "bar-row bar-second");
    this.tools = this.group(first, TOOLS, (name) => deeds.tool(name), "tools");
    this.steps = this.group(first, ["undo", "redo"], (name) => deeds.deed(name), "steps");
    this.views = this.group(first, VIEWS, (name) => deeds.view(name), "views");
    this.helpButton = this.button("help", () => this.switchHelp());
    first.appendChild(this.helpButton);
    this.chooser = new Chooser((zone) => deeds.target(zone));
    this.pick = this.button("pick", () => deeds.tool("pick"));
    this.sizes = element("div", "bar-group sizes");
    this.sizeButtons = BRUSHES.map(([name], i) => {
      const button = element("button", "tool size");
      button.type = "button";
      button.appendChild(element("i", `brush-dot brush-${name}`));
      button.addEventListener("click", () => deeds.size(i));
      this.sizes.appendChild(button);
      return button;
    });
    this.told = element("div", "told");
    this.told.setAttribute("role", "status");
    this.told.setAttribute("aria-live", "polite");
    this.giveBox = element("div", "bar-group giving");
    this.giveBox.append(this.chooser.box, this.pick);
    second.append(this.giveBox, this.sizes, this.told);
    this.second = second;
    this.help = element("div", "help-bubble");
    this.help.setAttribute("role", "note");
    this.help.hidden = true;
    this.box.append(first, second, this.help);
  }

  group(row, names, deed, className) {
    const box = element("div", `bar-group ${className}`);
    box.setAttribute("role", "group");
    for (const name of names) box.appendChild(this.button(name, () => deed(name)));
    row.appendChild(box);
    return box;
  }

  button(name, deed) {
    const button = element("button", "tool");
    button.type = "button";
    button.dataset.name = name;
    if (ICONS[name]) button.appendChild(icon(name));
    button.appendChild(element("span", "tool-name"));
    button.addEventListener("click", deed);
    this.buttons[name] = button;
    return button;
  }

  // Words of the reader's language, and the schools to choose from.
  update(text, editable, options) {
    this.tools.hidden = this.steps.hidden = this.helpButton.hidden = this.second.hidden = !editable;
    this.chooser.update(text, options);
    // Writing the same words again would take the focus away.
    if (JSON.stringify(this.text) === JSON.stringify(text)) return;
    this.text = text;
    for (const [name, button] of Object.entries(this.buttons)) {
      button.querySelector(".tool-name").textContent = text[name];
      button.title = KEY_OF[name] ? `${text[name]} (${KEY_OF[name]})` : text[name];
      button.setAttribute("aria-label", text[name]);
    }
    this.tools.setAttribute("aria-label", text.tools);
    this.views.setAttribute("aria-label", text.views);
    this.sizes.setAttribute("role", "group");
    this.sizes.setAttribute("aria-label", text.size);
    this.sizeButtons.forEach((button, i) => {
      button.title = `${text.size}: ${text[BRUSHES[i][0]]}`;
      button.setAttribute("aria-label", button.title);
    });
    this.fillHelp();
  }

  // ``state``: {tool, view, size, zone, undo, redo, today: whether zones of today are known}.
  show(state) {
    const drawing = state.view !== "today";
    for (const name of [...TOOLS, "pick"]) {
      this.buttons[name].setAttribute("aria-pressed", String(state.tool === name));
      this.buttons[name].disabled = !drawing && name !== "look";
    }
    for (const name of VIEWS) {
      this.buttons[name].setAttribute("aria-pressed", String(state.view === name));
      this.buttons[name].disabled = !state.today && name !== "proposed";
    }
    this.sizeButtons.forEach((button, i) => button.setAttribute("aria-pressed", String(state.size === i)));
    this.buttons.undo.disabled = !state.undo || !drawing;
    this.buttons.redo.disabled = !state.redo || !drawing;
    this.giveBox.hidden = !drawing || !GIVING.includes(state.tool);
    this.sizes.hidden = !drawing || !["brush", "lock"].includes(state.tool);
    this.chooser.show(state.zone);
  }

  // What was done, or what can be done: ``kind`` is "" (a hint), "done" or "warned".
  tell(words, kind) {
    this.told.className = `told ${kind}`;
    this.told.textContent = words;
    this.told.title = words;
  }

  // Draws the eye to the list of schools.
  beckon() {
    this.chooser.box.classList.remove("beckon");
    void this.chooser.box.offsetWidth;
    this.chooser.box.classList.add("beckon");
  }

  switchHelp(open = this.help.hidden) {
    this.help.hidden = !open;
    this.helpButton.setAttribute("aria-expanded", String(open));
  }

  fillHelp() {
    const { text } = this;
    const close = element("button", "help-close", "×");
    close.type = "button";
    close.title = text.close;
    close.setAttribute("aria-label", text.close);
    close.addEventListener("click", () => this.switchHelp(false));
    const lines = ["help_pick", "help_move", "help_keys", "help_cross", "help_undo"].map((name) => element("li", "", text[name]));
    const list = element("ul");
    list.append(...lines);
    this.help.replaceChildren(close, element("h4", "", text.help), list);
  }
}
