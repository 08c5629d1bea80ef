// Painting: each function draws one layer for one frame (the visible window at the current zoom).

const INK = "#26323d";

function hatchPattern(ctx) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = "#eeece8";
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = "#a9a49b";
  pen.lineWidth = 1.3;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}

// Dark stripes that let the colour below show through.
function stripePattern(ctx) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 7;
  const pen = tile.getContext("2d");
  pen.strokeStyle = "rgba(38,50,61,0.62)";
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (const shift of [-7, 0, 7]) {
    pen.moveTo(shift, 0);
    pen.lineTo(shift + 7, 7);
  }
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}

// Areas marked beside their colour: striped, or ringed by a dark dashed line.
function paintMarks(ctx, frame, part, marks, ringed) {
  const view = viewOf(frame, part.paths.origin);
  const seen = Array.from(marks).filter((i) => touches(part.paths.box, i, view));
  if (ringed) {
    strokeUnits(ctx, part, seen, view, "rgba(255,255,255,0.9)", 4.4);
    ctx.setLineDash([6, 3]);
    strokeUnits(ctx, part, seen, view, "#7a1fa2", 2.6);
    ctx.setLineDash([]);
    return;
  }
  ctx.fillStyle = stripePattern(ctx);
  inBatches(seen, (some) => {
    ctx.beginPath();
    for (const i of some) traceShape(ctx, part.paths, i, view, true);
    ctx.fill("evenodd");
  });
}

function visibleShapes(paths, view) {
  const found = [];
  for (let i = 0; i < paths.count; i += 1) if (touches(paths.box, i, view)) found.push(i);
  return found;
}

function paintUnits(ctx, frame, part, paint) {
  const view = viewOf(frame, part.paths.origin);
  const seen = visibleShapes(part.paths, view);
  const byClass = new Map();
  for (const i of seen) {
    const name = paint.classes[i];
    if (!byClass.has(name)) byClass.set(name, []);
    byClass.get(name).push(i);
  }
  ctx.lineJoin = "bevel";
  const roomy = seen.length && (frame.width * frame.height) / seen.length > 260;
  for (const [name, list] of byClass) {
    ctx.fillStyle = name === 255 ? hatchPattern(ctx) : paint.colours[name % paint.colours.length];
    ctx.strokeStyle = ctx.fillStyle;
    ctx.lineWidth = 0.7;
    inBatches(list, (some) => {
      ctx.beginPath();
      for (const i of some) traceShape(ctx, part.paths, i, view, true);
      ctx.fill("evenodd");
      // Neighbours of one class would show the background between them.
      if (name !== 255) ctx.stroke();
    });
  }
  if (roomy) inBatches(seen, (some) => strokeUnits(ctx, part, some, view, "rgba(255,255,255,0.6)", 0.7));
}

// One path of many thousand rings takes a canvas far longer than many paths of a few.
function inBatches(list, draw) {
  for (let i = 0; i < list.length; i += 64) draw(list.slice(i, i + 64));
}

function paintWater(ctx, frame, part) {
  const lakes = viewOf(frame, part.lakes.origin);
  ctx.beginPath();
  for (const i of visibleShapes(part.lakes, lakes)) traceShape(ctx, part.lakes, i, lakes, true);
  ctx.fillStyle = "#b5d3e7";
  ctx.fill("evenodd");
  strokeLines(ctx, frame, part.rivers, "#9fc6df", frame.zoom < 12 ? 1.6 : 2.6);
}

function strokeLines(ctx, frame, paths, colour, width) {
  const view = viewOf(frame, paths.origin), seen = [];
  for (let i = 0; i < paths.rings.length - 1; i += 1) if (touches(paths.ringBox, i, view)) seen.push(i);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.lineJoin = ctx.lineCap = "round";
  inBatches(seen, (some) => {
    ctx.beginPath();
    for (const i of some) traceRing(ctx, paths, i, view, false);
    ctx.stroke();
  });
}

function paintRoads(ctx, frame, part, styles) {
  for (const road of part.roads) {
    const near = frame.zoom >= 13;
    if (road.rank === 3 && frame.zoom < 12.25) continue;
    if (road.rank === 4 && frame.zoom < 13.5) continue;
    const [colour, width] = styles[road.rank];
    const grown = width * Math.max(0.75, Math.min(2.4, 2 ** ((frame.zoom - 12) * 0.36)));
    const paths = near || !road.coarse ? road.fine : road.coarse;
    if (near && road.rank <= 2) strokeLines(ctx, frame, paths, "rgba(255,255,255,0.85)", grown + 1.6);
    strokeLines(ctx, frame, paths, colour, grown);
  }
}

function paintBands(ctx, frame, part, colours) {
  const view = viewOf(frame, part.paths.origin);
  for (let i = 0; i < part.paths.count; i += 1) {
    ctx.beginPath();
    traceShape(ctx, part.paths, i, view, true);
    ctx.fillStyle = colours[part.limits[i]] || "#738f91";
    ctx.fill("evenodd");
    ctx.strokeStyle = "rgba(38,50,61,0.55)";
    ctx.lineWidth = 0.8;
    ctx.stroke();
  }
}

function paintOutlines(ctx, frame, part, strong) {
  const view = viewOf(frame, part.paths.origin);
  ctx.beginPath();
  for (const i of visibleShapes(part.paths, view)) traceShape(ctx, part.paths, i, view, true);
  ctx.lineJoin = "round";
  ctx.strokeStyle = "rgba(255,255,255,0.9)";
  ctx.lineWidth = strong ? 3.4 : 1.8;
  ctx.stroke();
  ctx.strokeStyle = "#3b4a58";
  ctx.lineWidth = strong ? 1.5 : 0.8;
  ctx.stroke();
}

// From the middle of every unit that goes elsewhere to its school: ``ways`` holds [x, y, x, y] in the world.
function paintWays(ctx, frame, ways) {
  const place = (x, y) => [x * frame.scale - frame.left, y * frame.scale - frame.top];
  for (const [pen, wide] of [["rgba(255,255,255,0.8)", 2.6], ["rgba(90,20,120,0.75)", 1.1]]) {
    ctx.strokeStyle = pen;
    ctx.lineWidth = wide;
    inBatches(ways, (some) => {
      ctx.beginPath();
      for (const [x0, y0, x1, y1] of some) {
        ctx.moveTo(...place(x0, y0));
        ctx.lineTo(...place(x1, y1));
      }
      ctx.stroke();
    });
  }
}

// Everything but the chosen units fades.
function paintVeil(ctx, frame, part, chosen) {
  const view = viewOf(frame, part.paths.origin);
  const seen = chosen.filter((i) => touches(part.paths.box, i, view));
  ctx.beginPath();
  ctx.rect(0, 0, frame.width, frame.height);
  for (const i of seen) traceShape(ctx, part.paths, i, view, true);
  ctx.fillStyle = "rgba(255,255,255,0.62)";
  ctx.fill("evenodd");
  strokeUnits(ctx, part, seen, view, "rgba(38,50,61,0.55)", 0.9);
}

function strokeUnits(ctx, part, list, view, colour, width) {
  ctx.beginPath();
  for (const i of list) traceShape(ctx, part.paths, i, view, true);
  ctx.lineJoin = "round";
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke();
}

function tracePoint(ctx, shape, x, y, r) {
  ctx.beginPath();
  if (shape === "square") ctx.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76);
  else if (shape === "triangle") polygon(ctx, [[0, -1.18], [1.08, 0.78], [-1.08, 0.78]], x, y, r);
  else if (shape === "diamond") polygon(ctx, [[0, -1.25], [1.1, 0], [0, 1.25], [-1.1, 0]], x, y, r);
  else ctx.arc(x, y, r, 0, 2 * Math.PI);
}

function polygon(ctx, corners, x, y, r) {
  corners.forEach(([dx, dy], i) => (i ? ctx.lineTo(x + dx * r, y + dy * r) : ctx.moveTo(x + dx * r, y + dy * r)));
  ctx.closePath();
}

const CHANGED = "#0b6e6e";

// One school: white rim, fill, ink outline. "over" adds a second ring, "lacking" a dot within, "unknown" is dashed with a
// question mark. What a scenario does to it: "closed" is grey and crossed, "new" a star, "site" a place that is still
// free; "badge" says what else changes ("plus", "minus", "half", "pair", "dot"); "ring" marks what the reader has picked.
function paintSymbol(ctx, item, x, y, r) {
  if (item.mark === "closed") paintClosed(ctx, item, x, y, r);
  else if (item.mark === "new") paintNew(ctx, item, x, y, r);
  else if (item.mark === "site") paintSite(ctx, x, y, r);
  else paintPlain(ctx, item, x, y, r);
  if (item.badge) paintBadge(ctx, item.badge, x + r * 0.9 + 1.5, y - r * 0.9 - 1.5, Math.max(4.2, Math.min(6, r * 0.7)));
  if (item.ring) {
    tracePoint(ctx, "circle", x, y, r + 5);
    ctx.strokeStyle = "#7a1fa2";
    ctx.lineWidth = 2.4;
    ctx.stroke();
  }
}

function paintPlain(ctx, item, x, y, r) {
  tracePoint(ctx, item.shape, x, y, r + 1.3);
  ctx.fillStyle = "rgba(255,255,255,0.92)";
  ctx.fill();
  tracePoint(ctx, item.shape, x, y, r);
  ctx.fillStyle = item.colour;
  ctx.fill();
  ctx.strokeStyle = INK;
  ctx.lineWidth = item.mark === "over" ? 1.9 : 0.9;
  ctx.setLineDash(item.mark === "unknown" ? [2.4, 2] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  if (item.mark === "over") {
    tracePoint(ctx, item.shape, x, y, r * 1.12 + 2);
    ctx.lineWidth = 1.1;
    ctx.strokeStyle = item.colour;
    ctx.stroke();
  } else if (item.mark === "lacking") {
    tracePoint(ctx, "circle", x, y, Math.max(1.4, r * 0.32));
    ctx.fillStyle = INK;
    ctx.fill();
  } else if (item.mark === "unknown" && r >= 3) {
    ctx.fillStyle = INK;
    ctx.font = `600 ${Math.max(7, r * 1.5)}px sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText("?", x, y + 0.5);
  }
}

// Strokes twice, so that a sign is seen on every ground.
function strokeTwice(ctx, draw, colour, width) {
  for (const [pen, wide] of [["rgba(255,255,255,0.95)", width + 2.2], [colour, width]]) {
    ctx.strokeStyle = pen;
    ctx.lineWidth = wide;
    ctx.lineCap = "round";
    ctx.beginPath();
    draw();
    ctx.stroke();
  }
  ctx.lineCap = "butt";
}

function paintClosed(ctx, item, x, y, r) {
  tracePoint(ctx, item.shape, x, y, r);
  ctx.fillStyle = "#d5d8da";
  ctx.fill();
  ctx.strokeStyle = "#6d757b";
  ctx.lineWidth = 1;
  ctx.setLineDash([2.4, 2]);
  ctx.stroke();
  ctx.setLineDash([]);
  const k = Math.max(4.4, r * 0.95);
  strokeTwice(ctx, () => {
    ctx.moveTo(x - k, y - k);
    ctx.lineTo(x + k, y + k);
    ctx.moveTo(x + k, y - k);
    ctx.lineTo(x - k, y + k);
  }, "#33393e", 2.1);
}

const STAR = Array.from({ length: 10 }, (none, i) => {
  const far = i % 2 ? 0.62 : 1.38, turn = (Math.PI * i) / 5 - Math.PI / 2;
  return [Math.cos(turn) * far, Math.sin(turn) * far];
});

function paintNew(ctx, item, x, y, r) {
  const size = Math.max(6, r);
  ctx.lineJoin = "round";
  for (const [pen, wide] of [["rgba(255,255,255,0.95)", 5], [CHANGED, 2]]) {
    ctx.beginPath();
    polygon(ctx, STAR, x, y, size);
    ctx.strokeStyle = pen;
    ctx.lineWidth = wide;
    ctx.stroke();
  }
  ctx.fillStyle = item.colour;
  ctx.fill();
}

function paintSite(ctx, x, y, r) {
  tracePoint(ctx, "diamond", x, y, r + 1.4);
  ctx.fillStyle = "rgba(255,255,255,0.94)";
  ctx.fill();
  tracePoint(ctx, "diamond", x, y, r);
  ctx.strokeStyle = CHANGED;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([3, 2]);
  ctx.stroke();
  ctx.setLineDash([]);
  const k = r * 0.5;
  ctx.beginPath();
  ctx.moveTo(x - k, y);
  ctx.lineTo(x + k, y);
  ctx.moveTo(x, y - k);
  ctx.lineTo(x, y + k);
  ctx.stroke();
}

// A small sign at the upper right of a school: places more or fewer, low grades only, a campus, something else.
function paintBadge(ctx, badge, x, y, r) {
  tracePoint(ctx, "circle", x, y, r + 1);
  ctx.fillStyle = "#ffffff";
  ctx.fill();
  tracePoint(ctx, "circle", x, y, r);
  ctx.fillStyle = badge === "half" ? "#ffffff" : CHANGED;
  ctx.fill();
  ctx.strokeStyle = CHANGED;
  ctx.lineWidth = 1;
  ctx.stroke();
  const k = r * 0.55;
  ctx.beginPath();
  if (badge === "half") {
    ctx.arc(x, y, r, 0, Math.PI);
    ctx.fillStyle = CHANGED;
    ctx.fill();
    return;
  }
  ctx.fillStyle = ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 1.5;
  if (badge === "pair") {
    ctx.fillRect(x - k * 1.1, y - k * 0.6, k, k * 1.2);
    ctx.fillRect(x + k * 0.1, y - k * 0.6, k, k * 1.2);
    return;
  }
  if (badge === "dot") {
    ctx.arc(x, y, k * 0.7, 0, 2 * Math.PI);
    ctx.fill();
    return;
  }
  ctx.moveTo(x - k, y);
  ctx.lineTo(x + k, y);
  if (badge === "plus") {
    ctx.moveTo(x, y - k);
    ctx.lineTo(x, y + k);
  }
  ctx.stroke();
}

// A school of another stage: its shape only.
function paintOther(ctx, item, x, y, r) {
  tracePoint(ctx, item.shape, x, y, r + 1);
  ctx.fillStyle = "rgba(255,255,255,0.9)";
  ctx.fill();
  tracePoint(ctx, item.shape, x, y, r);
  ctx.fillStyle = "#ffffff";
  ctx.fill();
  ctx.strokeStyle = "#3f4a55";
  ctx.lineWidth = 1.1;
  ctx.stroke();
}
