// Shapes: unpacking, an index for finding what lies under the pointer, and tracing them onto a canvas.
// Positions are whole steps of 2^-30 of the Mercator world; at zoom z one step is 2^(z - 22) pixels.

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Int32Array(await new Response(stream).arrayBuffer());
}

function unpackBytes(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  return new Kind(bytes.buffer);
}

// {origin, steps, sizes, owners} -> xy (relative to origin), ring starts, and per shape its first ring and box.
async function unpackPaths(packed) {
  const [xy, sizes, owners] = await Promise.all([packed.steps, packed.sizes, packed.owners].map(inflate));
  for (let i = 2; i < xy.length; i += 1) xy[i] += xy[i - 2];
  const rings = new Uint32Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i += 1) rings[i + 1] = rings[i] + sizes[i];
  const shapes = new Uint32Array(owners.length + 1);
  for (let i = 0; i < owners.length; i += 1) shapes[i + 1] = shapes[i] + owners[i];
  const paths = { origin: packed.origin, xy, rings, shapes, count: owners.length };
  paths.ringBox = boxes(paths, rings.length - 1, (ring) => [rings[ring], rings[ring + 1]]);
  paths.box = boxes(paths, owners.length, (shape) => [rings[shapes[shape]], rings[shapes[shape + 1]]]);
  return paths;
}

function boxes({ xy }, count, span) {
  const found = new Int32Array(count * 4);
  for (let i = 0; i < count; i += 1) {
    const [from, to] = span(i);
    let left = 2147483647, top = 2147483647, right = -2147483648, bottom = -2147483648;
    for (let p = from; p < to; p += 1) {
      const x = xy[2 * p], y = xy[2 * p + 1];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
    found.set([left, top, right, bottom], i * 4);
  }
  return found;
}

function totalBox(paths) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < paths.count; i += 1) {
    if (paths.box[4 * i] > paths.box[4 * i + 2]) continue;
    left = Math.min(left, paths.box[4 * i]);
    top = Math.min(top, paths.box[4 * i + 1]);
    right = Math.max(right, paths.box[4 * i + 2]);
    bottom = Math.max(bottom, paths.box[4 * i + 3]);
  }
  return left > right ? null : [left, top, right, bottom];
}

// A grid of cells, each listing the shapes whose box touches it.
class GridIndex {
  constructor(paths) {
    this.paths = paths;
    this.all = totalBox(paths) || [0, 0, 1, 1];
    this.side = Math.max(1, Math.min(160, Math.ceil(Math.sqrt(paths.count))));
    this.cells = Array.from({ length: this.side * this.side }, () => []);
    for (let i = 0; i < paths.count; i += 1) {
      const [left, top, right, bottom] = paths.box.subarray(4 * i, 4 * i + 4);
      if (left > right) continue;
      for (let row = this.place(top, 1); row <= this.place(bottom, 1); row += 1) {
        for (let column = this.place(left, 0); column <= this.place(right, 0); column += 1) {
          this.cells[row * this.side + column].push(i);
        }
      }
    }
  }

  place(value, axis) {
    const span = this.all[axis + 2] - this.all[axis] || 1;
    return Math.max(0, Math.min(this.side - 1, Math.floor(((value - this.all[axis]) / span) * this.side)));
  }

  // Shapes whose box touches a box (relative to the origin), each once, in order.
  near([left, top, right, bottom]) {
    const { box } = this.paths, found = new Set();
    for (let row = this.place(top, 1); row <= this.place(bottom, 1); row += 1) {
      for (let column = this.place(left, 0); column <= this.place(right, 0); column += 1) {
        for (const i of this.cells[row * this.side + column]) {
          const b = 4 * i;
          if (box[b] <= right && box[b + 2] >= left && box[b + 1] <= bottom && box[b + 3] >= top) found.add(i);
        }
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  // The shape at a world position, or -1; of several the last drawn.
  find(worldX, worldY) {
    const x = worldX - this.paths.origin[0], y = worldY - this.paths.origin[1];
    if (x < this.all[0] || x > this.all[2] || y < this.all[1] || y > this.all[3]) return -1;
    const listed = this.cells[this.place(y, 1) * this.side + this.place(x, 0)];
    for (let i = listed.length - 1; i >= 0; i -= 1) if (contains(this.paths, listed[i], x, y)) return listed[i];
    return -1;
  }
}

// Even-odd rule over all rings: holes and several parts need no special case.
function contains({ xy, rings, shapes, box }, shape, x, y) {
  const b = 4 * shape;
  if (x < box[b] || y < box[b + 1] || x > box[b + 2] || y > box[b + 3]) return false;
  let inside = false;
  for (let ring = shapes[shape]; ring < shapes[shape + 1]; ring += 1) {
    for (let p = rings[ring], q = rings[ring + 1] - 1; p < rings[ring + 1]; q = p, p += 1) {
      const yp = xy[2 * p + 1], yq = xy[2 * q + 1];
      if (yp > y !== yq > y && x < ((xy[2 * q] - xy[2 * p]) * (y - yp)) / (yq - yp) + xy[2 * p]) inside = !inside;
    }
  }
  return inside;
}

// The view of one set of paths: scale and shift from steps to pixels, and the visible box in steps. A frame of which only
// a part is painted anew has that part as ``clip``.
function viewOf(frame, origin) {
  const dx = origin[0] * frame.scale - frame.left, dy = origin[1] * frame.scale - frame.top;
  const pad = 4, [left, top, right, bottom] = frame.clip || [0, 0, frame.width, frame.height];
  return {
    scale: frame.scale, dx, dy,
    box: [(left - pad - dx) / frame.scale, (top - pad - dy) / frame.scale,
      (right + pad - dx) / frame.scale, (bottom + pad - dy) / frame.scale],
  };
}

function touches(box, i, view) {
  const b = 4 * i;
  return box[b] <= view.box[2] && box[b + 2] >= view.box[0] && box[b + 1] <= view.box[3] && box[b + 3] >= view.box[1];
}

// Adds one ring or line to the canvas path; points closer than 0.7 pixels to the last one are left out.
function traceRing(ctx, { xy, rings, ringBox }, ring, view, closed) {
  const from = rings[ring], to = rings[ring + 1];
  if (to - from < 2) return;
  const b = 4 * ring;
  const wide = (ringBox[b + 2] - ringBox[b]) * view.scale, high = (ringBox[b + 3] - ringBox[b + 1]) * view.scale;
  if (closed && wide < 1.2 && high < 1.2) {
    ctx.rect(ringBox[b] * view.scale + view.dx, ringBox[b + 1] * view.scale + view.dy, Math.max(wide, 1), Math.max(high, 1));
    return;
  }
  let lastX = xy[2 * from] * view.scale + view.dx, lastY = xy[2 * from + 1] * view.scale + view.dy;
  ctx.moveTo(lastX, lastY);
  for (let p = from + 1; p < to; p += 1) {
    const x = xy[2 * p] * view.scale + view.dx, y = xy[2 * p + 1] * view.scale + view.dy;
    if (p < to - 1 && Math.abs(x - lastX) + Math.abs(y - lastY) < 0.7) continue;
    ctx.lineTo(x, y);
    lastX = x;
    lastY = y;
  }
  if (closed) ctx.closePath();
}

function traceShape(ctx, paths, shape, view, closed) {
  for (let ring = paths.shapes[shape]; ring < paths.shapes[shape + 1]; ring += 1) {
    if (touches(paths.ringBox, ring, view)) traceRing(ctx, paths, ring, view, closed);
  }
}

// Unpacks one part; every kind becomes an object that the painters know.
async function unpackPart(payload) {
  if (payload.kind === "areas") {
    const paths = await unpackPaths(payload.shape);
    return { ...payload, shape: null, paths, index: new GridIndex(paths), at: positions(payload.ids) };
  }
  if (payload.kind === "basemap") {
    const roads = await Promise.all(payload.roads.map(async (road) => ({
      rank: road.rank, fine: await unpackPaths(road.fine), coarse: road.coarse ? await unpackPaths(road.coarse) : null,
      names: { texts: road.names.texts, of: await inflate(road.names.of) },
    })));
    return { kind: "basemap", roads, lakes: await unpackPaths(payload.lakes), rivers: await unpackPaths(payload.rivers) };
  }
  if (payload.kind === "borders") return unpackBorders(payload);
  if (payload.kind === "table") return unpackTable(payload);
  if (payload.kind === "paint") return { ...payload, units: unpackPaint(payload.units) };
  return { ...payload, at: positions(payload.ids) };
}

// Common borders of units: one path per line, with the units on both sides (-1: outside).
async function unpackBorders(payload) {
  const [paths, first, second] = await Promise.all([unpackPaths(payload.shape), inflate(payload.first), inflate(payload.second)]);
  return { kind: "borders", paths, first, second };
}

async function unpackTable(payload) {
  const [x, y, before] = await Promise.all([payload.x, payload.y, payload.before].map(inflate));
  return { ...payload, x, y, before, pupils: unpackBytes(payload.pupils, Float32Array) };
}

// Values of units, and who goes where: one row per unit and school, the unit's main school first.
function unpackPaint(units) {
  const rows = unpackBytes(units.link_units, Uint32Array), schools = unpackBytes(units.link_schools, Uint16Array);
  const unitsOf = new Map(), schoolsOf = new Map();
  const note = (map, key, value) => (map.has(key) ? map.get(key).push(value) : map.set(key, [value]));
  rows.forEach((unit, i) => {
    note(unitsOf, schools[i], unit);
    note(schoolsOf, unit, schools[i]);
  });
  const classes = unpackBytes(units.classes, Uint8Array), values = unpackBytes(units.values, Float32Array);
  const marked = (name) => (units[name] ? unpackBytes(units[name], Uint32Array) : null);
  return {
    classes, values, colours: units.colours, digits: units.digits, unitsOf, schoolsOf,
    striped: marked("striped"), ringed: marked("ringed"),
    changes: units.changes ? unpackBytes(units.changes, Float32Array) : null,
  };
}

function positions(ids) {
  return new Map(ids.map((id, i) => [id, i]));
}
