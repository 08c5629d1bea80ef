// The map: pan and zoom by Leaflet, everything on it on own canvases.

const SHAPE_OF_STAGE = { kindergarten: "triangle", primary: "circle", junior: "square", senior: "diamond" };
const STATUS_ORDER = { same: 0, changed: 1, gone: 2, new: 3 };

class CountyMap {
  constructor(county, words, choose) {
    Object.assign(this, { county, words, onChoose: choose, view: "change", stage: county.data.stages[0], unit: -1, school: -1, street: [] });
    const { backdrop, borders } = county.data;
    this.backdrop = {
      lakes: unpackPaths(backdrop.lakes), rivers: unpackPaths(backdrop.rivers),
      roads: backdrop.roads.map((road) => ({ rank: road.rank, names: road.names, paths: unpackPaths(road.paths), nameOf: unpackNumbers(road.name_of) })),
    };
    this.borders = borders && borders.owners ? unpackPaths(borders) : null;
    this.frame = byId("map");
    this.start();
  }

  start() {
    const reduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map = L.map(this.frame, {
      zoomControl: false, attributionControl: false, minZoom: 4, maxZoom: 18, zoomSnap: 0.25, zoomDelta: 1, center: [0, 0], zoom: 10,
      wheelPxPerZoomLevel: 90, fadeAnimation: false, zoomAnimation: !reduced, inertia: !reduced, keyboardPanDelta: 80,
    });
    this.zoom = L.control.zoom({ position: "topleft" }).addTo(this.map);
    this.addFit();
    L.control.scale({ imperial: false, maxWidth: 110 }).addTo(this.map);
    this.frame.append((this.north = make("div", "north", null, { role: "img" })));
    this.north.append(make("span", "", "▲", { "aria-hidden": "true" }), make("span", "north-letter", "", { "aria-hidden": "true" }));
    this.frame.append((this.cross = make("div", "cross", null, { "aria-hidden": "true" })));
    const painters = { ground: this.paintGround, over: this.paintOver, schools: this.paintSchools };
    this.layers = Object.keys(painters).map((name, i) => {
      const pane = this.map.createPane(`own-${name}`);
      pane.style.zIndex = 350 + i;
      pane.style.pointerEvents = "none";
      return new CanvasLayer(painters[name].bind(this), { pane: `own-${name}` }).addTo(this.map);
    });
    this.map.on("click", (event) => this.pick(event.containerPoint));
    this.map.on("mousemove", (event) => this.hover(event.containerPoint));
    // The mark in the middle is for the keyboard; a finger or a mouse needs none.
    for (const name of ["keydown", "keyup"]) this.frame.addEventListener(name, () => this.frame.classList.add("keys"));
    for (const name of ["mousedown", "touchstart"]) this.frame.addEventListener(name, () => this.frame.classList.remove("keys"), { passive: true });
    this.frame.addEventListener("keydown", (event) => {
      if (event.target !== this.frame || event.key !== "Enter") return;
      event.preventDefault();
      this.pick(this.map.getSize().divideBy(2));
    });
    if (window.ResizeObserver) new ResizeObserver(() => this.resize()).observe(this.frame);
    this.fit();
  }

  addFit() {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      const bar = make("div", "leaflet-bar leaflet-control");
      this.fitButton = make("a", "fit", "⤢", { href: "#", role: "button" });
      L.DomEvent.disableClickPropagation(bar);
      const act = (event) => {
        event.preventDefault();
        this.fit();
      };
      this.fitButton.addEventListener("click", act);
      this.fitButton.addEventListener("keydown", (event) => event.key === " " && act(event));
      bar.append(this.fitButton);
      return bar;
    };
    control.addTo(this.map);
  }

  label() {
    const { words } = this;
    this.frame.setAttribute("role", "application");
    this.frame.setAttribute("aria-label", words.say("map_label"));
    const buttons = [[this.fitButton, "fit"], [this.frame.querySelector(".leaflet-control-zoom-in"), "zoom_in"], [this.frame.querySelector(".leaflet-control-zoom-out"), "zoom_out"]];
    for (const [button, key] of buttons) {
      button.title = words.say(key);
      button.setAttribute("aria-label", words.say(key));
    }
    this.north.setAttribute("aria-label", words.say("north_up"));
    this.north.lastChild.textContent = words.say("north");
    this.repaint();
  }

  toLatLng(x, y) {
    const size = Math.pow(2, STEP_ZOOM);
    return this.map.unproject([x / size, y / size], 0);
  }

  toStep(point) {
    const corner = this.map.getPixelOrigin().add(this.map.containerPointToLayerPoint(point)), scale = Math.pow(2, this.map.getZoom() - STEP_ZOOM);
    return [corner.x / scale, corner.y / scale];
  }

  fit(box = unite(listBoxes(this.county.paths)), padding = 10, animate = false) {
    if (!box) return;
    const corners = [[box[0], box[1]], [box[2], box[3]]].map(([x, y]) => this.toLatLng(x, y));
    this.map.fitBounds(L.latLngBounds(corners), { animate, padding: [padding, padding], maxZoom: 15.5 });
    this.whole = padding === 10;
  }

  resize() {
    const whole = this.whole;
    this.map.invalidateSize({ pan: false });
    if (whole) this.fit();
  }

  repaint() {
    for (const layer of this.layers) layer._update();
  }

  // Browsers print canvases that were painted in many strokes as nothing: paper gets one picture of all of them.
  printOn(on) {
    if (this.paper) this.paper.remove();
    this.paper = null;
    if (!on) return;
    const size = this.map.getSize(), ratio = 2, offset = L.DomUtil.getPosition(this.map.getPane("mapPane"));
    const scratch = make("canvas", "", null, { width: size.x * ratio, height: size.y * ratio }), pen = scratch.getContext("2d");
    for (const layer of this.layers) {
      const canvas = layer._container, at = L.DomUtil.getPosition(canvas).add(offset);
      pen.drawImage(canvas, at.x * ratio, at.y * ratio, parseFloat(canvas.style.width) * ratio, parseFloat(canvas.style.height) * ratio);
    }
    this.paper = make("canvas", "paper", null, { width: scratch.width, height: scratch.height, "aria-hidden": "true" });
    this.paper.getContext("2d").putImageData(pen.getImageData(0, 0, scratch.width, scratch.height), 0, 0);
    this.frame.append(this.paper);
  }

  show(changes) {
    Object.assign(this, changes);
    this.repaint();
  }

  // The communities of a street, one of which is to be chosen.
  showStreet(units) {
    this.show({ street: units, unit: -1, school: -1 });
    this.fit(unite(units.map((i) => boxOf(this.county.paths, i))), 30);
  }

  // Shows the chosen unit with its schools, before and after.
  follow() {
    if (this.unit < 0) return;
    const boxes = [boxOf(this.county.paths, this.unit)];
    for (const side of SIDES) for (const [, , x, y] of this.linesOf(side)) boxes.push([x, y, x, y]);
    this.fit(unite(boxes), 56, false);
  }

  followSchool() {
    const [x, y] = [this.county.schools.x[this.school], this.county.schools.y[this.school]];
    const units = SIDES.reduce((all, side) => all.concat(this.county.unitsOf(this.stage, side, this.school)), []);
    const boxes = units.map((i) => boxOf(this.county.paths, i));
    if (x !== null) boxes.push([x, y, x, y]);
    this.fit(unite(boxes), 40, false);
  }

  linesOf(side) {
    const { schools } = this.county, [x, y] = this.county.middle(this.unit), found = [];
    for (const group of this.county.waysOf(this.stage, side, this.unit)) {
      for (const { school } of group.ways) if (schools.x[school] !== null) found.push([x, y, schools.x[school], schools.y[school]]);
    }
    return found;
  }

  pick(point) {
    const school = this.schoolUnder(point);
    if (school >= 0) return this.onChoose({ kind: "school", at: school });
    const unit = findShape(this.county.paths, ...this.toStep(point));
    return unit >= 0 ? this.onChoose({ kind: "unit", at: unit }) : null;
  }

  schoolUnder(point) {
    const [x, y] = this.toStep(point), scale = Math.pow(2, this.map.getZoom() - STEP_ZOOM), { schools } = this.county;
    let best = -1, nearest = Math.max(12, this.radius() + 4);
    for (const { at } of this.listSigns()) {
      const away = Math.hypot(schools.x[at] - x, schools.y[at] - y) * scale;
      if (away < nearest) [best, nearest] = [at, away];
    }
    return best;
  }

  hover(point) {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.frame.style.cursor = this.schoolUnder(point) >= 0 || findShape(this.county.paths, ...this.toStep(point)) >= 0 ? "pointer" : "";
    });
  }

  radius() {
    const zoom = this.map.getZoom();
    return zoom < 9.75 ? 2.8 : zoom < 10.5 ? 3.6 : zoom < 11.5 ? 4.6 : zoom < 13 ? 5.8 : 7.5;
  }

  // Schools of the stage as the view shows them; what changes lies on top.
  listSigns() {
    const { schools } = this.county.stages[this.stage], found = [];
    schools.at.forEach((at, row) => {
      const status = schools.status[row];
      if (this.county.schools.x[at] === null) return;
      const away = (this.view === "before" && status === "new") || (this.view === "after" && status === "gone");
      if (away && at !== this.school) return;
      found.push({ at, status: this.view === "before" && !away ? "same" : status, shape: SHAPE_OF_STAGE[this.stage] || "circle" });
    });
    return found.sort((a, b) => STATUS_ORDER[a.status] - STATUS_ORDER[b.status]);
  }

  paintGround(ctx, frame) {
    const { county } = this, stage = county.stages[this.stage], { colours } = county.data;
    const side = this.view === "before" ? "before" : "after", zones = stage.zones[side];
    if (this.view !== "before") paintNoSchool(ctx, frame, county, stage);
    paintZoneFills(ctx, frame, zones, colours, this.view === "change" ? 0.3 : 0.82);
    if (this.view === "change") paintChanged(ctx, frame, county, stage, colours);
    paintUnitLines(ctx, frame, county.paths);
    paintBackdrop(ctx, frame, this.backdrop, county.data.roads);
  }

  paintOver(ctx, frame) {
    const { county } = this, stage = county.stages[this.stage];
    paintBorders(ctx, frame, this.borders);
    if (this.view === "change") paintZoneLines(ctx, frame, stage.zones.before, BEFORE, [7, 4], frame.zoom < 11 ? 1.4 : 2.2);
    const side = this.view === "before" ? "before" : "after", thin = frame.zoom < 11;
    paintZoneLines(ctx, frame, stage.zones[side], "#34424f", [], thin ? 1 : 1.7);
    if (this.school >= 0) {
      const zones = stage.zones[county.unitsOf(this.stage, side, this.school).length ? side : "before"];
      const own = listSeen(zones.paths, frame).filter((i) => zones.schools[i].includes(this.school));
      if (own.length) paintRing(ctx, frame, zones.paths, own, "#0b5c60");
    }
    if (this.street.length) paintRing(ctx, frame, county.paths, this.street, "#0b5c60");
    if (this.unit < 0) return;
    paintRing(ctx, frame, county.paths, [this.unit], INK);
    paintWays(ctx, frame, this.linesOf("before"), BEFORE, [7, 5]);
    paintWays(ctx, frame, this.linesOf("after"), "#0b5c60", []);
  }

  paintSchools(ctx, frame) {
    const { county } = this, taken = new Places(), r = this.radius(), signs = this.listSigns(), named = [];
    const chosen = new Set([this.school]);
    if (this.unit >= 0) for (const side of SIDES) for (const group of county.waysOf(this.stage, side, this.unit)) for (const way of group.ways) chosen.add(way.school);
    for (const sign of signs) {
      const x = county.schools.x[sign.at] * frame.scale - frame.left, y = county.schools.y[sign.at] * frame.scale - frame.top;
      if (!inFrame(frame, x, y)) continue;
      paintSchool(ctx, sign, x, y, sign.status === "same" ? r : r + 1, chosen.has(sign.at));
      taken.take([x - r, y - r, x + r, y + r]);
      const strong = chosen.has(sign.at) ? 2 : sign.status === "same" || this.view !== "change" ? 0 : 1;
      if (strong || frame.zoom >= (county.schools.names[sign.at] ? SCHOOL_NAMES_FROM : NUMBERS_FROM)) named.push([strong, county.nameSchool(sign.at), x, y]);
    }
    setFont(ctx, 12, 600);
    for (const [strong, name, x, y] of named.sort((a, b) => b[0] - a[0])) {
      if (strong === 1 && frame.zoom < 10.5) continue;
      writeName(ctx, taken, name, x, y, (half) => [[0, r + 12], [0, -r - 12], [r + half + 5, 0], [-r - half - 5, 0]], INK);
    }
    nameTowns(ctx, frame, county.townLabels, taken);
    nameUnits(ctx, frame, county, taken);
    nameStreets(ctx, frame, this.backdrop.roads, taken);
  }
}
