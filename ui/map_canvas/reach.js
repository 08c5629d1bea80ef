// What a stroke reaches: units along a line with a width, inside a lasso, or next in a direction. Positions in steps.

// Units whose area comes within ``reach`` of the line from a to b; units without area count by their demand point.
function unitsAlong(part, table, a, b, reach) {
  const { paths, index } = part, [ox, oy] = paths.origin;
  const [ax, ay, bx, by] = [a[0] - ox, a[1] - oy, b[0] - ox, b[1] - oy];
  const box = [Math.min(ax, bx) - reach, Math.min(ay, by) - reach, Math.max(ax, bx) + reach, Math.max(ay, by) + reach];
  const found = index.near(box).filter((i) => isReached(paths, i, ax, ay, bx, by, reach));
  for (const i of table.bare) {
    if (nearSegment(table.x[i] - ox, table.y[i] - oy, ax, ay, bx, by) <= reach * reach) found.push(i);
  }
  return found;
}

function isReached(paths, shape, ax, ay, bx, by, reach) {
  const b = 4 * shape, { xy, rings, shapes, box } = paths;
  if (!crossesBox(ax, ay, bx, by, box[b] - reach, box[b + 1] - reach, box[b + 2] + reach, box[b + 3] + reach)) return false;
  if (contains(paths, shape, ax, ay) || contains(paths, shape, bx, by)) return true;
  for (let ring = shapes[shape]; ring < shapes[shape + 1]; ring += 1) {
    for (let p = rings[ring], q = rings[ring + 1] - 1; p < rings[ring + 1]; q = p, p += 1) {
      if (segmentsMeet(ax, ay, bx, by, xy[2 * q], xy[2 * q + 1], xy[2 * p], xy[2 * p + 1], reach)) return true;
    }
  }
  return false;
}

// Liang and Barsky: whether a segment has a point in a box.
function crossesBox(ax, ay, bx, by, left, top, right, bottom) {
  let from = 0, to = 1;
  for (const [step, low, high] of [[bx - ax, left - ax, right - ax], [by - ay, top - ay, bottom - ay]]) {
    if (step === 0) {
      if (low > 0 || high < 0) return false;
      continue;
    }
    const [enter, leave] = step > 0 ? [low / step, high / step] : [high / step, low / step];
    from = Math.max(from, enter);
    to = Math.min(to, leave);
    if (from > to) return false;
  }
  return true;
}

function segmentsMeet(ax, ay, bx, by, cx, cy, dx, dy, reach) {
  const side = (px, py, qx, qy, x, y) => (qx - px) * (y - py) - (qy - py) * (x - px);
  const c = side(ax, ay, bx, by, cx, cy), d = side(ax, ay, bx, by, dx, dy);
  const a = side(cx, cy, dx, dy, ax, ay), b = side(cx, cy, dx, dy, bx, by);
  if (((c > 0 && d < 0) || (c < 0 && d > 0)) && ((a > 0 && b < 0) || (a < 0 && b > 0))) return true;
  if (!reach) return false;
  const far = reach * reach;
  return nearSegment(cx, cy, ax, ay, bx, by) <= far || nearSegment(dx, dy, ax, ay, bx, by) <= far
    || nearSegment(ax, ay, cx, cy, dx, dy) <= far || nearSegment(bx, by, cx, cy, dx, dy) <= far;
}

// Squared distance of a point from a segment.
function nearSegment(x, y, ax, ay, bx, by) {
  const dx = bx - ax, dy = by - ay, long = dx * dx + dy * dy;
  const t = long ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / long)) : 0;
  return (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2;
}

// Units whose demand point lies inside the loop [[x, y] …].
function unitsInside(table, loop) {
  const xs = loop.map(([x]) => x), ys = loop.map(([, y]) => y), found = [];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let i = 0; i < table.x.length; i += 1) {
    const x = table.x[i], y = table.y[i];
    if (x < left || x > right || y < top || y > bottom) continue;
    let inside = false;
    for (let p = 0, q = loop.length - 1; p < loop.length; q = p, p += 1) {
      if (ys[p] > y !== ys[q] > y && x < ((xs[q] - xs[p]) * (y - ys[p])) / (ys[q] - ys[p]) + xs[p]) inside = !inside;
    }
    if (inside) found.push(i);
  }
  return found;
}

// The unit nearest to unit ``from`` towards (dx, dy), within 45 degrees where there is one; -1 at the edge.
function unitTowards(table, from, dx, dy) {
  let best = -1, least = Infinity;
  for (let i = 0; i < table.x.length; i += 1) {
    const x = table.x[i] - table.x[from], y = table.y[i] - table.y[from];
    const ahead = x * dx + y * dy, aside = Math.abs(x * dy - y * dx);
    if (i === from || ahead <= 0 || aside > ahead * 2) continue;
    const cost = ahead + aside * (aside > ahead ? 4 : 1.2);
    if (cost < least) [best, least] = [i, cost];
  }
  return best;
}

function unitNearest(table, [x, y]) {
  let best = -1, least = Infinity;
  for (let i = 0; i < table.x.length; i += 1) {
    const away = Math.hypot(table.x[i] - x, table.y[i] - y);
    if (away < least) [best, least] = [i, away];
  }
  return best;
}
