// What changes, as tables: the same as the map, for whoever reads instead of looking.

const FIRST_ROWS = 20;

class Lists {
  constructor(county, words, choose) {
    Object.assign(this, { county, words, choose });
    this.root = byId("changes-body");
  }

  show(stage) {
    const { county, words } = this, { totals } = county.stages[stage], changed = county.listChanged(stage);
    empty(this.root);
    if (county.data.stages.length > 1) this.root.append(make("p", "stage-name", words.say(`stage_${stage}`)));
    if (!changed.length) this.root.append(make("p", "", words.say("changes_none")));
    else {
      const numbers = { changed: words.number(totals.changed_units), units: words.number(totals.units), moved: words.count(totals.moved_pupils), all: words.count(totals.pupils) };
      this.root.append(make("p", "lead", words.say("changes_sum", numbers)));
      const ways = { worse: words.count(totals.worse_pupils), better: words.count(totals.better_pupils), same: words.count(totals.same_pupils) };
      this.root.append(make("p", "", words.say("changes_ways", ways)));
    }
    this.addSchools(stage);
    if (changed.length) this.addUnits(stage, changed);
  }

  addTable(title, headings, rows) {
    const box = make("div", "scroll", null, { tabindex: "0", role: "region", "aria-label": title }), table = make("table", "list");
    table.append(make("caption", "", title), make("thead"), make("tbody"));
    const head = make("tr");
    for (const heading of headings) head.append(make("th", "", heading, { scope: "col" }));
    table.tHead.append(head);
    box.append(table);
    this.root.append(box);
    this.fill(table.tBodies[0], rows, box);
  }

  addSchools(stage) {
    const { county, words } = this, { schools } = county.stages[stage];
    const rows = schools.at.filter((at, row) => schools.status[row] !== "same").map((at) => county.schoolAt(stage, at));
    if (!rows.length) return;
    const arrow = (row, name) => {
      const [before, after] = SIDES.map((side) => words.count(row[`${name}_${side}`]));
      if (row.status === "gone" || row.status === "new") return row.status === "new" ? after : before;
      return before === after ? after : `${before} → ${after}`;
    };
    this.addTable(words.say("schools_title"), [words.say("kind_school"), words.say("what"), words.say("fact_places")], rows.map((row) => () => {
      const line = make("tr");
      line.append(this.cell(county.nameSchool(row.at), { kind: "school", at: row.at }), make("td", "", this.tell(row)), make("td", "number", arrow(row, "places")));
      return line;
    }));
  }

  tell(row) {
    return Card.prototype.tellStatus.call({ words: this.words }, row);
  }

  addUnits(stage, changed) {
    const { county, words } = this, { before, after } = county.stages[stage];
    const names = (side, unit) => {
      const found = [];
      for (const group of county.waysOf(stage, side, unit)) for (const { school } of group.ways) if (!found.includes(school)) found.push(school);
      return found.length ? words.join(found.map((school) => county.nameSchool(school))) : words.say("no_school");
    };
    const order = changed.slice().sort((a, b) => county.townOf(a).localeCompare(county.townOf(b)) || a - b);
    const list = make("ul", "moves", null, { tabindex: "-1" });
    const build = (unit) => {
      const item = make("li"), way = make("span", "move-way"), difference = words.difference(before[unit], after[unit]);
      item.append(makeButton("link", county.nameUnit(unit), () => this.choose({ kind: "unit", at: unit })));
      if (county.townOf(unit)) item.append(make("span", "cell-note", county.townOf(unit)));
      way.append(make("span", "", names("before", unit)), make("span", "move-arrow", "→"), make("span", "", names("after", unit)));
      const times = `${words.minutes(before[unit])} → ${words.minutes(after[unit])}`;
      item.append(way, make("span", "move-time", difference ? words.say("times", { times, difference }) : times));
      return item;
    };
    this.root.append(make("h3", "list-title", words.say("units_title")), list);
    this.fill(list, order.map((unit) => () => build(unit)), list);
  }

  // The first rows at once, the others when they are asked for.
  fill(target, rows, focused) {
    const add = (some) => some.forEach((build) => target.append(build()));
    add(rows.slice(0, FIRST_ROWS));
    if (rows.length <= FIRST_ROWS) return;
    const more = makeButton("button quiet", this.words.say("show_all", { count: this.words.number(rows.length) }), () => {
      add(rows.slice(FIRST_ROWS));
      more.remove();
      focused.focus();
    });
    this.root.append(more);
  }

  cell(text, chosen) {
    const cell = make("th", "", null, { scope: "row" });
    cell.append(makeButton("link", text, () => this.choose(chosen)));
    return cell;
  }
}
