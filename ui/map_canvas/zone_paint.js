// Painting zones: fills by zone, borders where two zones meet, marks and locks. All work on any box of the map.

const ROOMY_PX2 = 260;
const LOCK_FROM_PX = 13;

// Whether units are large enough on the screen to be told apart by lines.
function isRoomy(part, frame) {
  const [left, top, right, bottom] = part.index.all;
  return ((right - left) * (bottom - top) * frame.scale ** 2) / Math.max(1, part.paths.count) > ROOMY_PX2;
}

// The grid finds the few units of a small box; for a large one it is quicker to ask each unit.
function seenUnits(part, view) {
  const [left, top, right, bottom] = view.box, all = part.index.all;
  const share = ((right - left) * (bottom - top)) / ((all[2] - all[0]) * (all[3] - all[1]) || 1);
  return share < 0.1 ? part.index.near(view.box) : visibleShapes(part.paths, view);
}

function fillUnits(ctx, part, list, view, style, joined) {
  ctx.fillStyle = ctx.strokeStyle = style;
  ctx.lineJoin = "bevel";
  ctx.lineWidth = 0.7;
  inBatches(list, (some) => {
    ctx.beginPath();
    for (const i of some) traceShape(ctx, part.paths, i, view, true);
    ctx.fill("evenodd");
    // Neighbours of one colour would show the background between them.
    if (joined) ctx.stroke();
  });
}

function paintZones(ctx, frame, part, borders, zone, colours, palette) {
  const view = viewOf(frame, part.paths.origin), lists = palette.map(() => []), none = [];
  for (const i of seenUnits(part, view)) (zone[i] < 0 ? none : lists[colours[zone[i]] % palette.length]).push(i);
  if (none.length) fillUnits(ctx, part, none, view, hatchPattern(ctx), false);
  lists.forEach((list, colour) => list.length && fillUnits(ctx, part, list, view, palette[colour], true));
  if (!isRoomy(part, frame)) return;
  if (borders && borders.paths.count) strokeBorders(ctx, frame, borders, () => true, [["rgba(255,255,255,0.6)", 0.7]]);
  else inBatches([...none, ...lists.flat()], (some) => strokeUnits(ctx, part, some, view, "rgba(255,255,255,0.6)", 0.7));
}

// Strokes the common borders that ``wanted(first, second)`` names, once for each [colour, width].
function strokeBorders(ctx, frame, { paths, first, second }, wanted, pens) {
  const view = viewOf(frame, paths.origin), seen = [];
  for (let i = 0; i < paths.count; i += 1) if (touches(paths.ringBox, i, view) && wanted(first[i], second[i])) seen.push(i);
  ctx.lineJoin = ctx.lineCap = "round";
  for (const [colour, width] of pens) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    inBatches(seen, (some) => {
      ctx.beginPath();
      for (const i of some) traceRing(ctx, paths, i, view, false);
      ctx.stroke();
    });
  }
}

function paintZoneBorders(ctx, frame, borders, zone) {
  const wide = frame.zoom >= 11 ? 1 : 0.75;
  const parts = (a, b) => b < 0 || zone[a] !== zone[b];
  strokeBorders(ctx, frame, borders, parts, [["rgba(255,255,255,0.9)", 3.6 * wide], ["#33424f", 1.6 * wide]]);
}

function dotPattern(ctx) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 7;
  const pen = tile.getContext("2d");
  pen.fillStyle = "rgba(38,50,61,0.6)";
  pen.beginPath();
  pen.arc(3.5, 3.5, 1.05, 0, 2 * Math.PI);
  pen.fill();
  return ctx.createPattern(tile, "repeat");
}

// Red stripes that lean the other way than the dark ones.
function barPattern(ctx) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 7;
  const pen = tile.getContext("2d");
  pen.strokeStyle = "rgba(179,38,30,0.75)";
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (const shift of [-7, 0, 7]) {
    pen.moveTo(shift, 7);
    pen.lineTo(shift + 7, 0);
  }
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}

const FILL_MARKS = { striped: stripePattern, dotted: dotPattern, barred: barPattern };
const RING_PENS = { ringed: ["#7a1fa2", [5, 5.5], 2.6], circled: ["#b3261e", [0.1, 4.6], 3.2] };

// Marks units: "striped", "barred" and "dotted" fill them; "ringed" and "circled" run around each group of them.
function markUnits(ctx, frame, part, borders, units, style) {
  const view = viewOf(frame, part.paths.origin), pen = RING_PENS[style];
  const seen = units.filter((i) => touches(part.paths.box, i, view));
  if (!seen.length) return;
  if (!pen) {
    fillUnits(ctx, part, seen, view, FILL_MARKS[style](ctx), false);
    return;
  }
  const own = new Set(units), [colour, dashes, width] = pen;
  const stroke = (ink, wide) => {
    if (borders.paths.count) strokeBorders(ctx, frame, borders, (a, b) => own.has(a) !== own.has(b), [[ink, wide]]);
    else strokeUnits(ctx, part, seen, view, ink, wide);
  };
  stroke("rgba(255,255,255,0.9)", 4.6);
  ctx.setLineDash(dashes);
  stroke(colour, width);
  ctx.setLineDash([]);
}

// [x, y, is large] of the locks in a frame: a padlock where there is room for one, else a dot.
function listLocks(frame, part, table, locked) {
  const { paths } = part, found = [];
  for (let i = 0; i < locked.length; i += 1) {
    if (!locked[i]) continue;
    const x = table.x[i] * frame.scale - frame.left, y = table.y[i] * frame.scale - frame.top;
    if (x < -12 || y < -12 || x > frame.width + 12 || y > frame.height + 12) continue;
    const b = 4 * i, high = (paths.box[b + 3] - paths.box[b + 1]) * frame.scale, wide = (paths.box[b + 2] - paths.box[b]) * frame.scale;
    const large = Math.min(high, wide) >= LOCK_FROM_PX;
    // Names stand in the middle: the padlock a little higher.
    found.push([x, large && high > 32 ? y - 11 : y, large]);
  }
  return found;
}

function paintLocks(ctx, frame, places) {
  for (const [x, y, large] of places) paintLock(ctx, x, y, large);
}

function paintLock(ctx, x, y, large) {
  ctx.fillStyle = INK;
  ctx.strokeStyle = "rgba(255,255,255,0.95)";
  if (!large) {
    ctx.beginPath();
    ctx.arc(x, y, 1.8, 0, 2 * Math.PI);
    ctx.lineWidth = 1.2;
    ctx.stroke();
    ctx.fill();
    return;
  }
  const shackle = () => {
    ctx.beginPath();
    ctx.arc(x, y - 1.2, 2.7, Math.PI, 0);
    ctx.lineTo(x + 2.7, y + 0.5);
    ctx.moveTo(x - 2.7, y - 1.2);
    ctx.lineTo(x - 2.7, y + 0.5);
    ctx.stroke();
  };
  ctx.lineWidth = 3.6;
  shackle();
  ctx.lineWidth = 2;
  ctx.strokeRect(x - 4.4, y - 0.4, 8.8, 6.4);
  ctx.strokeStyle = INK;
  ctx.lineWidth = 1.5;
  shackle();
  ctx.fillRect(x - 4.4, y - 0.4, 8.8, 6.4);
}
