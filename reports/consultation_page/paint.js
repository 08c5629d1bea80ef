// Painting: each function draws one thing for one frame (the visible window at the current zoom).

const INK = "#26323d", CHANGE = "#8a2f00", BEFORE = "#6a3d9a";
const LABEL_FONT = "-apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif";
const UNIT_NAMES_FROM = 13, SCHOOL_NAMES_FROM = 12.5, NUMBERS_FROM = 14, STREET_NAMES_FROM = 14.5, TOWNS_TO = 13;

const CanvasLayer = L.Renderer.extend({
  options: { padding: 0.15 },
  initialize(paint, options) {
    L.Renderer.prototype.initialize.call(this, options);
    this.paint = paint;
  },
  _initContainer() {
    this._container = make("canvas", "", null, { "aria-hidden": "true" });
    this._container.style.pointerEvents = "none";
  },
  _destroyContainer() {
    this._container.remove();
  },
  _updatePaths() {},
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize(), ratio = Math.min(2, window.devicePixelRatio || 1), canvas = this._container;
    L.DomUtil.setPosition(canvas, this._bounds.min);
    canvas.width = Math.round(size.x * ratio);
    canvas.height = Math.round(size.y * ratio);
    canvas.style.width = `${size.x}px`;
    canvas.style.height = `${size.y}px`;
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const corner = this._map.getPixelOrigin().add(this._bounds.min), zoom = this._map.getZoom();
    this.paint(ctx, { left: corner.x, top: corner.y, width: size.x, height: size.y, zoom, scale: Math.pow(2, zoom - STEP_ZOOM) });
  },
});

function makePattern(ctx, size, colour, width, back) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (back) {
    pen.fillStyle = back;
    pen.fillRect(0, 0, size, size);
  }
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}

function paintNoSchool(ctx, frame, county, stage) {
  traceShapes(ctx, county.paths, stage.without.filter((i) => touches(county.paths.box, i, windowOf(frame))), frame);
  ctx.fillStyle = makePattern(ctx, 8, "#a9a49b", 1.2, "#eeece8");
  ctx.fill("evenodd");
}

function paintZoneFills(ctx, frame, zones, colours, alpha) {
  ctx.globalAlpha = alpha;
  for (const i of listSeen(zones.paths, frame)) {
    traceShapes(ctx, zones.paths, [i], frame);
    ctx.fillStyle = colours[zones.colours[i] % colours.length];
    ctx.fill("evenodd");
    if (zones.schools[i].length > 1) {
      ctx.fillStyle = makePattern(ctx, 14, "rgba(255,255,255,0.85)", 4);
      ctx.fill("evenodd");
    }
  }
  ctx.globalAlpha = 1;
}

function paintZoneLines(ctx, frame, zones, colour, dash, width) {
  traceShapes(ctx, zones.paths, listSeen(zones.paths, frame), frame);
  ctx.lineJoin = "round";
  if (!dash.length) {
    ctx.strokeStyle = "rgba(255,255,255,0.9)";
    ctx.lineWidth = width + 2;
    ctx.stroke();
  }
  ctx.setLineDash(dash);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke();
  ctx.setLineDash([]);
}

function paintUnitLines(ctx, frame, paths) {
  const seen = listSeen(paths, frame);
  if (frame.zoom < 11.5 || (frame.width * frame.height) / (seen.length || 1) < 700) return;
  traceShapes(ctx, paths, seen, frame);
  ctx.strokeStyle = "rgba(255,255,255,0.75)";
  ctx.lineWidth = 0.8;
  ctx.stroke();
}

// Units that get another school: their new colour in full, dark stripes, a dark border.
function paintChanged(ctx, frame, county, stage, colours) {
  const seen = windowOf(frame), byColour = new Map();
  stage.changed.forEach((changed, i) => {
    if (!changed || !touches(county.paths.box, i, seen)) return;
    const groups = stage.ways.after.get(i), first = groups && groups[groups.length - 1].ways[0];
    const colour = first ? colours[stage.colours[first.school] % colours.length] : "#eeece8";
    if (!byColour.has(colour)) byColour.set(colour, []);
    byColour.get(colour).push(i);
  });
  const stripes = makePattern(ctx, frame.zoom < 11 ? 5 : 8, "rgba(138,47,0,0.8)", 1.3);
  byColour.forEach((list, colour) => {
    traceShapes(ctx, county.paths, list, frame);
    for (const fill of [colour, stripes]) {
      ctx.fillStyle = fill;
      ctx.fill("evenodd");
    }
    ctx.strokeStyle = CHANGE;
    ctx.lineWidth = 1.4;
    ctx.stroke();
  });
}

function paintBackdrop(ctx, frame, backdrop, styles) {
  traceShapes(ctx, backdrop.lakes, listSeen(backdrop.lakes, frame), frame);
  ctx.fillStyle = "#b9d4e6";
  ctx.fill("evenodd");
  ctx.lineJoin = ctx.lineCap = "round";
  const line = (paths, colour, width) => {
    traceShapes(ctx, paths, listSeen(paths, frame), frame, false);
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke();
  };
  line(backdrop.rivers, "#9fc6df", frame.zoom < 12 ? 1.5 : 2.6);
  for (const road of backdrop.roads) {
    if (road.rank === 3 && frame.zoom < 12.5) continue;
    if (road.rank === 2 && frame.zoom < 10) continue;
    const [colour, width] = styles[road.rank];
    line(road.paths, colour, width * (frame.zoom < 11 ? 0.7 : frame.zoom < 14 ? 1 : 1.7));
  }
  ctx.lineCap = "butt";
}

function paintBorders(ctx, frame, paths) {
  if (!paths) return;
  traceShapes(ctx, paths, listSeen(paths, frame), frame);
  ctx.setLineDash([9, 3, 2, 3]);
  ctx.strokeStyle = "#77706a";
  ctx.lineWidth = 1.2;
  ctx.stroke();
  ctx.setLineDash([]);
}

function paintRing(ctx, frame, paths, list, colour) {
  traceShapes(ctx, paths, list, frame);
  ctx.lineJoin = "round";
  for (const [pen, width] of [["#ffffff", 7], [colour, 3.6]]) {
    ctx.strokeStyle = pen;
    ctx.lineWidth = width;
    ctx.stroke();
  }
}

// From the chosen unit to its schools: [x, y, x, y] in steps.
function paintWays(ctx, frame, ways, colour, dash) {
  const place = (x, y) => [x * frame.scale - frame.left, y * frame.scale - frame.top];
  for (const [pen, width, dashes] of [["rgba(255,255,255,0.95)", 5.5, []], [colour, 2.6, dash]]) {
    ctx.setLineDash(dashes);
    ctx.strokeStyle = pen;
    ctx.lineWidth = width;
    ctx.beginPath();
    for (const [x0, y0, x1, y1] of ways) {
      ctx.moveTo(...place(x0, y0));
      ctx.lineTo(...place(x1, y1));
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

function traceSign(ctx, shape, x, y, r) {
  const corners = {
    square: [[-0.88, -0.88], [0.88, -0.88], [0.88, 0.88], [-0.88, 0.88]], triangle: [[0, -1.18], [1.08, 0.78], [-1.08, 0.78]],
    diamond: [[0, -1.25], [1.1, 0], [0, 1.25], [-1.1, 0]],
    star: Array.from({ length: 10 }, (none, i) => {
      const far = i % 2 ? 0.65 : 1.5, turn = (Math.PI * i) / 5 - Math.PI / 2;
      return [Math.cos(turn) * far, Math.sin(turn) * far];
    }),
  }[shape];
  ctx.beginPath();
  if (!corners) ctx.arc(x, y, r, 0, 2 * Math.PI);
  else {
    corners.forEach(([dx, dy], i) => (i ? ctx.lineTo(x + dx * r, y + dy * r) : ctx.moveTo(x + dx * r, y + dy * r)));
    ctx.closePath();
  }
}

// One school. Told apart by shape and sign, not by colour alone: closed is grey, dashed and crossed; new is a star;
// changed has a dot in its middle.
function paintSchool(ctx, sign, x, y, r, chosen) {
  ctx.lineJoin = "round";
  const shape = sign.status === "new" ? "star" : sign.shape;
  traceSign(ctx, shape, x, y, r + (chosen ? 4.5 : 1.8));
  ctx.fillStyle = chosen ? INK : "rgba(255,255,255,0.95)";
  ctx.fill();
  if (chosen) {
    traceSign(ctx, shape, x, y, r + 2);
    ctx.fillStyle = "#ffffff";
    ctx.fill();
  }
  traceSign(ctx, shape, x, y, r);
  ctx.fillStyle = sign.status === "gone" ? "#e4e6e7" : sign.status === "new" ? "#f2b705" : "#ffffff";
  ctx.fill();
  ctx.strokeStyle = sign.status === "gone" ? "#5d666d" : INK;
  ctx.lineWidth = 1.7;
  ctx.setLineDash(sign.status === "gone" ? [2.5, 2] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  if (sign.status === "gone") paintCross(ctx, x, y, r);
  else if (sign.status !== "new") {
    ctx.beginPath();
    if (sign.status === "changed") ctx.arc(x, y, r * 0.5, 0, 2 * Math.PI);
    ctx.fillStyle = INK;
    ctx.fill();
  }
}

function paintCross(ctx, x, y, r) {
  for (const [pen, width] of [["#ffffff", 4.4], [CHANGE, 2.3]]) {
    ctx.strokeStyle = pen;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
    ctx.stroke();
  }
}

// Boxes that names have taken.
class Places {
  constructor() {
    this.boxes = [];
  }

  take(box) {
    const free = !this.boxes.some((b) => b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1]);
    if (free) this.boxes.push(box);
    return free;
  }
}

function setFont(ctx, size, weight) {
  ctx.font = `${weight} ${size}px ${LABEL_FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
}

// Writes a name at the first of the shifts that is free.
function writeName(ctx, taken, name, x, y, shifts, colour, high = 16) {
  const half = ctx.measureText(name).width / 2 + 3;
  for (const [right, down] of shifts(half)) {
    const left = x + right, top = y + down;
    if (!taken.take([left - half, top - high / 2, left + half, top + high / 2])) continue;
    ctx.strokeStyle = "rgba(255,255,255,0.92)";
    ctx.lineWidth = 3.4;
    ctx.strokeText(name, left, top);
    ctx.fillStyle = colour;
    ctx.fillText(name, left, top);
    return;
  }
}

function inFrame(frame, x, y) {
  return x > -30 && y > -15 && x < frame.width + 30 && y < frame.height + 15;
}

function nameUnits(ctx, frame, county, taken) {
  if (frame.zoom < UNIT_NAMES_FROM) return;
  setFont(ctx, 11.5, 400);
  for (const i of listSeen(county.paths, frame)) {
    if (!county.units.names[i] && frame.zoom < NUMBERS_FROM) continue;
    const [left, top, right, bottom] = boxOf(county.paths, i), name = county.nameUnit(i);
    const wide = (right - left) * frame.scale, high = (bottom - top) * frame.scale;
    if (high < 16 || wide < ctx.measureText(name).width * 0.9) continue;
    const x = ((left + right) / 2) * frame.scale - frame.left, y = ((top + bottom) / 2) * frame.scale - frame.top;
    if (inFrame(frame, x, y)) writeName(ctx, taken, name, x, y, () => [[0, 0], [0, 13], [0, -13]], "#47525c");
  }
}

function nameTowns(ctx, frame, labels, taken) {
  if (frame.zoom >= TOWNS_TO) return;
  setFont(ctx, 12, 600);
  for (const [name, worldX, worldY] of labels) {
    const x = worldX * frame.scale - frame.left, y = worldY * frame.scale - frame.top;
    if (inFrame(frame, x, y)) writeName(ctx, taken, name, x, y, () => [[0, 0], [0, 16], [0, -16], [0, 30], [0, -30]], "#4a5560");
  }
}

// One name for each street in the window, where a stretch of it is long enough, level with the window.
function nameStreets(ctx, frame, roads, taken) {
  if (frame.zoom < STREET_NAMES_FROM) return;
  setFont(ctx, 11, 400);
  const written = new Set(), seen = windowOf(frame);
  for (const road of roads.slice().reverse()) {
    const { paths } = road;
    for (let ring = 0; ring < paths.rings.length - 1; ring += 1) {
      const name = road.names[road.nameOf[ring]];
      if (!name || written.has(name) || !touches(paths.ringBox, ring, seen)) continue;
      const spot = findStretch(ctx, frame, paths, ring, name);
      if (!spot) continue;
      const [x, y, angle] = spot, half = ctx.measureText(name).width / 2 + 4;
      const wide = Math.abs(Math.cos(angle)) * half + 7, high = Math.abs(Math.sin(angle)) * half + 7;
      if (!taken.take([x - wide, y - high, x + wide, y + high])) continue;
      written.add(name);
      ctx.save();
      ctx.translate(x, y);
      ctx.rotate(angle);
      writeName(ctx, new Places(), name, 0, 0, () => [[0, 0]], "#6b4a22");
      ctx.restore();
    }
  }
}

// A leg of a line that is longer than its name: [x, y, angle], read from left to right.
function findStretch(ctx, frame, { xy, rings }, ring, name) {
  const width = ctx.measureText(name).width + 6;
  for (let p = rings[ring] + 1; p < rings[ring + 1]; p += 1) {
    const [x0, y0, x1, y1] = [xy[2 * p - 2], xy[2 * p - 1], xy[2 * p], xy[2 * p + 1]].map((value, i) => value * frame.scale - (i % 2 ? frame.top : frame.left));
    const x = (x0 + x1) / 2, y = (y0 + y1) / 2;
    if (Math.hypot(x1 - x0, y1 - y0) < width || x < 20 || y < 20 || x > frame.width - 20 || y > frame.height - 20) continue;
    let angle = Math.atan2(y1 - y0, x1 - x0);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle < -Math.PI / 2) angle += Math.PI;
    return [x, y, angle];
  }
  return null;
}
