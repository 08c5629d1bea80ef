// Maps in step with the main one, over its left part or beside it. Twin: today's zones while zones are drawn.

class Follower extends MapPainter {
  constructor(main) {
    super();
    this.main = main;
    this.shown = false;
    this.share = 0.5;
    this.half = element("div", "map-half twin-half");
    this.frame = element("div", "map-frame twin-frame");
    this.half.appendChild(this.frame);
    this.tip = new Tip(this.half);
    this.badge = element("div", "badge badge-today");
    this.half.appendChild(this.badge);
    this.divider = element("div", "divider");
    this.divider.tabIndex = 0;
    this.sides = [element("div", "badge left"), element("div", "badge right")];
    this.divider.append(element("i", "divider-grip", "⇆"), ...this.sides);
    for (const [name, value] of Object.entries({ role: "slider", "aria-valuemin": 0, "aria-valuemax": 100 })) {
      this.divider.setAttribute(name, value);
    }
    this.half.hidden = this.divider.hidden = true;
    this.listen();
  }

  // What it shows is the main map's, but for what its own class says.
  get parts() {
    return this.main.parts;
  }

  get data() {
    return this.main.data;
  }

  get layers() {
    return this.main.layers;
  }

  get showsChoice() {
    return this.main.showsChoice;
  }

  get chosen() {
    return this.main.chosen;
  }

  start() {
    const { map } = this.main;
    this.map = L.map(this.frame, {
      zoomControl: false, attributionControl: false, minZoom: map.getMinZoom(), maxZoom: map.getMaxZoom(),
      zoomSnap: map.options.zoomSnap, wheelPxPerZoomLevel: 90, fadeAnimation: false, keyboard: false, boxZoom: false,
      zoomAnimationThreshold: -1, trackResize: false, center: map.getCenter(), zoom: map.getZoom(),
    });
    this.canvases = {};
    Object.entries(this.listPainters()).forEach(([name, paint], i) => {
      const pane = this.map.createPane(`buju-${name}`);
      pane.style.zIndex = 350 + i;
      pane.style.pointerEvents = "none";
      const whenReady = (ctx, frame) => this.ready && this.shown && paint(ctx, frame);
      this.canvases[name] = new CanvasLayer(whenReady, { pane: `buju-${name}` }).addTo(this.map);
    });
    this.canvases.units._container.style.opacity = this.main.canvases.units._container.style.opacity;
    this.map.on("mousemove", (event) => this.hover(event.containerPoint));
    this.map.on("mouseout movestart", () => this.leave());
    this.map.on("click", (event) => this.click(event));
    this.link(map, this.map);
    this.link(this.map, map);
  }

  pick(point) {
    return BujuMap.prototype.pick.call(this, point);
  }

  leave() {
    this.tip.hide();
  }

  // One map follows the other at once; each paints when the movement ends.
  link(from, to) {
    let panned = false;
    from.on("move", () => {
      if (!this.shown || this.linking || (from.touchZoom && from.touchZoom._zooming)) return;
      this.linking = true;
      if (from.getZoom() !== to.getZoom()) to.setView(from.getCenter(), from.getZoom(), { animate: false });
      else {
        const offset = to.latLngToContainerPoint(from.getCenter()).subtract(to.getSize().divideBy(2)).round();
        if (offset.x || offset.y) to._rawPanBy(offset);
        to.fire("move");
        panned = true;
      }
      this.linking = false;
    });
    from.on("moveend", () => {
      if (!this.shown || this.linking) return;
      this.linking = true;
      if (from.getZoom() !== to.getZoom()) to.setView(from.getCenter(), from.getZoom(), { animate: false });
      else if (panned) to.fire("moveend");
      panned = false;
      this.linking = false;
    });
  }

  // ``view``: "swipe" lays it over the map, "side" and "grid" beside it; else it is away.
  show(view) {
    this.shown = view === "swipe" || view === "side" || view === "grid";
    this.half.hidden = !this.shown;
    this.divider.hidden = view !== "swipe";
    if (this.shown && !this.map) this.start();
    this.half.style.clipPath = "";
    if (view === "swipe") this.slide(this.share);
  }

  // Called when the main map has its size and place.
  match() {
    if (!this.shown) return;
    const { map } = this.main;
    this.linking = true;
    this.map.invalidateSize({ pan: false });
    this.map.setView(map.getCenter(), map.getZoom(), { animate: false });
    this.linking = false;
  }

  repaint(...names) {
    if (!this.shown) return;
    for (const name of names) if (this.canvases[name]) this.canvases[name]._update();
  }

  slide(share) {
    this.share = Math.max(0.04, Math.min(0.96, share));
    const at = `${(this.share * 100).toFixed(2)}%`;
    this.half.style.clipPath = `inset(0 ${(100 - this.share * 100).toFixed(2)}% 0 0)`;
    this.divider.style.left = at;
    this.divider.setAttribute("aria-valuenow", String(Math.round(this.share * 100)));
  }

  listen() {
    const { divider } = this;
    const drag = (event) => {
      const box = this.half.getBoundingClientRect();
      this.slide((event.clientX - box.left) / box.width);
    };
    divider.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      event.stopPropagation();
      divider.focus({ preventScroll: true });
      divider.setPointerCapture(event.pointerId);
      divider.onpointermove = drag;
    });
    for (const end of ["pointerup", "pointercancel"]) divider.addEventListener(end, () => (divider.onpointermove = null));
    divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.03, ArrowRight: 0.03, Home: -1, End: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.slide(this.share + step);
    });
  }
}

class Twin extends Follower {
  get ready() {
    return this.main.ready;
  }

  get schools() {
    return this.main.plainSchools;
  }

  get others() {
    return this.main.others;
  }

  get schoolAt() {
    return this.main.plainAt;
  }

  get otherAt() {
    return this.main.otherAt;
  }

  listPainters() {
    return {
      units: (ctx, frame) => this.main.paintFills(ctx, frame, this.parts.table.before),
      base: (ctx, frame) => this.main.paintBase(ctx, frame),
      over: (ctx, frame) => this.main.paintDrawn(ctx, frame, this.parts.table.before, false),
      schools: (ctx, frame) => this.paintSchools(ctx, frame),
      names: (ctx, frame) => this.paintNames(ctx, frame),
    };
  }

  click(event) {
    this.main.clickToday(this.pick(event.containerPoint), event);
  }

  hover(point) {
    const found = this.main.ready ? this.pick(point) : null;
    if (found) this.tip.show(this.main.describeToday(found), point.x, point.y, this.map.getSize());
    else this.tip.hide();
  }
}
