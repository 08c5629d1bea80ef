// What the map's canvases show, from the parts, the values and the layers that are on.

const MIN_RADIUS = 2.8;

function growthAt(zoom) {
  return Math.max(0.55, Math.min(1.5, 0.58 + (zoom - 10) * 0.17));
}

function otherRadius(zoom) {
  return zoom < 11.5 ? 3 : 4.4;
}

class MapPainter {
  get showsChoice() {
    return true;
  }

  on(layer) {
    return this.layers.get(layer) === true;
  }

  paintUnits(ctx, frame) {
    if (this.on("isochrones") && this.parts.isochrones) {
      paintBands(ctx, frame, this.parts.isochrones, this.data.band_colours);
    } else if (this.parts.units && this.units && this.on("units")) {
      paintUnits(ctx, frame, this.parts.units, this.units);
    }
  }

  paintBase(ctx, frame) {
    if (!this.parts.basemap) return;
    if (this.on("water")) paintWater(ctx, frame, this.parts.basemap);
    if (this.on("roads")) paintRoads(ctx, frame, this.parts.basemap, this.data.road_styles);
  }

  paintOver(ctx, frame) {
    const units = this.parts.units;
    const strong = this.on("zones");
    const marks = units && this.units;
    if (marks && marks.striped && this.on("striped")) paintMarks(ctx, frame, units, marks.striped, false);
    if (this.parts.zones && (strong || this.data.outline)) paintOutlines(ctx, frame, this.parts.zones, strong);
    if (marks && marks.ringed && this.on("ringed")) paintMarks(ctx, frame, units, marks.ringed, true);
    if (marks && marks.striped && this.on("moves")) paintWays(ctx, frame, this.listMoves(units, marks));
    if (units && this.units && this.chosen) this.paintChosen(ctx, frame, units);
  }

  // Lines from the marked units to the school that most of their pupils go to.
  listMoves(units, marks) {
    const { x, y } = this.parts.schools, found = [];
    for (const at of marks.striped) {
      const school = (marks.schoolsOf.get(at) || [])[0];
      if (school !== undefined) found.push([...this.middle(units, at), x[school], y[school]]);
    }
    return found;
  }

  paintChosen(ctx, frame, units) {
    if (this.chosen.kind === "school") {
      // While receivers or communities are picked everything stays in sight.
      if (this.data.picking) return;
      const at = this.parts.schools.at.get(this.chosen.id);
      const homes = this.units.unitsOf.get(at);
      if (homes) paintVeil(ctx, frame, units, homes);
      return;
    }
    const at = units.at.get(this.chosen.id);
    if (at === undefined) return;
    const view = viewOf(frame, units.paths.origin);
    strokeUnits(ctx, units, [at], view, "#ffffff", 5);
    strokeUnits(ctx, units, [at], view, INK, 2.4);
    for (const school of this.units.schoolsOf.get(at) || []) this.paintWay(ctx, frame, this.middle(units, at), school);
  }

  paintWay(ctx, frame, [x, y], school) {
    ctx.beginPath();
    ctx.moveTo(x * frame.scale - frame.left, y * frame.scale - frame.top);
    ctx.lineTo(this.parts.schools.x[school] * frame.scale - frame.left, this.parts.schools.y[school] * frame.scale - frame.top);
    ctx.setLineDash([5, 4]);
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1.6;
    ctx.stroke();
    ctx.setLineDash([]);
  }

  radius(item, zoom) {
    return Math.max(MIN_RADIUS, item.size * growthAt(zoom));
  }

  paintSchools(ctx, frame) {
    const part = this.parts.schools;
    if (!part) return;
    const place = (i) => [part.x[i] * frame.scale - frame.left, part.y[i] * frame.scale - frame.top];
    const picked = this.showsChoice && this.chosen && this.chosen.kind === "school" ? part.at.get(this.chosen.id) : -1;
    const ring = (item, x, y, r) => {
      tracePoint(ctx, item.shape, x, y, r + 6.5);
      ctx.strokeStyle = INK;
      ctx.lineWidth = 2.6;
      ctx.stroke();
    };
    if (this.on("others")) {
      for (const item of this.others) {
        const [x, y] = place(item.at), r = otherRadius(frame.zoom);
        paintOther(ctx, item, x, y, r);
        if (item.at === picked) ring(item, x, y, r);
      }
    }
    if (!this.on("schools")) return;
    const chosen = this.schoolAt.get(picked);
    // A closed school and a free site have nobody: nothing is to be set off from the others.
    const faded = chosen && !this.data.picking && !["closed", "site"].includes(chosen.mark);
    for (const item of this.schools) {
      const [x, y] = place(item.at);
      ctx.globalAlpha = faded && item.at !== picked && !item.strong ? 0.32 : 1;
      if (item.at === picked) ring(item, x, y, this.radius(item, frame.zoom));
      paintSymbol(ctx, item, x, y, this.radius(item, frame.zoom));
    }
    ctx.globalAlpha = 1;
  }

  // What else names must not cover.
  takePlaces() {}

  // Names come last and above everything; symbols are kept free of them.
  paintNames(ctx, frame) {
    const { units, schools, basemap } = this.parts;
    if (!this.on("names") || !units || !schools) return;
    const taken = new Places(), symbols = [];
    const note = (item, r) => {
      const x = schools.x[item.at] * frame.scale - frame.left, y = schools.y[item.at] * frame.scale - frame.top;
      taken.take([x - r, y - r, x + r, y + r]);
      symbols.push([schools.names[item.at], x, y, r, Boolean(item.strong)]);
    };
    if (this.on("schools")) this.schools.forEach((item) => note(item, this.radius(item, frame.zoom) * 0.9));
    if (this.on("others")) this.others.forEach((item) => note(item, otherRadius(frame.zoom)));
    this.takePlaces(frame, taken);
    paintTownNames(ctx, frame, units.labels, taken);
    paintSchoolNames(ctx, frame, symbols, taken);
    if (basemap && this.on("roads")) paintStreetNames(ctx, frame, basemap.roads, taken);
    if (this.on("units")) paintUnitNames(ctx, frame, units, taken);
  }
}
