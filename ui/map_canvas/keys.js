// The keyboard on the drawing map: letters choose tools, arrows move from unit to unit, Enter or Space gives or locks.

const TOOL_OF_KEY = { v: "look", g: "give", b: "brush", l: "lasso", k: "lock", p: "pick" };
const WAY_OF_KEY = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Keys {
  constructor(map) {
    this.map = map;
    this.at = -1;
    map.root.addEventListener("keydown", (event) => this.press(event));
    map.root.addEventListener("keyup", (event) => this.release(event));
    // A space bar that is let go elsewhere must not stay down here.
    globalThis.addEventListener("blur", () => this.holdSpace(false));
    map.frame.addEventListener("pointerdown", () => (this.moved = true));
    map.frame.addEventListener("blur", () => this.clear());
  }

  press(event) {
    const { map } = this;
    if (!map.data || !map.data.edit.editable || event.target.closest("input, select, textarea")) return;
    if (this.deed(event) || this.letter(event) || this.cross(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  deed(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return false;
    this.map.deed(key === "y" || event.shiftKey ? "redo" : "undo");
    return true;
  }

  letter(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const tool = TOOL_OF_KEY[event.key.toLowerCase()], { tools } = this.map;
    if (tool && (this.map.canDraw || tool === "look")) tools.choose(tool);
    else if (event.key === "[" || event.key === "]") tools.setSize(tools.size + (event.key === "]" ? 1 : -1));
    else if (event.key === "Escape") this.escape();
    else return false;
    return true;
  }

  escape() {
    const { tools } = this.map;
    if (!this.map.toolbar.help.hidden) this.map.toolbar.switchHelp(false);
    else if (tools.stroke) tools.abandon();
    else if (this.at >= 0) this.clear();
    else tools.choose("look");
  }

  // Keys that only mean something while the map itself has the focus.
  cross(event) {
    const { map } = this, onMap = event.target === map.frame;
    if (!onMap || !map.canDraw) return false;
    if (event.key === " ") {
      if (!event.repeat) this.moved = false;
      this.holdSpace(true);
      return true;
    }
    if (map.tools.tool === "look" || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (WAY_OF_KEY[event.key]) this.step(...WAY_OF_KEY[event.key]);
    else if (event.key === "Enter" && this.at >= 0) this.act();
    else return false;
    return true;
  }

  release(event) {
    if (event.key !== " ") return;
    const held = this.map.tools.space;
    this.holdSpace(false);
    if (held && !this.moved && this.at >= 0 && this.map.canDraw) this.act();
  }

  holdSpace(down) {
    this.map.tools.space = down;
    this.map.frame.classList.toggle("panning", down);
  }

  step(dx, dy) {
    const { map } = this, { table } = map.parts;
    const size = map.map.getSize();
    const next = this.at < 0 ? unitNearest(table, map.toWorld(size.divideBy(2))) : unitTowards(table, this.at, dx, dy);
    if (next < 0) return;
    this.at = next;
    map.map.panInside(map.toLatLng(table.x[next], table.y[next]), { padding: [70, 70], animate: false });
    map.repaint("aids");
    const words = map.describe({ kind: "unit", at: next, id: map.parts.units.ids[next] }).filter(Boolean);
    map.toolbar.tell(words.join(" · "), "done");
  }

  act() {
    const { tools, drawing, parts } = this.map;
    if (tools.tool === "lock") tools.apply(drawing.locked[this.at] ? "unlock" : "lock", [this.at]);
    else if (tools.tool === "pick") tools.takeTarget({ kind: "unit", at: this.at, id: parts.units.ids[this.at] });
    else if (tools.tool !== "look") tools.apply("give", [this.at]);
  }

  clear() {
    if (this.at < 0) return;
    this.at = -1;
    this.map.repaint("aids");
  }
}
