// The county as the page knows it: units, schools, and per stage who goes where, before and after.

const SIDES = ["before", "after"], GRADES = ["all", "low", "upper"], WAY_FIELDS = 6;

class County {
  constructor(data, words) {
    this.data = data;
    this.words = words;
    this.units = data.units;
    this.schools = data.schools;
    this.paths = unpackPaths(data.units.shape);
    this.stages = {};
    for (const stage of data.stages) this.stages[stage] = unpackStage(data.by_stage[stage], this.units.ids.length);
    this.streets = unpackStreets(data.streets);
    this.townLabels = this.placeTowns();
  }

  nameUnit(i) {
    return this.units.names[i] || this.words.say("community_number", { number: this.units.ids[i] });
  }

  nameSchool(i) {
    return this.schools.names[i] || this.words.say("school_number", { number: this.schools.ids[i] });
  }

  townOf(i) {
    return this.data.towns[this.units.towns[i]] || "";
  }

  middle(i) {
    const [left, top, right, bottom] = boxOf(this.paths, i);
    return [(left + right) / 2, (top + bottom) / 2];
  }

  // The name of every town at the middle of its units.
  placeTowns() {
    const spots = new Map();
    this.units.towns.forEach((town, i) => {
      if (!spots.has(town)) spots.set(town, []);
      spots.get(town).push(this.middle(i));
    });
    const half = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
    return Array.from(spots, ([town, list]) => [this.data.towns[town], half(list.map(([x]) => x)), half(list.map(([, y]) => y))])
      .filter(([name]) => name);
  }

  // Ways of a unit on one side, by grades: [{grades, ways: [{school, minutes, metres}]}].
  waysOf(stage, side, unit) {
    return this.stages[stage].ways[side].get(unit) || [];
  }

  // Units that a school takes on one side, wholly or in part.
  unitsOf(stage, side, school) {
    return this.stages[stage].unitsOf[side].get(school) || [];
  }

  listChanged(stage) {
    const { changed } = this.stages[stage], found = [];
    changed.forEach((value, i) => value && found.push(i));
    return found;
  }

  // The row of a school at a stage, or null where it does not teach it.
  schoolAt(stage, school) {
    const { schools } = this.stages[stage], row = schools.at.indexOf(school);
    if (row < 0) return null;
    const found = {};
    for (const name of Object.keys(schools)) found[name] = schools[name][row];
    return found;
  }
}

function unpackStage(packed, count) {
  const units = {};
  for (const name of Object.keys(packed.units)) units[name] = unpackNumbers(packed.units[name]);
  const stage = { ...packed, ...units, ways: {}, unitsOf: {}, zones: {} };
  for (const side of SIDES) {
    stage.zones[side] = { ...packed.zones[side], paths: unpackPaths(packed.zones[side].shape) };
    stage.ways[side] = new Map();
    stage.unitsOf[side] = new Map();
  }
  const rows = unpackNumbers(packed.ways);
  for (let r = 0; r < rows.length; r += WAY_FIELDS) {
    const [unit, side, grades, school, minutes, metres] = rows.slice(r, r + WAY_FIELDS);
    if (unit < count) noteWay(stage, SIDES[side], unit, GRADES[grades], { school, minutes, metres });
  }
  stage.without = Array.from({ length: count }, (none, i) => i).filter((i) => !stage.ways.after.has(i));
  return stage;
}

function noteWay(stage, side, unit, grades, way) {
  const { ways, unitsOf } = stage;
  if (!ways[side].has(unit)) ways[side].set(unit, []);
  const groups = ways[side].get(unit);
  let group = groups.find((item) => item.grades === grades);
  if (!group) groups.push((group = { grades, ways: [] }));
  group.ways.push(way);
  if (!unitsOf[side].has(way.school)) unitsOf[side].set(way.school, []);
  const list = unitsOf[side].get(way.school);
  if (list[list.length - 1] !== unit) list.push(unit);
}

function unpackStreets(packed) {
  const units = unpackNumbers(packed.units), runs = unpackNumbers(packed.runs);
  let u = 0, r = 0;
  return packed.names.map((name, i) => {
    const street = { name, town: packed.towns[i], units: units.slice(u + 1, u + 1 + units[u]), runs: [] };
    u += 1 + units[u];
    for (let left = runs[r++]; left > 0; left -= 1, r += 4) {
      street.runs.push({ odd: runs[r], first: runs[r + 1], last: runs[r + 1] + runs[r + 2], unit: runs[r + 3] });
    }
    return street;
  });
}
