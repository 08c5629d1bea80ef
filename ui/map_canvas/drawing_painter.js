// How the drawing map paints: zones, borders and marks, whole or only where something changed.

const WHOLE_FROM_UNITS = 250;

class DrawingPainter extends BujuMap {
  // Locks stand above the symbols of schools; what helps the hand is on top.
  listPainters() {
    const { names, ...others } = super.listPainters();
    return { ...others, locks: this.paintLocks, names, aids: (ctx, frame) => this.tools.paint(ctx, frame) };
  }

  get canDraw() {
    return this.ready && this.data.edit.editable && this.view !== "today";
  }

  // Whoever draws must see all zones, whatever card is open.
  get showsChoice() {
    return this.tools.tool === "look" || !this.canDraw;
  }

  get shownZones() {
    return this.view === "today" ? this.parts.table.before : this.drawing.zone;
  }

  paintUnits(ctx, frame) {
    if (this.ready) this.paintFills(ctx, frame, this.shownZones);
  }

  paintFills(ctx, frame, zone) {
    const { units, borders } = this.parts, { colours, palette } = this.data.edit;
    if (this.on("units")) paintZones(ctx, frame, units, borders, zone, colours, palette);
  }

  paintOver(ctx, frame) {
    if (this.ready) this.paintDrawn(ctx, frame, this.shownZones, this.view !== "today");
  }

  paintDrawn(ctx, frame, zone, proposed) {
    const { units, borders } = this.parts, { drawing } = this, styles = this.data.edit.mark_styles;
    const marks = proposed ? Object.keys(drawing.marks).filter((name) => this.on(name)) : [];
    const mark = (filled) => {
      for (const name of marks) if (styles[name] in FILL_MARKS === filled) markUnits(ctx, frame, units, borders, drawing.marks[name], styles[name]);
    };
    if (proposed && this.on("moved")) markUnits(ctx, frame, units, borders, this.listMoved(), "dotted");
    mark(true);
    if (this.on("zones")) paintZoneBorders(ctx, frame, borders, zone);
    mark(false);
    if (this.chosen) this.paintTheChosen(ctx, frame, zone);
  }

  paintLocks(ctx, frame) {
    if (this.ready && this.view !== "today" && this.on("locks")) paintLocks(ctx, frame, this.placeLocks(frame));
  }

  // [x, y, is large] of every lock in the frame.
  placeLocks(frame) {
    const { units, table } = this.parts;
    return listLocks(frame, units, table, this.drawing.locked);
  }

  // Names keep clear of locks.
  takePlaces(frame, taken) {
    if (!this.ready || this.view === "today" || !this.on("locks")) return;
    for (const [x, y, large] of this.placeLocks(frame)) if (large) taken.take([x - 5, y - 5, x + 5, y + 6]);
  }

  listMoved() {
    const { zone } = this.drawing, { before } = this.parts.table, found = [];
    for (let i = 0; i < zone.length; i += 1) if (before[i] >= 0 && zone[i] !== before[i]) found.push(i);
    return found;
  }

  paintTheChosen(ctx, frame, zone) {
    const { units, schools, table } = this.parts;
    if (this.chosen.kind === "school") {
      if (!this.showsChoice) return;
      const at = schools.at.get(this.chosen.id), homes = [];
      const own = new Set(table.schools.flatMap((list, number) => (list.includes(at) ? [number] : [])));
      for (let i = 0; i < zone.length; i += 1) if (own.has(zone[i])) homes.push(i);
      if (own.size) paintVeil(ctx, frame, units, homes);
      return;
    }
    const at = units.at.get(this.chosen.id);
    if (at === undefined) return;
    const view = viewOf(frame, units.paths.origin);
    strokeUnits(ctx, units, [at], view, "#ffffff", 5);
    strokeUnits(ctx, units, [at], view, INK, 2.4);
    for (const school of table.schools[zone[at]] || []) this.paintWay(ctx, frame, [table.x[at], table.y[at]], school);
  }

  // After a run: only what looks different is painted anew.
  refresh() {
    if (!this.ready) {
      this.repaint();
      return;
    }
    const { edit, parts, layers } = this.data, hash = (role) => parts[role] && parts[role].hash;
    const shapes = [hash("units"), hash("borders"), hash("table"), this.view, layers];
    const symbols = JSON.stringify([edit.symbols, hash("schools"), hash("table"), this.view, this.chosen]);
    const locks = JSON.stringify([edit.locked, this.view]);
    const names = JSON.stringify([edit.symbols.map(([at, size]) => [at, size]), hash("schools"), hash("units"), locks]);
    const look = {
      base: String(hash("basemap")), units: JSON.stringify([shapes, edit.colours]), schools: symbols, names,
      over: JSON.stringify([shapes, edit.marks, this.chosen]), locks,
    };
    const stale = Object.keys(look).filter((name) => !this.changed || !this.look || look[name] !== this.look[name]);
    this.look = look;
    if (stale.length) this.repaint(...stale);
    this.repaintUnits(this.changed || [], ["units", "over"].filter((name) => !stale.includes(name)));
    this.changed = [];
    // The page was left and opened again before it could apply them.
    if (this.moved && this.drawing.pending.length) this.send();
    this.moved = false;
    this.root.dataset.waiting = this.drawing.pending.length;
    this.root.dataset.ack = edit.ack;
    this.root.dataset.number = edit.number;
  }

  repaint(...names) {
    super.repaint(...names);
    this.twin.repaint(...(names.length ? names : Object.keys(this.canvases)));
  }

  repaintAids() {
    this.aiding ??= requestAnimationFrame(() => {
      this.aiding = undefined;
      this.canvases.aids._update();
    });
  }

  // Collects the units of one frame of the screen.
  repaintSoon(units) {
    for (const unit of units) this.fresh.add(unit);
    if (!units.length || this.painting) return;
    this.painting = requestAnimationFrame(() => {
      this.painting = 0;
      const list = [...this.fresh];
      this.fresh.clear();
      if (this.drawing.current && this.drawing.current.action !== "give") this.repaint("locks");
      else this.repaintUnits(list);
    });
  }

  repaintUnits(units, names = ["units", "over"]) {
    if (!units.length || !names.length || this.view === "today") return;
    const started = performance.now();
    const boxes = units.length > WHOLE_FROM_UNITS ? null : this.boxesOf(units);
    for (const name of names) {
      if (boxes) for (const box of boxes) this.canvases[name].repaintBox(box);
      else this.canvases[name]._update();
    }
    this.root.dataset.strokeMs = (performance.now() - started).toFixed(1);
  }

  // Boxes of units in the world; boxes that touch become one.
  boxesOf(units) {
    const { paths } = this.parts.units, [ox, oy] = paths.origin, { table } = this.parts, margin = 2 * BOX_MARGIN_PX / this.scaleNow();
    const boxes = [];
    for (const unit of units) {
      let [left, top, right, bottom] = Array.from(paths.box.subarray(4 * unit, 4 * unit + 4), (value, i) => value + (i % 2 ? oy : ox));
      if (left > right) [left, top, right, bottom] = [table.x[unit], table.y[unit], table.x[unit], table.y[unit]];
      for (let i = boxes.length - 1; i >= 0; i -= 1) {
        const other = boxes[i];
        if (other[0] > right + margin || other[2] < left - margin || other[1] > bottom + margin || other[3] < top - margin) continue;
        [left, top] = [Math.min(left, other[0]), Math.min(top, other[1])];
        [right, bottom] = [Math.max(right, other[2]), Math.max(bottom, other[3])];
        boxes.splice(i, 1);
        i = boxes.length;
      }
      boxes.push([left, top, right, bottom]);
    }
    return boxes;
  }

  scaleNow() {
    return 2 ** (this.map.getZoom() - 22);
  }

  toWorld(point) {
    const corner = this.map.getPixelOrigin().add(this.map.containerPointToLayerPoint(point)), scale = this.scaleNow();
    return [corner.x / scale, corner.y / scale];
  }

  unitAt(point) {
    return this.ready ? this.parts.units.index.find(...this.toWorld(point)) : -1;
  }

  isLockedAt(point) {
    const at = this.unitAt(point);
    return at >= 0 && Boolean(this.drawing.locked[at]);
  }
}
