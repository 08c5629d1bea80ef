// Shapes: unpacking, finding what lies under a point, and tracing onto a canvas.
// Positions are whole steps of 2^-26 of the Mercator world; at zoom z one step is 2^(z - 18) pixels.

const STEP_ZOOM = 18;

function unpackNumbers(text) {
  const bytes = atob(text), found = [];
  let value = 0, factor = 1;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes.charCodeAt(i);
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) {
      found.push(value % 2 ? -(value + 1) / 2 : value / 2);
      value = 0;
      factor = 1;
    }
  }
  return found;
}

// {origin, steps, sizes, owners} -> xy, ring starts, and per shape its first ring and box.
function unpackPaths(packed) {
  const xy = Float64Array.from(unpackNumbers(packed.steps));
  for (let i = 0; i < xy.length; i += 1) xy[i] += i < 2 ? packed.origin[i] : xy[i - 2];
  const paths = { xy, rings: addUp(unpackNumbers(packed.sizes)), shapes: addUp(unpackNumbers(packed.owners)) };
  paths.count = paths.shapes.length - 1;
  paths.ringBox = measureBoxes(paths, paths.rings.length - 1, (ring) => [paths.rings[ring], paths.rings[ring + 1]]);
  paths.box = measureBoxes(paths, paths.count, (i) => [paths.rings[paths.shapes[i]], paths.rings[paths.shapes[i + 1]]]);
  return paths;
}

function addUp(sizes) {
  const starts = new Uint32Array(sizes.length + 1);
  sizes.forEach((size, i) => (starts[i + 1] = starts[i] + size));
  return starts;
}

function measureBoxes({ xy }, count, span) {
  const found = new Float64Array(count * 4);
  for (let i = 0; i < count; i += 1) {
    const [from, to] = span(i);
    let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    for (let p = from; p < to; p += 1) {
      left = Math.min(left, xy[2 * p]);
      right = Math.max(right, xy[2 * p]);
      top = Math.min(top, xy[2 * p + 1]);
      bottom = Math.max(bottom, xy[2 * p + 1]);
    }
    found.set([left, top, right, bottom], i * 4);
  }
  return found;
}

function boxOf(paths, i) {
  return paths.box.subarray(4 * i, 4 * i + 4);
}

function unite(boxes) {
  const all = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [left, top, right, bottom] of boxes) {
    if (left > right) continue;
    all[0] = Math.min(all[0], left);
    all[1] = Math.min(all[1], top);
    all[2] = Math.max(all[2], right);
    all[3] = Math.max(all[3], bottom);
  }
  return all[0] <= all[2] ? all : null;
}

function listBoxes(paths) {
  return Array.from({ length: paths.count }, (none, i) => boxOf(paths, i));
}

// The shape at a place, or -1. Even-odd rule: holes and several parts need no special case.
function findShape(paths, x, y) {
  for (let i = 0; i < paths.count; i += 1) {
    const b = 4 * i;
    if (x < paths.box[b] || y < paths.box[b + 1] || x > paths.box[b + 2] || y > paths.box[b + 3]) continue;
    if (contains(paths, i, x, y)) return i;
  }
  return -1;
}

function contains({ xy, rings, shapes }, shape, x, y) {
  let inside = false;
  for (let ring = shapes[shape]; ring < shapes[shape + 1]; ring += 1) {
    for (let p = rings[ring], q = rings[ring + 1] - 1; p < rings[ring + 1]; q = p, p += 1) {
      const yp = xy[2 * p + 1], yq = xy[2 * q + 1];
      if (yp > y !== yq > y && x < ((xy[2 * q] - xy[2 * p]) * (y - yp)) / (yq - yp) + xy[2 * p]) inside = !inside;
    }
  }
  return inside;
}

// What of a frame can be seen, in steps.
function windowOf(frame) {
  const pad = 6;
  return [(frame.left - pad) / frame.scale, (frame.top - pad) / frame.scale,
    (frame.left + frame.width + pad) / frame.scale, (frame.top + frame.height + pad) / frame.scale];
}

function touches(box, i, [left, top, right, bottom]) {
  const b = 4 * i;
  return box[b] <= right && box[b + 2] >= left && box[b + 1] <= bottom && box[b + 3] >= top;
}

function listSeen(paths, frame) {
  const seen = windowOf(frame), found = [];
  for (let i = 0; i < paths.count; i += 1) if (touches(paths.box, i, seen)) found.push(i);
  return found;
}

// Adds one ring or line to the canvas path; points closer than 0.7 pixels to the last one are left out.
function traceRing(ctx, { xy, rings }, ring, frame, closed) {
  const from = rings[ring], to = rings[ring + 1];
  if (to - from < 2) return;
  let lastX = xy[2 * from] * frame.scale - frame.left, lastY = xy[2 * from + 1] * frame.scale - frame.top;
  ctx.moveTo(lastX, lastY);
  for (let p = from + 1; p < to; p += 1) {
    const x = xy[2 * p] * frame.scale - frame.left, y = xy[2 * p + 1] * frame.scale - frame.top;
    if (p < to - 1 && Math.abs(x - lastX) + Math.abs(y - lastY) < 0.7) continue;
    ctx.lineTo(x, y);
    lastX = x;
    lastY = y;
  }
  if (closed) ctx.closePath();
}

function traceShapes(ctx, paths, list, frame, closed = true) {
  const seen = windowOf(frame);
  ctx.beginPath();
  for (const i of list) {
    for (let ring = paths.shapes[i]; ring < paths.shapes[i + 1]; ring += 1) {
      if (touches(paths.ringBox, ring, seen)) traceRing(ctx, paths, ring, frame, closed);
    }
  }
}
