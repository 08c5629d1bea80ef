// The map on which zones are drawn: the plain map, with tools above it and today's zones beside it.

class DrawingMap extends DrawingPainter {
  constructor(store) {
    super(store);
    this.drawing = new Drawing();
    this.view = "proposed";
    this.ready = false;
    this.fresh = new Set();
    this.zoneOfSchool = new Map();
    this.plainSchools = [];
    this.tools = new Tools(this);
    this.keys = new Keys(this);
    this.toolbar = new Toolbar({
      tool: (name) => this.tools.choose(name), view: (name) => this.setView(name), deed: (name) => this.deed(name),
      size: (size) => this.tools.setSize(size), target: (zone) => this.tools.setZone(zone),
    });
    this.twin = new Twin(this);
    this.root.classList.add("drawing");
    this.halves = element("div", "map-halves");
    this.half = element("div", "map-half");
    this.badge = element("div", "badge badge-proposed");
    this.root.insertBefore(this.toolbar.box, this.frame);
    this.root.insertBefore(this.halves, this.legend.box);
    this.half.append(this.frame, this.tip.box, this.badge);
    this.halves.append(this.half, this.twin.half, this.twin.divider, this.layerPanel.box, this.busy);
    // On a phone the panel would lie over the map's middle.
    this.root.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".layers")) this.layerPanel.box.open = false;
    });
  }

  start(data) {
    super.start(data);
    this.tools.start();
    this.map.on("zoomstart movestart", () => this.tools.stroke && this.tools.abandon());
  }

  async takeParts(data) {
    // Until all of another drawing is here, nothing is painted.
    if (data.edit.drawing !== this.drawing.id) this.ready = false;
    await super.takeParts(data);
    const { units, table, borders, schools } = this.parts;
    if (!units || !table || !borders || !schools) {
      this.ready = false;
      this.drawing.server = null;
      this.changed = null;
      return;
    }
    const { shapes } = units.paths;
    table.bare ??= units.ids.map((id, i) => i).filter((i) => shapes[i] === shapes[i + 1]);
    const { id } = this.drawing;
    this.changed = await this.drawing.take(data.edit, table);
    this.ready = true;
    if (id !== this.drawing.id) this.tools.forget();
    this.readZones(table);
  }

  // A school leads to the zone that it shares with the fewest others.
  readZones(table) {
    this.zoneOfSchool = new Map();
    const order = table.schools.map((list, zone) => zone).sort((a, b) => table.schools[a].length - table.schools[b].length);
    for (const zone of order) for (const at of table.schools[zone]) if (!this.zoneOfSchool.has(at)) this.zoneOfSchool.set(at, zone);
  }

  readPaint() {
    this.units = null;
    const { edit } = this.data, { table } = this.parts;
    const kind = (at) => (table ? table.kinds[table.kind_of[at]] : "");
    this.symbols = edit.symbols.map(([at, size, colour, mark, words]) => (
      { at, size, colour, mark, shape: edit.shape, lines: [kind(at), words] }));
    this.plainSchools = this.symbols.map((item) => ({ ...item, size: 6.5, colour: "#ffffff", mark: "", lines: [kind(item.at)] }));
    this.plainAt = new Map(this.plainSchools.map((item) => [item.at, item]));
    this.others = table ? table.others : [];
    this.otherAt = new Map(this.others.map((item) => [item.at, item]));
    this.showSchools();
  }

  showSchools() {
    this.schools = this.view === "today" ? this.plainSchools : this.symbols;
    this.schoolAt = new Map(this.schools.map((item) => [item.at, item]));
  }

  showTexts(data) {
    super.showTexts(data);
    const { text, edit } = data;
    const words = new Map(this.symbols.map((item) => [item.at, item.lines[1]]));
    const options = (this.parts.table ? this.parts.table.names : []).map((name, zone) => (
      { zone, name, colour: this.colourOf(zone), note: words.get(this.parts.table.schools[zone][0]) || "" }));
    this.toolbar.update(text, edit.editable, options);
    for (const badge of [this.badge, this.twin.sides[1]]) badge.textContent = text.proposed;
    for (const badge of [this.twin.badge, this.twin.sides[0]]) badge.textContent = text.today;
    this.twin.divider.setAttribute("aria-label", text.divider);
    this.twin.divider.title = text.divider;
    this.showTools();
    const spoken = JSON.stringify(text);
    if (this.spoken !== spoken) this.hint();
    this.spoken = spoken;
  }

  showTools() {
    if (!this.data) return;
    const { edit } = this.data, { tools } = this, looking = tools.tool === "look" || !this.canDraw;
    this.toolbar.show({
      tool: tools.tool, view: this.view, size: tools.size, zone: tools.zone,
      today: Boolean(this.parts.table && this.parts.table.before.some((zone) => zone >= 0)), undo: edit.undo || this.drawing.pending.length > 0, redo: edit.redo,
    });
    this.frame.classList.toggle("working", STROKING.includes(tools.tool) && this.canDraw);
    this.frame.classList.toggle("aiming", ["give", "pick"].includes(tools.tool) && this.canDraw);
    for (const name of ["doubleClickZoom", "boxZoom"]) this.map[name][looking ? "enable" : "disable"]();
  }

  // The line below the tools says what the tool does until something was done.
  hint() {
    const name = this.view === "today" ? "today_hint" : `${this.tools.tool}_hint`;
    const first = this.canDraw && ["give", "brush", "lasso"].includes(this.tools.tool) && this.tools.zone < 0;
    if (this.data) this.toolbar.tell(this.data.edit.editable ? this.data.text[first ? "first_choose" : name] : "", "");
  }

  tell(name, values, kind) {
    this.toolbar.tell(this.say(name, values), kind);
  }

  say(name, values) {
    return this.data.text[name].replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
  }

  nameZone(zone) {
    return this.parts.table.names[zone] ?? "";
  }

  nameUnit(at) {
    return this.parts.units.names[at] || this.parts.units.ids[at];
  }

  colourOf(zone) {
    const { palette, colours } = this.data.edit;
    return palette[colours[zone] % palette.length];
  }

  // Sends a stroke that has ended and says what it did.
  commit(stroke) {
    if (!stroke) return;
    const { units, kept, action, zone, seen } = stroke, school = this.nameZone(zone);
    const deed = { give: "given", lock: "locked", unlock: "unlocked" }[action];
    const said = [];
    if (units.length === 1) said.push(this.say(`${deed}_one`, { unit: this.nameUnit(units[0]), school }));
    else if (units.length) said.push(this.say(action === "give" ? deed : `${deed}_some`, { count: units.length, school }));
    if (kept.length === 1) said.push(this.say("kept_one", { unit: this.nameUnit(kept[0]), school: this.nameZone(this.drawing.zone[kept[0]]) }));
    else if (kept.length) said.push(this.say("kept", { count: kept.length }));
    if (!said.length) said.push(this.data.text[seen.size ? "already" : "no_units"]);
    this.toolbar.tell(said.join(" · "), units.length ? "done" : "warned");
    if (action !== "give") this.repaint("locks", "names");
    if (units.length) this.send();
  }

  deed(name) {
    if (!this.canDraw) return;
    this.tools.abandon();
    this.drawing.note(name);
    this.tell(name === "undo" ? "undoing" : "redoing", {}, "done");
    this.send();
  }

  send() {
    this.root.dataset.waiting = this.drawing.pending.length;
    this.drawing.send(this.component);
    this.showTools();
  }

  // --- what the pointer is on

  describe(found) {
    return this.view === "today" ? this.describeToday(found) : this.describeWith(found, this.drawing.zone, true);
  }

  describeToday(found) {
    return this.describeWith(found, this.parts.table.before, false);
  }

  describeWith(found, zone, proposed) {
    const { units, schools, table } = this.parts, { text } = this.data;
    if (found.kind === "school") {
      const item = (proposed ? this.schoolAt : this.plainAt).get(found.at) || this.otherAt.get(found.at);
      return [schools.names[found.at], ...(item ? item.lines : [])];
    }
    const at = found.at, pupils = table.pupils[at], before = table.before[at];
    const name = (number) => (number >= 0 ? this.say(proposed ? "in_zone" : "was", { school: this.nameZone(number) }) : text.no_zone);
    return [
      this.nameUnit(at), units.notes[at], name(zone[at]),
      proposed && before >= 0 && before !== zone[at] ? this.say("was", { school: this.nameZone(before) }) : "",
      Number.isNaN(pupils) ? "" : this.say("pupils", { count: Number(pupils.toFixed(1)) }),
      proposed && this.drawing.locked[at] ? text.is_locked : "",
    ];
  }

  hover(event) {
    if (this.ready && !this.tools.stroke) super.hover(event);
  }

  click(event) {
    if (!this.ready) return;
    const found = this.pick(event.containerPoint), { tool } = this.tools;
    if (!this.canDraw || tool === "look") this.choose(found);
    else if (tool === "pick" || (tool === "give" && event.originalEvent.altKey)) this.tools.takeTarget(found);
    else if (tool === "give") this.tools.giveAt(found);
  }

  clickToday(found, event) {
    if (!this.ready) return;
    if (this.tools.tool === "look") this.choose(found);
    else if (this.tools.tool === "pick" || event.originalEvent.altKey) this.tools.takeTarget(found, this.parts.table.before);
  }

  // --- views

  setView(view) {
    const centre = this.map.getCenter(), zoom = this.map.getZoom(), { fitted } = this;
    this.tools.abandon();
    this.view = view;
    this.halves.className = `map-halves ${view}`;
    this.showSchools();
    this.twin.show(view);
    // Two maps side by side jump from zoom to zoom together.
    this.map.options.zoomAnimationThreshold = this.twin.shown ? -1 : 4;
    this.resize();
    if (!fitted) this.map.setView(centre, zoom, { animate: false });
    this.fitted = fitted;
    this.twin.match();
    this.showTools();
    this.hint();
    this.look = null;
    this.repaint();
  }

  resize() {
    super.resize();
    this.twin.match();
  }

  // The server is asked for all zones when those held here cannot be right.
  reportMissing() {
    super.reportMissing();
    if (this.ready && !this.drawing.isSound) askAgain(this.component, this.store, ["drawn"]);
  }
}
