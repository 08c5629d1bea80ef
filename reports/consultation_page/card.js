// The card: what the plan means for one community, or for one school.

class Card {
  constructor(county, words, acts) {
    Object.assign(this, { county, words, acts });
    this.root = byId("card");
    this.chosen = null;
  }

  show(chosen, stage) {
    this.chosen = chosen;
    empty(this.root);
    this.root.classList.toggle("empty", !chosen);
    if (!chosen) {
      this.root.append(make("h2", "", this.words.say("card_title"), { id: "card-title" }), make("p", "hint", this.words.say("card_empty")));
    } else if (chosen.kind === "school") this.showSchool(chosen.at, stage);
    else this.showUnit(chosen.at, stage);
  }

  head(kind, name, note) {
    const heading = make("h2", "", null, { id: "card-title" });
    heading.append(make("span", "card-kind", kind), make("span", "card-name", name));
    if (note) heading.append(make("span", "card-town", note));
    this.root.append(heading);
  }

  showUnit(unit, first) {
    const { county, words } = this, stages = county.data.stages;
    this.head(words.say("card_title"), county.nameUnit(unit), county.townOf(unit));
    for (const stage of [first].concat(stages.filter((name) => name !== first))) this.root.append(this.buildStage(unit, stage, stages.length > 1));
    this.root.append(make("p", "hint", words.say("minutes_note")));
    this.foot(words.say("comment_on"));
  }

  buildStage(unit, name, titled) {
    const { county, words } = this, stage = county.stages[name], part = make("div", "stage");
    if (titled) part.append(make("h3", "", words.say(`stage_${name}`)));
    const changed = Boolean(stage.changed[unit]), groups = {};
    for (const side of SIDES) groups[side] = county.waysOf(name, side, unit);
    if (!groups.before.length && !groups.after.length) {
      part.append(make("p", "", words.say("no_school")));
      return part;
    }
    const verdict = make("p", `verdict ${changed ? "changed" : "same"}`);
    verdict.append(make("span", "verdict-sign", changed ? "⇄" : "✓", { "aria-hidden": "true" }), make("span", "", words.say(changed ? "changes_yes" : "changes_no")));
    const sides = make("div", "sides");
    for (const side of SIDES) sides.append(this.buildSide(side, groups, stage, unit));
    part.append(verdict, sides);
    const reason = words.sentence(stage.reason[unit]);
    if (reason) {
      const why = make("p", "why");
      why.append(make("strong", "", `${words.say("why")} `), make("span", "", reason));
      part.append(why);
    }
    return part;
  }

  buildSide(side, groups, stage, unit) {
    const { county, words } = this, box = make("div", `side ${side}`);
    box.append(make(county.data.stages.length > 1 ? "h4" : "h3", "side-title", words.say(side === "before" ? "today" : "proposed")));
    if (!groups[side].length) box.append(make("p", "", words.say("no_school")));
    for (const group of groups[side]) {
      if (group.grades !== "all") box.append(make("p", "grades", words.say(`grades_${group.grades}`)));
      else if (group.ways.length > 1) box.append(make("p", "grades", words.say("several")));
      for (const way of group.ways) {
        const line = make("p", "way");
        line.append(makeButton("link school-name", county.nameSchool(way.school), () => this.acts.choose({ kind: "school", at: way.school })));
        line.append(make("span", "way-time", words.minutes(way.minutes)));
        if (way.metres > 0) line.append(make("span", "way-length", words.distance(way.metres)));
        box.append(line);
      }
      if (side === "after") this.addDifference(box, group, groups.before, stage, unit);
    }
    return box;
  }

  // How much longer or shorter: of the same grades where these part, else of the whole community.
  addDifference(box, group, befores, stage, unit) {
    const parted = group.grades === "all" ? befores.filter((item) => item.grades !== "all") : befores;
    if (!parted.length || (group.grades === "all" && parted.length < befores.length)) {
      this.tellDifference(box, "", stage.before[unit], stage.after[unit]);
      return;
    }
    for (const other of parted) {
      const same = group.grades === other.grades || group.grades === "all" || other.grades === "all";
      if (!same || other.ways.length > 1 || group.ways.length > 1) continue;
      const grades = group.grades === "all" ? this.words.say("for_grades", { grades: this.words.say(`grades_${other.grades}`) }) : "";
      this.tellDifference(box, grades, other.ways[0].minutes, group.ways[0].minutes);
    }
  }

  tellDifference(box, grades, before, after) {
    const text = this.words.difference(before, after);
    if (!text) return;
    const change = this.words.wholeMinutes(after) - this.words.wholeMinutes(before);
    box.append(make("p", `difference ${change > 0 ? "more" : change < 0 ? "less" : "even"}`, `${grades}${text}`));
  }

  showSchool(school, stage) {
    const { county, words } = this;
    this.head(words.say("kind_school"), county.nameSchool(school), county.schools.towns[school]);
    const stages = county.data.stages.filter((name) => county.schoolAt(name, school));
    for (const name of [stage].filter((own) => stages.includes(own)).concat(stages.filter((own) => own !== stage))) {
      this.root.append(this.buildSchool(school, name, county.data.stages.length > 1));
    }
    this.root.append(make("p", "hint", words.say("counts_note")));
    this.foot(words.say("comment_on_school"));
  }

  buildSchool(school, stage, titled) {
    const { county, words } = this, row = county.schoolAt(stage, school), part = make("div", "stage");
    if (titled) part.append(make("h3", "", words.say(`stage_${stage}`)));
    const quiet = row.status === "same";
    const verdict = make("p", `verdict ${quiet ? "same" : "changed"}`);
    verdict.append(make("span", "", this.tellStatus(row)));
    part.append(verdict);
    const table = make("table", "facts"), head = make("tr");
    head.append(make("td", ""), make("th", "", words.say("today"), { scope: "col" }), make("th", "", words.say("proposed"), { scope: "col" }));
    table.append(make("caption", "unseen", county.nameSchool(school)), make("thead"), make("tbody"));
    table.tHead.append(head);
    for (const name of ["places", "classes", "pupils", "roll", "units"]) this.addFact(table.tBodies[0], name, row);
    part.append(table);
    for (const side of SIDES) this.addCommunities(part, stage, side, school);
    return part;
  }

  tellStatus(row) {
    const { words } = this;
    if (row.status === "gone") return row.into ? words.say("merged", { school: row.into }) : words.say("closed");
    if (row.status === "same" && row.changed) return words.say("zone_changes");
    return words.say(`status_${row.status}`);
  }

  addFact(body, name, row) {
    const values = SIDES.map((side) => row[`${name}_${side}`]);
    if (values.every((value) => value === null)) return;
    const line = make("tr");
    line.append(make("th", "", this.words.say(`fact_${name}`), { scope: "row" }));
    for (const value of values) line.append(make("td", "", this.words.count(value)));
    body.append(line);
  }

  addCommunities(part, stage, side, school) {
    const { county, words } = this, units = county.unitsOf(stage, side, school);
    if (!units.length) return;
    const box = make("details", "communities"), list = make("ul");
    box.append(make("summary", "", words.say(`zone_${side}`, { count: words.number(units.length) })), list);
    box.addEventListener("toggle", () => {
      if (!box.open || list.childElementCount) return;
      for (const unit of units) {
        const item = make("li");
        item.append(makeButton("link", county.nameUnit(unit), () => this.acts.choose({ kind: "unit", at: unit })));
        list.append(item);
      }
    });
    part.append(box);
  }

  foot(comment) {
    const row = make("p", "buttons");
    row.append(
      makeButton("button", comment, () => this.acts.comment(this.chosen)),
      makeButton("button quiet", this.words.say("show_map"), () => this.acts.showMap()),
      makeButton("button quiet", this.words.say("print"), () => this.acts.print()),
    );
    this.root.append(row);
  }
}
