// The map itself: one object per key, kept on the window, so that a run of the page never resets it.

const PAN_PX = 80;

class BujuMap extends MapPainter {
  constructor(store) {
    super();
    this.store = store;
    this.parts = {};
    this.layers = new Map();
    this.focused = 0;
    this.queue = Promise.resolve();
    this.root = element("div", "buju-map");
    this.root.appendChild(element("style", "", STYLE));
    this.frame = element("div", "map-frame");
    this.root.appendChild(this.frame);
    this.tip = new Tip(this.root);
    this.layerPanel = new LayerPanel(this.root, (id, on) => this.switchLayer(id, on));
    this.legend = new Legend(this.root);
    this.busy = element("div", "busy");
    this.busy.setAttribute("role", "status");
    this.busy.hidden = true;
    this.root.appendChild(this.busy);
  }

  // Leaflet needs an element with a size, so the map is made at the first mount.
  start(data) {
    const tiles = data.tiles;
    this.map = L.map(this.frame, {
      zoomControl: false, attributionControl: true, minZoom: 2, maxZoom: 18, zoomSnap: tiles ? 1 : 0.1, zoomDelta: 1,
      wheelPxPerZoomLevel: 90, zoomAnimation: true, fadeAnimation: false, inertia: true, keyboardPanDelta: PAN_PX,
      center: [0, 0], zoom: 10,
    });
    this.map.attributionControl.setPrefix(false);
    this.map.zoomControl = L.control.zoom({ zoomInTitle: data.text.zoom_in, zoomOutTitle: data.text.zoom_out }).addTo(this.map);
    this.addFitButton();
    L.control.scale({ imperial: false, maxWidth: 110 }).addTo(this.map);
    if (tiles) L.tileLayer(tiles.url, { maxZoom: 19, opacity: 0.75 }).addTo(this.map);
    this.canvases = {};
    Object.entries(this.listPainters()).forEach(([name, paint], i) => {
      const pane = this.map.createPane(`buju-${name}`);
      pane.style.zIndex = 350 + i;
      pane.style.pointerEvents = "none";
      this.canvases[name] = new CanvasLayer(paint.bind(this), { pane: `buju-${name}` }).addTo(this.map);
    });
    this.canvases.units._container.style.opacity = tiles ? 0.62 : 0.86;
    this.map.on("mousemove", (event) => this.hover(event));
    this.map.on("mouseout", () => this.tip.hide());
    this.map.on("click", (event) => this.click(event));
    this.map.on("movestart zoomstart", () => this.tip.hide());
    this.map.on("zoomend", () => this.data && this.showLegend());
    // The ring of the keyboard focus would only disturb whoever uses the mouse.
    this.frame.addEventListener("keydown", () => this.frame.classList.add("keys"));
    this.frame.addEventListener("mousedown", () => this.frame.classList.remove("keys"));
    this.frame.addEventListener("focus", () => this.frame.classList.toggle("keys", !this.frame.matches(":active")));
    this.map.on("moveend", () => this.noteView());
    new ResizeObserver(() => this.resize()).observe(this.frame);
  }

  // The canvases from the lowest to the highest.
  listPainters() {
    return {
      units: this.paintUnits, base: this.paintBase, over: this.paintOver, schools: this.paintSchools, names: this.paintNames,
    };
  }

  addFitButton() {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      const bar = element("div", "leaflet-bar leaflet-control");
      this.fitButton = element("a", "fit", "⤢");
      this.fitButton.href = "#";
      this.fitButton.setAttribute("role", "button");
      L.DomEvent.disableClickPropagation(bar);
      this.fitButton.addEventListener("click", (event) => {
        event.preventDefault();
        this.fitAll();
      });
      bar.appendChild(this.fitButton);
      return bar;
    };
    control.addTo(this.map);
  }

  // Runs of the page are applied one after another; the newest functions talk to the server.
  accept(component) {
    this.component = component;
    this.queue = this.queue.then(() => this.apply(component.data)).catch((error) => console.error("buju map", error));
    return this.queue;
  }

  async apply(data) {
    const started = performance.now();
    this.root.style.height = data.height;
    if (!this.map) this.start(data);
    await this.takeParts(data);
    this.data = data;
    this.readPaint();
    this.chosen = data.selected || null;
    this.showTexts(data);
    // The legend takes its height first; only then is the size of the map known.
    this.resize();
    if (this.study !== data.study) this.showStudy(data.study);
    this.follow(data.focus);
    this.showLegend();
    this.showBusy();
    this.refresh();
    this.reportMissing();
    this.root.dataset.version = data.version;
    this.root.dataset.paintMs = (performance.now() - started).toFixed(1);
  }

  async takeParts(data) {
    for (const [role, part] of Object.entries(data.parts)) {
      if (part && part.payload && !this.store.parts.has(part.hash)) {
        this.store.parts.set(part.hash, unpackPart(part.payload));
        if (this.store.parts.size > 40) this.store.parts.delete(this.store.parts.keys().next().value);
      }
      this.parts[role] = part ? (await this.store.parts.get(part.hash)) || null : null;
    }
  }

  readPaint() {
    const paint = this.parts.paint;
    this.units = paint ? paint.units : null;
    this.schools = paint ? paint.shown : [];
    this.others = paint ? paint.others : [];
    this.schoolAt = new Map(this.schools.map((item) => [item.at, item]));
    this.otherAt = new Map(this.others.map((item) => [item.at, item]));
  }

  showTexts(data) {
    const { text } = data;
    this.frame.setAttribute("aria-label", text.map);
    this.frame.setAttribute("role", "application");
    this.fitButton.title = text.fit;
    this.fitButton.setAttribute("aria-label", text.fit);
    for (const [name, title] of [["in", text.zoom_in], ["out", text.zoom_out]]) {
      const button = this.frame.querySelector(`.leaflet-control-zoom-${name}`);
      button.title = title;
      button.setAttribute("aria-label", title);
    }
    if (this.attribution !== data.attribution) {
      if (this.attribution) this.map.attributionControl.removeAttribution(this.attribution);
      this.attribution = data.attribution;
      const safe = element("span", "", data.attribution).innerHTML;
      if (safe) this.map.attributionControl.addAttribution(safe);
    }
    for (const layer of data.layers) if (!this.layers.has(layer.id)) this.layers.set(layer.id, layer.on);
    this.layerPanel.update(text.layers, data.layers, (id) => this.layers.get(id));
    this.showLegend();
  }

  // Symbols grow with the zoom, and the sizes in the legend with them.
  showLegend() {
    const growth = growthAt(this.map.getZoom());
    const grow = (item) => (item.scaled ? { ...item, size: Math.max(MIN_RADIUS, item.size * growth) } : item);
    const bands = this.on("isochrones") && this.parts.isochrones;
    const seen = ({ layer }) => (layer === "units" || layer === "isochrones" ? (layer === "isochrones") === Boolean(bands) : true);
    const sections = this.data.legend.filter((section) => seen(section) && (!section.layer || this.layers.get(section.layer)));
    this.legend.update(this.data.text.legend, sections.map((section) => ({ ...section, items: section.items.map(grow) })));
  }

  // The view is kept for each study, over a reload of the page too.
  showStudy(study) {
    this.study = study;
    const kept = recallView(study);
    if (kept && !kept.fitted) this.map.setView(kept.centre, kept.zoom, { animate: false });
    else this.fitAll();
  }

  noteView() {
    if (this.resizing) return;
    this.fitted = false;
    if (this.study) keepView(this.study, { centre: this.map.getCenter(), zoom: this.map.getZoom(), fitted: false });
  }

  // A map that shows the whole county goes on doing so when the window or the legend changes its size. A ``steady`` one,
  // whose legend changes with every click, follows the window only: nothing moves below the pointer.
  resize() {
    const fitted = this.fitted, [wide, high] = this.fittedSize || [0, 0];
    this.resizing = true;
    this.map.invalidateSize({ pan: false });
    this.resizing = false;
    const size = this.map.getSize();
    // Small changes come from the legend, whose symbols follow the zoom: to follow these would never end.
    const steady = this.data && this.data.steady && this.fittedBox === this.readBox();
    if (fitted && !steady && Math.max(Math.abs(size.x - wide), Math.abs(size.y - high)) > 14) this.fitAll();
  }

  readBox() {
    return `${this.root.clientWidth} ${this.root.clientHeight}`;
  }

  fitAll() {
    const paths = this.parts.units && this.parts.units.paths;
    const box = paths && totalBox(paths);
    if (!box) return;
    const [x, y] = paths.origin;
    const corners = [[box[0] + x, box[1] + y], [box[2] + x, box[3] + y]].map(([a, b]) => this.toLatLng(a, b));
    this.map.fitBounds(L.latLngBounds(corners), { animate: false, padding: [6, 6] });
    this.fitted = true;
    const size = this.map.getSize();
    this.fittedSize = [size.x, size.y];
    this.fittedBox = this.readBox();
    if (this.study) keepView(this.study, { fitted: true });
  }

  toLatLng(worldX, worldY) {
    const size = 2 ** 22;
    return this.map.unproject([worldX / size, worldY / size], 0);
  }

  follow(focus) {
    if (!focus || focus.n === this.focused) return;
    this.focused = focus.n;
    const part = focus.kind === "school" ? this.parts.schools : this.parts.units;
    const i = part ? part.at.get(focus.id) : undefined;
    if (i === undefined) return;
    const [x, y] = focus.kind === "school" ? [part.x[i], part.y[i]] : this.middle(part, i);
    this.map.setView(this.toLatLng(x, y), Math.max(this.map.getZoom(), 13), { animate: true });
    this.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  middle({ paths }, i) {
    const b = paths.box.subarray(4 * i, 4 * i + 4);
    return [paths.origin[0] + (b[0] + b[2]) / 2, paths.origin[1] + (b[1] + b[3]) / 2];
  }

  // What a run of the page changes on the canvases.
  refresh() {
    this.repaint();
  }

  repaint(...names) {
    const wanted = names.length ? names : Object.keys(this.canvases);
    for (const name of wanted) this.canvases[name]._update();
  }

  // What lies under the pointer: a school before a unit.
  pick(point) {
    const corner = this.map.getPixelOrigin().add(this.map.containerPointToLayerPoint(point));
    const scale = 2 ** (this.map.getZoom() - 22), part = this.parts.schools;
    let best = null, nearest = Infinity;
    const look = (item, reach) => {
      const away = Math.hypot(part.x[item.at] * scale - corner.x, part.y[item.at] * scale - corner.y);
      if (away <= reach && away < nearest) [best, nearest] = [item, away];
    };
    if (part && this.on("schools")) {
      for (const item of this.schools) look(item, Math.max(9, this.radius(item, this.map.getZoom()) + 3));
    }
    if (part && this.on("others")) for (const item of this.others) look(item, 6);
    if (best) return { kind: "school", id: part.ids[best.at], at: best.at };
    const units = this.parts.units;
    const at = units ? units.index.find(corner.x / scale, corner.y / scale) : -1;
    return at < 0 ? null : { kind: "unit", id: units.ids[at], at };
  }

  describe(found) {
    if (found.kind === "school") {
      const item = this.schoolAt.get(found.at) || this.otherAt.get(found.at);
      return [this.parts.schools.names[found.at], ...(item ? item.lines : [])];
    }
    const { units, schools } = this.parts, paint = this.units, text = this.data.text;
    const lines = [units.names[found.at] || found.id, units.notes[found.at]];
    if (!paint) return lines;
    const value = paint.values[found.at];
    lines.push(Number.isNaN(value) ? text.no_value : text.value.replace("{value}", () => value.toFixed(paint.digits)));
    for (const school of paint.schoolsOf.get(found.at) || []) lines.push(`→ ${schools.names[school]}`);
    return lines;
  }

  hover(event) {
    this.pointer = event.containerPoint;
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (!this.data) return;
      const found = this.pick(this.pointer);
      this.frame.style.cursor = found ? "pointer" : "";
      if (found) this.tip.show(this.describe(found), this.pointer.x, this.pointer.y, this.map.getSize());
      else this.tip.hide();
    });
  }

  // The map answers at once; the page follows with the card.
  click(event) {
    if (this.data) this.choose(this.pick(event.containerPoint));
  }

  choose(found) {
    const same = found && this.chosen && found.kind === this.chosen.kind && found.id === this.chosen.id;
    this.chosen = found && !same ? { kind: found.kind, id: found.id } : null;
    this.repaint("over", "schools", "names");
    this.store.clicks = (this.store.clicks || 0) + 1;
    const told = this.chosen || { kind: "", id: "" };
    this.component.setTriggerValue("event", { type: "click", ...told, n: this.store.clicks });
  }

  switchLayer(id, on) {
    this.layers.set(id, on);
    this.showTexts(this.data);
    this.repaint();
    this.showBusy();
    const lazy = this.data.layers.filter((layer) => layer.lazy);
    if (lazy.some((layer) => layer.id === id)) {
      this.component.setStateValue("wanted", lazy.filter((layer) => this.layers.get(layer.id)).map((layer) => layer.id));
    }
  }

  // A layer that the server has still to compute says so on the map.
  showBusy() {
    const waits = this.data.layers.some(({ id, lazy }) => lazy && this.on(id) && !this.parts[id]);
    this.busy.textContent = this.data.text.busy;
    this.busy.hidden = !waits;
  }

  // The server remembers what it sent; should anything be lost on the way, it is asked for again.
  reportMissing() {
    const needed = Object.values(this.data.parts).filter(Boolean).map((part) => part.hash);
    askAgain(this.component, this.store, needed.filter((hash) => !this.store.parts.has(hash)));
  }
}

function askAgain(component, store, hashes) {
  if (!hashes.length) return;
  store.asked = (store.asked || 0) + 1;
  component.setStateValue("missing", { n: `${Date.now()}-${store.asked}`, hashes });
}
