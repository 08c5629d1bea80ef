// Several answers for one county: two under a divider, or up to four beside each other, all in step.

const MOST_PANES = 4;

// One answer beside the main map's.
class Pane extends Follower {
  constructor(main) {
    super(main);
    this.units = null;
    this.schools = this.others = [];
    this.schoolAt = this.otherAt = new Map();
    this.zones = null;
    this.badge.className = "badge pane-badge";
  }

  get ready() {
    return Boolean(this.data);
  }

  get parts() {
    return { ...this.main.parts, zones: this.zones };
  }

  listPainters() {
    const painters = BujuMap.prototype.listPainters.call(this);
    return Object.fromEntries(Object.entries(painters).map(([name, paint]) => [name, paint.bind(this)]));
  }

  middle(part, i) {
    return this.main.middle(part, i);
  }

  click(event) {
    this.main.choose(this.pick(event.containerPoint));
  }

  leave() {
    this.main.hideTips();
  }

  hover(point) {
    this.main.hoverAt(this, point);
  }
}

class PanesMap extends BujuMap {
  constructor(store) {
    super(store);
    this.root.classList.add("panes");
    this.halves = element("div", "map-halves");
    this.half = element("div", "map-half main-half");
    this.badge = element("div", "badge pane-badge");
    this.half.append(this.frame, this.tip.box, this.badge);
    this.halves.append(this.half, this.layerPanel.box, this.busy);
    this.root.insertBefore(this.halves, this.legend.box);
    this.panes = [];
    this.layout = "";
  }

  // Under the divider the first answer lies over the second; else the first one is the main map.
  get ownNumber() {
    return this.data.panes.layout === "swipe" ? 1 : 0;
  }

  get otherNumbers() {
    return this.data.panes.items.map((item, i) => i).filter((i) => i !== this.ownNumber);
  }

  readPaint() {
    const { items } = this.data.panes;
    while (this.panes.length < Math.min(MOST_PANES, items.length) - 1) this.addPane();
    this.fill(this, this.ownNumber);
    this.parts.zones = this.parts[`zones_${this.ownNumber}`] || null;
    this.otherNumbers.forEach((number, i) => {
      this.fill(this.panes[i], number);
      this.panes[i].zones = this.parts[`zones_${number}`] || null;
    });
  }

  addPane() {
    const pane = new Pane(this);
    this.panes.push(pane);
    this.halves.append(pane.half, pane.divider);
  }

  fill(target, number) {
    const paint = this.parts[`paint_${number}`];
    target.units = paint ? paint.units : null;
    target.schools = paint ? paint.shown : [];
    target.others = paint ? paint.others : [];
    target.schoolAt = new Map(target.schools.map((item) => [item.at, item]));
    target.otherAt = new Map(target.others.map((item) => [item.at, item]));
    target.number = number;
  }

  showTexts(data) {
    super.showTexts(data);
    const { items, layout } = data.panes, labels = items.map((item) => item.label);
    this.badge.textContent = labels[this.ownNumber];
    this.otherNumbers.forEach((number, i) => (this.panes[i].badge.textContent = labels[number]));
    if (layout === "swipe") {
      const { sides, divider } = this.panes[0];
      sides.forEach((side, i) => (side.textContent = labels[i]));
      divider.title = data.text.divider;
      divider.setAttribute("aria-label", data.text.divider);
    }
    const wanted = `${layout} n${items.length}`;
    if (this.layout !== wanted) this.arrange(wanted, layout, items.length);
  }

  arrange(wanted, layout, count) {
    const kept = this.map.getCenter(), zoom = this.map.getZoom(), { fitted } = this, first = !this.layout;
    this.layout = wanted;
    this.halves.className = `map-halves ${wanted}`;
    this.panes.forEach((pane, i) => {
      pane.show(i < count - 1 ? layout : "");
      // The half under the divider is cut off, and what it tells must not be.
      (layout === "swipe" ? this.halves : pane.half).appendChild(pane.tip.box);
    });
    // Maps beside each other jump from zoom to zoom together.
    this.map.options.zoomAnimationThreshold = count > 1 ? -1 : 4;
    if (first) return;
    this.resize();
    if (!fitted) this.map.setView(kept, zoom, { animate: false });
    this.fitted = fitted;
  }

  resize() {
    super.resize();
    this.panes.forEach((pane) => pane.match());
  }

  fitAll() {
    super.fitAll();
    this.panes.forEach((pane) => pane.match());
  }

  repaint(...names) {
    super.repaint(...names);
    const wanted = names.length ? names : Object.keys(this.canvases);
    this.panes.forEach((pane) => pane.repaint(...wanted));
  }

  // --- what the pointer is on: in maps beside each other the same place is told in all of them

  hover(event) {
    this.hoverAt(this, event.containerPoint);
  }

  hoverAt(source, point) {
    this.asked = [source, point];
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (!this.data) return;
      const [from, at] = this.asked, found = from.pick(at);
      from.frame.style.cursor = found ? "pointer" : "";
      const together = this.data.panes.layout !== "swipe";
      for (const view of [this, ...this.panes.filter((pane) => pane.shown)]) {
        const told = found && (together || view === from);
        if (told) view.tip.show(this.describeIn(view, found), at.x, at.y, view.map.getSize());
        else view.tip.hide();
      }
    });
  }

  hideTips() {
    for (const view of [this, ...this.panes]) view.tip.hide();
  }

  start(data) {
    super.start(data);
    this.map.on("mouseout movestart zoomstart", () => this.hideTips());
    // The observer of its size is enough: Leaflet's own would move the map, and so lose the whole county from view.
    L.DomEvent.off(window, "resize", this.map._onResize, this.map);
    // The left half lies below the divider's other map.
    const corner = this.map._controlCorners.bottomright;
    this.map.zoomControl.setPosition("bottomright");
    corner.prepend(this.frame.querySelector(".leaflet-control-scale"), this.fitButton.parentElement);
  }

  describeIn(view, found) {
    const { units, schools } = this.parts, { text } = this.data, paint = view.units;
    if (found.kind === "school") {
      const item = view.schoolAt.get(found.at) || view.otherAt.get(found.at);
      return [schools.names[found.at], ...(item ? item.lines : [text.not_open])];
    }
    const lines = [units.names[found.at] || found.id, units.notes[found.at]];
    if (!paint) return lines;
    const minutes = paint.values[found.at];
    lines.push(Number.isNaN(minutes) ? text.no_value : text.value.replace("{value}", () => minutes.toFixed(1)));
    if (paint.changes) {
      const change = paint.changes[found.at], sign = change > 0 ? "+" : change < 0 ? "−" : "±";
      if (!Number.isNaN(change)) lines.push(text.change.replace("{value}", () => sign + Math.abs(change).toFixed(1)));
    }
    for (const school of paint.schoolsOf.get(found.at) || []) lines.push(`→ ${schools.names[school]}`);
    return lines;
  }
}
