// The page: puts everything together, and follows what the reader chooses.

const VIEWS = ["change", "after", "before"];

class Page {
  constructor(data) {
    this.data = data;
    this.words = new Words(data);
    this.words.choose(this.guessLanguage());
    this.county = new County(data, this.words);
    this.search = new Search(this.county, this.words);
    this.stage = data.stages[0];
    this.chosen = null;
    const choose = (chosen) => this.choose(chosen);
    this.map = new CountyMap(this.county, this.words, (chosen) => this.choose(chosen, { stay: true }));
    this.card = new Card(this.county, this.words, {
      choose, comment: (chosen) => this.comment(chosen), print: () => window.print(), showMap: () => this.showMap(),
    });
    this.lists = new Lists(this.county, this.words, choose);
    this.form = new CommentForm(data, this.county, this.words, this.search);
    this.finder = new Combo(byId("find-combo"), { id: "find", search: this.search, choose, words: this.words, describedBy: "find-hint" });
    this.finder.onStreet = (units) => this.map.showStreet(units);
    this.buildLanguages();
    this.listenToPrinter();
    this.legendOpens();
    this.speak();
  }

  guessLanguage() {
    const spoken = (navigator.languages || [navigator.language || ""]).map((name) => name.slice(0, 2));
    return spoken.find((name) => this.data.languages.includes(name)) || this.data.languages[0];
  }

  buildLanguages() {
    const root = byId("languages");
    root.hidden = this.data.languages.length < 2;
    root.setAttribute("aria-label", "语言 / Language");
    this.data.languages.forEach((language) => {
      root.append(makeButton("language", this.data.language_names[language], () => {
        this.words.choose(language);
        this.speak();
      }, { lang: language === "zh" ? "zh-CN" : language, "data-language": language }));
    });
  }

  // Writes every word of the page in the language chosen.
  speak() {
    const { words } = this;
    document.documentElement.lang = words.language === "zh" ? "zh-CN" : words.language;
    document.title = `${this.data.title} · ${words.say("kind")}`;
    for (const part of document.querySelectorAll("[data-say]")) part.textContent = words.say(part.dataset.say);
    for (const button of byId("languages").children) button.setAttribute("aria-pressed", String(button.dataset.language === words.language));
    byId("title").textContent = this.data.title;
    for (const [id, key] of [["kind", "kind"], ["byline", "byline"], ["synthetic", "synthetic"], ["draft-word", "draft"], ["map-draft", "draft"], ["foot", "foot"], ["map-note", "map_note"]]) {
      byId(id).textContent = words.say(key);
      byId(id).hidden = !words.say(key);
    }
    byId("draft").hidden = !words.say("draft");
    this.showSteps();
    this.showSwitches();
    this.showTexts();
    this.finder.label();
    this.map.label();
    this.card.show(this.chosen, this.stage);
    this.lists.show(this.stage);
    this.form.show();
    this.showLegend();
  }

  // The steps of the procedure that are still missing.
  showSteps() {
    const { steps } = this.words.texts, list = empty(byId("steps-list"));
    byId("steps").hidden = !steps.length;
    byId("steps-count").textContent = this.words.say("steps_count", { count: this.words.number(steps.length) });
    for (const step of steps) list.append(make("li", "", step));
  }

  showSwitches() {
    this.buildSwitch("views", VIEWS.map((name) => [name, this.words.say(`view_${name}`)]), this.map.view, (view) => {
      this.map.show({ view });
      this.showLegend();
    });
    byId("stages").hidden = this.data.stages.length < 2;
    this.buildSwitch("stages", this.data.stages.map((name) => [name, this.words.say(`stage_${name}`)]), this.stage, (stage) => {
      this.stage = stage;
      this.map.show({ stage });
      this.card.show(this.chosen, stage);
      this.lists.show(stage);
      this.showLegend();
    });
  }

  buildSwitch(id, options, chosen, act) {
    const root = byId(id), old = root.querySelector(".switch-row"), row = make("div", "switch-row");
    if (old) old.remove();
    for (const [name, text] of options) {
      const label = make("label", "switch-option"), input = make("input", "", null, { type: "radio", name: id, value: name });
      input.checked = name === chosen;
      input.addEventListener("change", () => act(name));
      label.append(input, make("span", "", text));
      row.append(label);
    }
    root.append(row);
  }

  showTexts() {
    const { words } = this, method = empty(byId("method-body")), answer = empty(byId("answer-body"));
    const notes = this.data.messages.notes.map((number) => words.sentence(number)).filter(Boolean);
    for (const text of words.texts.method.concat(notes)) method.append(make("p", "", text));
    method.append(make("h3", "", words.say("limits_title")));
    const list = make("ul");
    for (const text of words.texts.limits) list.append(make("li", "", text));
    method.append(list);
    for (const text of words.texts.answer) answer.append(make("p", "", text));
    const facts = make("dl", "pairs");
    for (const [name, value] of words.texts.contacts) facts.append(make("dt", "", name), make("dd", "", value));
    answer.append(facts);
  }

  // What the signs mean; each is painted by what paints the map.
  showLegend() {
    const { words } = this, list = empty(byId("legend-list")), view = this.map.view, shape = SHAPE_OF_STAGE[this.stage] || "circle";
    const item = (key, paint) => {
      const row = make("li"), canvas = make("canvas", "", null, { width: 68, height: 44, "aria-hidden": "true" }), ctx = canvas.getContext("2d");
      ctx.scale(2, 2);
      paint(ctx);
      row.append(canvas, make("span", "", words.say(key)));
      list.append(row);
    };
    const line = (colour, dash, width) => (ctx) => {
      ctx.setLineDash(dash);
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.moveTo(2, 11);
      ctx.lineTo(32, 11);
      ctx.stroke();
    };
    const colour = this.data.colours[0];
    if (view === "change") {
      item("legend_changed", (ctx) => {
        for (const fill of [colour, makePattern(ctx, 8, "rgba(138,47,0,0.8)", 1.3)]) {
          ctx.fillStyle = fill;
          ctx.fillRect(4, 3, 26, 16);
        }
        ctx.strokeStyle = CHANGE;
        ctx.strokeRect(4, 3, 26, 16);
      });
    }
    item(view === "before" ? "legend_zone_before" : "legend_zone", line("#34424f", [], 1.8));
    if (view === "change") item("legend_zone_before", line(BEFORE, [7, 4], 2.2));
    const { zones } = this.county.stages[this.stage];
    if (zones[view === "before" ? "before" : "after"].schools.some((group) => group.length > 1)) {
      item("legend_shared", (ctx) => {
        for (const fill of [colour, makePattern(ctx, 14, "rgba(255,255,255,0.85)", 4)]) {
          ctx.fillStyle = fill;
          ctx.fillRect(4, 3, 26, 16);
        }
      });
    }
    const statuses = new Set(this.map.listSigns().map((sign) => sign.status));
    for (const status of ["same", "changed", "gone", "new"]) {
      if (statuses.has(status)) item(status === "changed" ? "legend_changed_school" : `legend_${status}`, (ctx) => paintSchool(ctx, { status, shape }, 17, 11, 6.5, false));
    }
    if (this.map.borders) item("legend_border", line("#77706a", [9, 3, 2, 3], 1.2));
  }

  // Open where it does not cover the map.
  legendOpens() {
    byId("legend").open = window.innerWidth >= 900;
  }

  // Shows one community or school, on the map and in its card. ``stay``: the reader is on the map already.
  choose(chosen, { stay = false } = {}) {
    this.chosen = chosen;
    this.map.show({ street: [], unit: chosen.kind === "unit" ? chosen.at : -1, school: chosen.kind === "school" ? chosen.at : -1 });
    this.card.show(chosen, this.stage);
    if (!stay) {
      if (chosen.kind === "unit") this.map.follow();
      else this.map.followSchool();
      byId("card").focus({ preventScroll: true });
    }
    byId("told").textContent = chosen.kind === "unit" ? this.tellUnit(chosen.at) : this.county.nameSchool(chosen.at);
    this.reveal(byId("card"));
  }

  // One sentence for whoever does not see the card.
  tellUnit(unit) {
    const stage = this.county.stages[this.stage];
    return `${this.county.nameUnit(unit)}: ${this.words.say(stage.changed[unit] ? "changes_yes" : "changes_no")}`;
  }

  // On a phone the card stands below the map: as much of both as the window holds.
  reveal(element) {
    const box = element.getBoundingClientRect(), high = window.innerHeight;
    if (box.top >= 0 && box.bottom <= high) return;
    if (box.height > high * 0.6) window.scrollBy(0, box.top - high * 0.4);
    else element.scrollIntoView({ block: "nearest" });
  }

  showMap() {
    if (this.chosen && this.chosen.kind === "unit") this.map.follow();
    else if (this.chosen) this.map.followSchool();
    byId("map").scrollIntoView({ block: "nearest" });
    byId("map").focus({ preventScroll: true });
  }

  comment(chosen) {
    this.form.prefill(chosen, this.stage);
    byId("form").scrollIntoView();
    byId("form").focus({ preventScroll: true });
  }

  // The map is painted for paper before the page is set.
  listenToPrinter() {
    window.addEventListener("beforeprint", () => {
      document.body.classList.add("printing");
      byId("legend").open = byId("steps").open = true;
      this.map.resize();
      if (this.chosen) this.showForPaper();
      this.map.printOn(true);
    });
    window.addEventListener("afterprint", () => {
      document.body.classList.remove("printing");
      byId("steps").open = false;
      this.legendOpens();
      this.map.printOn(false);
      this.map.resize();
    });
  }

  showForPaper() {
    if (this.chosen.kind === "unit") this.map.follow();
    else this.map.followSchool();
  }
}

window.buju = new Page(JSON.parse(byId("data").textContent));
document.documentElement.dataset.readyMs = String(Math.round(performance.now()));
