// Names on the map: what fits is written, and no name covers another one or a school.

const LABEL_FONT = "'Source Sans', 'Noto Sans SC', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif";
const STREETS_FROM_ZOOM = 14, SCHOOLS_FROM_ZOOM = 13.25, UNITS_FROM_ZOOM = 12, TOWNS_TO_ZOOM = 14;
const STRONG_FROM_ZOOM = 9;
const STREET_REPEAT_PX = 420;

// Boxes that are taken: names, and the symbols of schools.
class Places {
  constructor() {
    this.boxes = [];
  }

  isFree(box) {
    return !this.boxes.some((b) => b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1]);
  }

  take(box) {
    this.boxes.push(box);
  }
}

function setLabelFont(ctx, size, weight) {
  ctx.font = `${weight} ${size}px ${LABEL_FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
}

function writeName(ctx, name, x, y, colour, halo = 3.2) {
  ctx.strokeStyle = "rgba(255,255,255,0.9)";
  ctx.lineWidth = halo;
  ctx.strokeText(name, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(name, x, y);
}

// Writes the name at the first of the shifts (right, down) that is free; says whether it could.
function placeName(ctx, taken, name, x, y, shifts, colour, high = 15) {
  const half = ctx.measureText(name).width / 2 + 3;
  for (const [right, down] of shifts(half)) {
    const box = [x + right - half, y + down - high / 2, x + right + half, y + down + high / 2];
    if (!taken.isFree(box)) continue;
    taken.take(box);
    writeName(ctx, name, x + right, y + down, colour);
    return true;
  }
  return false;
}

function inFrame(frame, x, y) {
  return x > -40 && y > -20 && x < frame.width + 40 && y < frame.height + 20;
}

function paintTownNames(ctx, frame, labels, taken) {
  if (frame.zoom >= TOWNS_TO_ZOOM) return;
  setLabelFont(ctx, 12, 600);
  const shifts = (half) => [[0, 13], [0, -13], [0, 0], [0, 24], [0, -24], [half + 8, 0], [-half - 8, 0], [0, 32], [0, -32]];
  for (const [name, worldX, worldY] of labels) {
    const x = worldX * frame.scale - frame.left, y = worldY * frame.scale - frame.top;
    if (inFrame(frame, x, y)) placeName(ctx, taken, name, x, y, shifts, "#3f4a55");
  }
}

// ``symbols``: [name, x, y, radius, strong] in pixels, the most important last. Strong ones, which a scenario changes,
// are named first and from further away.
function paintSchoolNames(ctx, frame, symbols, taken) {
  const near = frame.zoom >= SCHOOLS_FROM_ZOOM;
  setLabelFont(ctx, 11.5, 600);
  const named = symbols.filter((symbol) => symbol[4] && frame.zoom >= STRONG_FROM_ZOOM);
  for (const [name, x, y, radius] of near ? [...named, ...symbols.filter((symbol) => !symbol[4])] : named) {
    if (!name || !inFrame(frame, x, y)) continue;
    const shifts = (half) => [[0, radius + 11], [0, -radius - 11], [radius + half + 5, 0], [-radius - half - 5, 0]];
    placeName(ctx, taken, name, x, y, shifts, INK);
  }
}

function paintUnitNames(ctx, frame, part, taken) {
  if (frame.zoom < UNITS_FROM_ZOOM) return;
  setLabelFont(ctx, 11, 400);
  const view = viewOf(frame, part.paths.origin);
  for (const i of visibleShapes(part.paths, view)) {
    const name = part.names[i];
    if (!name) continue;
    const [left, top, right, bottom] = part.paths.box.subarray(4 * i, 4 * i + 4);
    const wide = (right - left) * view.scale, high = (bottom - top) * view.scale;
    if (high < 15 || wide < ctx.measureText(name).width * 0.9) continue;
    const x = ((left + right) / 2) * view.scale + view.dx, y = ((top + bottom) / 2) * view.scale + view.dy;
    if (inFrame(frame, x, y)) placeName(ctx, taken, name, x, y, () => [[0, 0], [0, 12], [0, -12]], "#4d5863", 13);
  }
}

function paintStreetNames(ctx, frame, roads, taken) {
  if (frame.zoom < STREETS_FROM_ZOOM) return;
  setLabelFont(ctx, 11, 500);
  const written = new Map();
  for (const { fine, names } of [...roads].reverse()) {
    if (!names) continue;
    const view = viewOf(frame, fine.origin);
    for (let ring = 0; ring < fine.rings.length - 1; ring += 1) {
      const name = names.texts[names.of[ring]];
      if (name && touches(fine.ringBox, ring, view)) writeAlong(ctx, frame, fine, ring, view, name, written, taken);
    }
  }
}

// One name along one line: at its middle inside the window, where the line is straight enough for it.
function writeAlong(ctx, frame, paths, ring, view, name, written, taken) {
  const line = visiblePoints(frame, paths, ring, view);
  const width = ctx.measureText(name).width + 8;
  const found = line.length > 1 ? straightStretch(line, width) : null;
  if (!found) return;
  const [x, y, angle] = found;
  const others = written.get(name) || [];
  if (others.some(([a, b]) => Math.hypot(a - x, b - y) < STREET_REPEAT_PX)) return;
  const wide = (Math.abs(Math.cos(angle)) * width + Math.abs(Math.sin(angle)) * 13) / 2;
  const high = (Math.abs(Math.sin(angle)) * width + Math.abs(Math.cos(angle)) * 13) / 2;
  const box = [x - wide, y - high, x + wide, y + high];
  if (!taken.isFree(box)) return;
  taken.take(box);
  written.set(name, [...others, [x, y]]);
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(angle);
  writeName(ctx, name, 0, 0, "#6b4a22", 3);
  ctx.restore();
}

function visiblePoints(frame, { xy, rings }, ring, view) {
  const points = [];
  for (let p = rings[ring]; p < rings[ring + 1]; p += 1) {
    const x = xy[2 * p] * view.scale + view.dx, y = xy[2 * p + 1] * view.scale + view.dy;
    const last = points[points.length - 1];
    if (last) addBetween(points, last, [x, y]);
    else points.push([x, y]);
  }
  return points.filter(([x, y]) => x >= 0 && y >= 0 && x <= frame.width && y <= frame.height);
}

// Long legs get points between their ends, so that a street that crosses the whole window is named too.
function addBetween(points, [x0, y0], [x1, y1]) {
  const steps = Math.min(200, Math.max(1, Math.floor(Math.hypot(x1 - x0, y1 - y0) / 24)));
  for (let i = 1; i <= steps; i += 1) points.push([x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps]);
}

// The place nearest to the middle of the line where ``width`` pixels of it are almost straight: [x, y, angle].
function straightStretch(line, width) {
  const along = [0];
  for (let i = 1; i < line.length; i += 1) {
    along.push(along[i - 1] + Math.hypot(line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1]));
  }
  const total = along[along.length - 1];
  if (total < width) return null;
  const at = (way) => {
    const i = Math.max(1, along.findIndex((value) => value >= way));
    const part = (way - along[i - 1]) / (along[i] - along[i - 1] || 1);
    return [0, 1].map((axis) => line[i - 1][axis] + (line[i][axis] - line[i - 1][axis]) * part);
  };
  for (const share of [0.5, 0.3, 0.7, 0.15, 0.85]) {
    const middle = Math.max(width / 2, Math.min(total - width / 2, total * share));
    const [a, b] = [at(middle - width / 2), at(middle + width / 2)];
    if (Math.hypot(b[0] - a[0], b[1] - a[1]) < width * 0.96) continue;
    let angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle < -Math.PI / 2) angle += Math.PI;
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, angle];
  }
  return null;
}
