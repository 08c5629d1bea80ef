// What the pointer does with a tool: clicks give, drags brush, draw a lasso or lock. A drag is one stroke.

const STILL_PX = 5;
const STROKING = ["brush", "lasso", "lock"];

class Tools {
  constructor(map) {
    this.map = map;
    this.tool = "look";
    this.size = 0;
    this.zone = NO_ZONE;
    this.touches = new Set();
    this.stroke = null;
    this.pointer = null;
    this.space = false;
  }

  start() {
    const { frame } = this.map;
    // Leaflet must not see what begins a stroke: it would drag the map. Two fingers and the middle button still do.
    const hide = (event) => {
      // Else some browsers would scroll the page with the middle button.
      if (event.button === 1) event.preventDefault();
      if (!this.isStroke(event) || (event.touches && event.touches.length > 1)) return;
      event.stopImmediatePropagation();
      // Else the browser would begin to select text.
      if (event.type === "mousedown") event.preventDefault();
    };
    frame.addEventListener("mousedown", hide, true);
    frame.addEventListener("touchstart", hide, { capture: true, passive: true });
    frame.addEventListener("pointerdown", (event) => this.press(event));
    frame.addEventListener("pointermove", (event) => this.move(event));
    frame.addEventListener("pointerup", (event) => this.lift(event));
    frame.addEventListener("pointercancel", (event) => this.lift(event, true));
    frame.addEventListener("pointerleave", () => this.leave());
  }

  get drawing() {
    return this.map.drawing;
  }

  isStroke(event) {
    const onControl = event.target.closest && event.target.closest(".leaflet-control");
    return STROKING.includes(this.tool) && this.map.canDraw && !this.space && !event.button && !onControl;
  }

  // Another drawing has other zones.
  forget() {
    this.stroke = null;
    this.zone = NO_ZONE;
    this.aimed = -1;
    this.map.keys.at = -1;
  }

  choose(tool) {
    if (tool === "pick" && this.tool !== "pick") this.former = GIVING.includes(this.tool) ? this.tool : "give";
    this.abandon();
    this.tool = tool;
    this.map.showTools();
    this.map.hint();
    if (this.map.chosen) this.map.repaint("over", "schools");
  }

  setSize(size) {
    this.size = Math.max(0, Math.min(BRUSHES.length - 1, size));
    this.map.showTools();
    this.map.repaint("aids");
  }

  setZone(zone) {
    this.zone = zone;
    this.map.showTools();
    this.map.tell("target_is", { school: this.map.nameZone(zone) }, "done");
    this.map.repaint("aids");
  }

  // The school of what was clicked becomes the one to give to; says whether it has a zone.
  takeTarget(found, zones = this.drawing.zone) {
    if (!found) return false;
    const zone = found.kind === "school" ? this.map.zoneOfSchool.get(found.at) : zones[found.at];
    if (zone === undefined || zone < 0) return false;
    if (this.tool === "pick") this.choose(this.former);
    this.setZone(zone);
    return true;
  }

  giveAt(found) {
    if (found && found.kind === "school" && this.takeTarget(found)) return;
    const at = found && found.kind === "unit" ? found.at : -1;
    this.apply("give", at < 0 ? [] : [at]);
  }

  // A whole stroke at once: a click, a lasso or a key.
  apply(action, units) {
    if (action === "give" && !this.hasTarget()) return;
    this.drawing.begin(action, action === "give" ? this.zone : NO_ZONE);
    this.map.repaintUnits(this.drawing.extend(units));
    this.map.commit(this.drawing.finish());
  }

  hasTarget() {
    if (this.zone >= 0) return true;
    this.map.tell("first_choose", {}, "warned");
    this.map.toolbar.beckon();
    return false;
  }

  press(event) {
    if (event.pointerType === "touch") this.touches.add(event.pointerId);
    if (this.touches.size > 1) this.abandon();
    if (this.touches.size > 1 || !this.isStroke(event)) return;
    this.map.frame.focus({ preventScroll: true });
    this.rect = this.map.frame.getBoundingClientRect();
    const point = this.pointOf(event), found = this.map.pick(point), world = this.map.toWorld(point);
    if (event.altKey) {
      this.takeTarget(found);
      return;
    }
    const school = found && found.kind === "school" && this.tool !== "lock" ? found : null;
    if (!school && this.tool !== "lock" && !this.hasTarget()) return;
    this.map.frame.setPointerCapture(event.pointerId);
    this.map.tip.hide();
    this.stroke = { id: event.pointerId, tool: this.tool, start: point, last: world, path: [world], school, still: true };
    if (this.tool === "lock") this.drawing.begin(this.map.isLockedAt(point) ? "unlock" : "lock", NO_ZONE);
    if (this.tool === "brush") this.drawing.begin("give", this.zone);
    if (!school) this.reach(world);
  }

  pointOf(event) {
    return L.point(event.clientX - this.rect.left, event.clientY - this.rect.top);
  }

  move(event) {
    if (!this.stroke || event.pointerId !== this.stroke.id) {
      this.follow(event);
      return;
    }
    this.rect = this.map.frame.getBoundingClientRect();
    const listed = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of listed.length ? listed : [event]) this.go(this.pointOf(one));
    this.pointer = this.stroke.last;
    this.map.repaint("aids");
  }

  go(point) {
    const { stroke } = this;
    if (stroke.still && stroke.start.distanceTo(point) < STILL_PX) return;
    if (stroke.still && stroke.school && !this.hasTarget()) {
      this.abandon();
      this.stroke = { ...stroke, tool: "", still: false };
      return;
    }
    const world = this.map.toWorld(point);
    stroke.still = false;
    stroke.path.push(world);
    this.reach(world);
    stroke.last = world;
  }

  // Paints the units between the last place of the pointer and this one.
  reach(world) {
    const { stroke, map } = this;
    if (!["brush", "lock"].includes(stroke.tool)) return;
    const radius = BRUSHES[this.size][1] / map.scaleNow();
    map.repaintSoon(this.drawing.extend(unitsAlong(map.parts.units, map.parts.table, stroke.last, world, radius)));
  }

  lift(event, cancelled = false) {
    this.touches.delete(event.pointerId);
    const { stroke } = this;
    if (!stroke || event.pointerId !== stroke.id) return;
    if (cancelled) {
      this.abandon();
      return;
    }
    this.stroke = null;
    if (stroke.still && stroke.school) {
      this.drawing.finish();
      this.takeTarget(stroke.school);
    } else if (stroke.tool === "lasso") {
      const at = stroke.still ? this.map.unitAt(stroke.start) : -1;
      this.apply("give", stroke.still ? [at].filter((i) => i >= 0) : unitsInside(this.map.parts.table, stroke.path));
    } else if (stroke.tool) {
      this.map.commit(this.drawing.finish());
    }
    this.map.repaint("aids");
  }

  // Takes a stroke back that has not ended.
  abandon() {
    if (!this.stroke && !this.drawing.current) return;
    this.stroke = null;
    if (this.drawing.current) this.map.repaintUnits(this.drawing.cancel());
    this.map.repaint("locks", "aids");
  }

  // The ring of the brush, and the area that a click would take.
  follow(event) {
    if (!this.map.canDraw || this.tool === "look" || event.pointerType === "touch") return;
    this.rect = this.map.frame.getBoundingClientRect();
    const point = this.pointOf(event);
    this.pointer = this.map.toWorld(point);
    this.aimed = this.tool === "give" || (this.tool !== "lasso" && this.size === 0) ? this.map.unitAt(point) : -1;
    this.map.repaintAids();
  }

  leave() {
    if (this.stroke) return;
    this.pointer = null;
    this.aimed = -1;
    this.map.repaintAids();
  }

  paint(ctx, frame) {
    const { units } = this.map.parts, view = units && viewOf(frame, units.paths.origin);
    if (!units || !this.map.canDraw || this.tool === "look") return;
    const giving = GIVING.includes(this.tool) && this.zone >= 0, colour = giving ? this.map.colourOf(this.zone) : "#ffffff";
    const aimed = this.stroke ? -1 : this.aimed ?? -1;
    if (aimed >= 0) strokeUnits(ctx, units, [aimed], view, INK, 2.2);
    if (this.map.keys.at >= 0) this.paintCross(ctx, frame, units, view, this.map.keys.at);
    if (this.stroke && this.stroke.tool === "lasso") paintLasso(ctx, frame, this.stroke.path, colour);
    const radius = BRUSHES[this.size][1];
    if (!this.pointer || !radius || !["brush", "lock"].includes(this.tool)) return;
    ctx.beginPath();
    ctx.arc(this.pointer[0] * frame.scale - frame.left, this.pointer[1] * frame.scale - frame.top, radius, 0, 2 * Math.PI);
    paintTwice(ctx, () => ctx.stroke());
  }

  paintCross(ctx, frame, units, view, at) {
    strokeUnits(ctx, units, [at], view, "#ffffff", 6);
    strokeUnits(ctx, units, [at], view, "#0b6e72", 3.2);
    const { x, y } = this.map.parts.table, cx = x[at] * frame.scale - frame.left, cy = y[at] * frame.scale - frame.top;
    ctx.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      ctx.moveTo(cx + dx * 5, cy + dy * 5);
      ctx.lineTo(cx + dx * 13, cy + dy * 13);
    }
    paintTwice(ctx, () => ctx.stroke());
  }
}

// A dark line with a light rim, to be seen on every colour.
function paintTwice(ctx, draw) {
  ctx.strokeStyle = "rgba(255,255,255,0.95)";
  ctx.lineWidth = 4;
  draw();
  ctx.strokeStyle = INK;
  ctx.lineWidth = 1.7;
  draw();
}

function paintLasso(ctx, frame, path, colour) {
  ctx.beginPath();
  path.forEach(([x, y], i) => ctx[i ? "lineTo" : "moveTo"](x * frame.scale - frame.left, y * frame.scale - frame.top));
  ctx.closePath();
  ctx.globalAlpha = 0.35;
  ctx.fillStyle = colour;
  ctx.fill("evenodd");
  ctx.globalAlpha = 1;
  paintTwice(ctx, () => ctx.stroke());
}
