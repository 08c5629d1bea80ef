// The map itself: one object per key, kept on the window, so that a run of the page never resets it.

const PAN_PX = 80;
const MIN_RADIUS = 2.8;

function growthAt(zoom) {
  return Math.max(0.55, Math.min(1.5, 0.58 + (zoom - 10) * 0.17));
}

class BujuMap {
  constructor(store) {
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
  }

  // Leaflet needs an element with a size, so the map is made at the first mount.
  start(data) {
    const tiles = data.tiles;
    this.map = L.map(this.frame, {
      zoomControl: false, attributionControl: true, minZoom: 2, maxZoom: 19, zoomSnap: tiles ? 1 : 0.25, zoomDelta: 1,
      wheelPxPerZoomLevel: 90, zoomAnimation: true, fadeAnimation: false, inertia: true, keyboardPanDelta: PAN_PX,
      center: [0, 0], zoom: 10,
    });
    this.map.attributionControl.setPrefix(false);
    this.map.zoomControl = L.control.zoom({ zoomInTitle: data.text.zoom_in, zoomOutTitle: data.text.zoom_out }).addTo(this.map);
    this.addFitButton();
    L.control.scale({ imperial: false, maxWidth: 110 }).addTo(this.map);
    if (tiles) L.tileLayer(tiles.url, { maxZoom: 19, opacity: 0.75 }).addTo(this.map);
    this.canvases = {};
    const painters = { units: this.paintUnits, base: this.paintBase, over: this.paintOver, schools: this.paintSchools };
    Object.entries(painters).forEach(([name, paint], i) => {
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
    new ResizeObserver(() => this.map.invalidateSize({ pan: false })).observe(this.frame);
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
        this.fitAll(true);
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
    this.map.invalidateSize({ pan: false });
    if (this.study !== data.study) this.showStudy(data.study);
    this.follow(data.focus);
    this.showLegend();
    this.repaint();
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
    const sections = this.data.legend.filter((section) => !section.layer || this.layers.get(section.layer));
    this.legend.update(this.data.text.legend, sections.map((section) => ({ ...section, items: section.items.map(grow) })));
  }

  showStudy(study) {
    this.study = study;
    this.store.views ??= new Map();
    const kept = this.store.views.get(study);
    if (kept) this.map.setView(kept.centre, kept.zoom, { animate: false });
    else this.fitAll(false);
    if (this.keepView) this.map.off("moveend", this.keepView);
    this.keepView = () => this.store.views.set(study, { centre: this.map.getCenter(), zoom: this.map.getZoom() });
    this.map.on("moveend", this.keepView);
  }

  fitAll(animate) {
    const paths = this.parts.units && this.parts.units.paths;
    const box = paths && totalBox(paths);
    if (!box) return;
    const [x, y] = paths.origin;
    const corners = [[box[0] + x, box[1] + y], [box[2] + x, box[3] + y]].map(([a, b]) => this.toLatLng(a, b));
    this.map.fitBounds(L.latLngBounds(corners), { animate, padding: [6, 6] });
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
  }

  middle({ paths }, i) {
    const b = paths.box.subarray(4 * i, 4 * i + 4);
    return [paths.origin[0] + (b[0] + b[2]) / 2, paths.origin[1] + (b[1] + b[3]) / 2];
  }

  repaint(...names) {
    const wanted = names.length ? names : Object.keys(this.canvases);
    for (const name of wanted) this.canvases[name]._update();
  }

  on(layer) {
    return this.layers.get(layer) === true;
  }

  paintUnits(ctx, frame) {
    if (this.on("isochrones") && this.parts.isochrones) {
      paintBands(ctx, frame, this.parts.isochrones, this.data.band_colours);
    } else if (this.parts.units && this.units && this.on("units")) {
      paintUnits(ctx, frame, this.parts.units, this.units);
    }
  }

  paintBase(ctx, frame) {
    if (!this.parts.basemap) return;
    if (this.on("water")) paintWater(ctx, frame, this.parts.basemap);
    if (this.on("roads")) paintRoads(ctx, frame, this.parts.basemap, this.data.road_styles);
  }

  paintOver(ctx, frame) {
    const units = this.parts.units;
    if (this.on("zones") && this.parts.zones) paintOutlines(ctx, frame, this.parts.zones);
    if (units && this.units && this.chosen) this.paintChosen(ctx, frame, units);
    if (this.on("towns") && units && !this.chosen && frame.zoom < 14) paintLabels(ctx, frame, units.labels);
  }

  paintChosen(ctx, frame, units) {
    if (this.chosen.kind === "school") {
      const at = this.parts.schools.at.get(this.chosen.id);
      paintVeil(ctx, frame, units, this.units.unitsOf.get(at) || []);
      return;
    }
    const at = units.at.get(this.chosen.id);
    if (at === undefined) return;
    const view = viewOf(frame, units.paths.origin);
    strokeUnits(ctx, units, [at], view, "#ffffff", 5);
    strokeUnits(ctx, units, [at], view, INK, 2.4);
    for (const school of this.units.schoolsOf.get(at) || []) this.paintWay(ctx, frame, this.middle(units, at), school);
  }

  paintWay(ctx, frame, [x, y], school) {
    ctx.beginPath();
    ctx.moveTo(x * frame.scale - frame.left, y * frame.scale - frame.top);
    ctx.lineTo(this.parts.schools.x[school] * frame.scale - frame.left, this.parts.schools.y[school] * frame.scale - frame.top);
    ctx.setLineDash([5, 4]);
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1.6;
    ctx.stroke();
    ctx.setLineDash([]);
  }

  radius(item, zoom) {
    return Math.max(MIN_RADIUS, item.size * growthAt(zoom));
  }

  paintSchools(ctx, frame) {
    const part = this.parts.schools;
    if (!part) return;
    const place = (i) => [part.x[i] * frame.scale - frame.left, part.y[i] * frame.scale - frame.top];
    if (this.on("others")) {
      for (const { at, shape } of this.others) {
        const [x, y] = place(at);
        tracePoint(ctx, shape, x, y, frame.zoom < 11.5 ? 2.6 : 4);
        ctx.fillStyle = "#ffffff";
        ctx.fill();
        ctx.strokeStyle = "#55616c";
        ctx.lineWidth = 1;
        ctx.stroke();
      }
    }
    if (!this.on("schools")) return;
    const picked = this.chosen && this.chosen.kind === "school" ? part.at.get(this.chosen.id) : -1;
    for (const item of this.schools) {
      const [x, y] = place(item.at);
      ctx.globalAlpha = picked < 0 || picked === undefined || item.at === picked ? 1 : 0.32;
      if (item.at === picked) {
        tracePoint(ctx, item.shape, x, y, this.radius(item, frame.zoom) + 6.5);
        ctx.strokeStyle = INK;
        ctx.lineWidth = 2.6;
        ctx.stroke();
      }
      paintSymbol(ctx, item, x, y, this.radius(item, frame.zoom));
    }
    ctx.globalAlpha = 1;
  }

  // What lies under the pointer: a school before a unit.
  pick(point) {
    const corner = this.map.getPixelOrigin().add(this.map.containerPointToLayerPoint(point));
    const scale = 2 ** (this.map.getZoom() - 22), part = this.parts.schools;
    if (part && this.on("schools")) {
      let best = null, nearest = Infinity;
      for (const item of this.schools) {
        const away = Math.hypot(part.x[item.at] * scale - corner.x, part.y[item.at] * scale - corner.y);
        const reach = Math.max(9, this.radius(item, this.map.getZoom()) + 3);
        if (away <= reach && away < nearest) [best, nearest] = [item, away];
      }
      if (best) return { kind: "school", id: part.ids[best.at], at: best.at };
    }
    const units = this.parts.units;
    const at = units ? units.index.find(corner.x / scale, corner.y / scale) : -1;
    return at < 0 ? null : { kind: "unit", id: units.ids[at], at };
  }

  describe(found) {
    if (found.kind === "school") {
      const item = this.schoolAt.get(found.at);
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
    if (!this.data) return;
    const found = this.pick(event.containerPoint);
    const same = found && this.chosen && found.kind === this.chosen.kind && found.id === this.chosen.id;
    this.chosen = found && !same ? { kind: found.kind, id: found.id } : null;
    this.repaint("over", "schools");
    this.store.clicks = (this.store.clicks || 0) + 1;
    const told = this.chosen || { kind: "", id: "" };
    this.component.setTriggerValue("event", { type: "click", ...told, n: this.store.clicks });
  }

  switchLayer(id, on) {
    this.layers.set(id, on);
    this.showTexts(this.data);
    this.repaint();
    const lazy = this.data.layers.filter((layer) => layer.lazy);
    if (lazy.some((layer) => layer.id === id)) {
      this.component.setStateValue("wanted", lazy.filter((layer) => this.layers.get(layer.id)).map((layer) => layer.id));
    }
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

export function mount(component, store) {
  const { key } = component.data;
  if (!store.maps.has(key)) store.maps.set(key, new BujuMap(store));
  const map = store.maps.get(key);
  const home = component.parentElement.querySelector(".buju-home");
  if (home && map.root.parentElement !== home) home.replaceChildren(map.root);
  map.accept(component);
  return () => map.tip.hide();
}
