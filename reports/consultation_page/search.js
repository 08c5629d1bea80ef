// Search by estate, village, town, street, address or school; all on this device.

const MOST_RESULTS = 40;

function simplify(text) {
  return text.normalize("NFKC").toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").normalize("NFC")
    .replace(/[\s·•,，、。.;；:：\-—–_()（）'’"“”#№]/g, "");
}

class Search {
  constructor(county, words) {
    this.county = county;
    this.words = words;
    this.unitKeys = county.units.names.map((name, i) => simplify(name || county.units.ids[i]));
    this.townKeys = county.data.towns.map(simplify);
    this.schoolKeys = county.schools.names.map((name, i) => simplify(name || county.schools.ids[i]));
    this.streetKeys = county.streets.map((street) => simplify(street.name));
  }

  // Options for what was typed: {kind, at, text, note, rank}, the best first.
  find(typed, kinds) {
    const wanted = simplify(typed);
    if (!wanted) return [];
    const found = this.findUnits(wanted);
    if (!kinds || kinds.includes("school")) found.push(...this.findSchools(wanted));
    if (!kinds || kinds.includes("street")) found.push(...this.findStreets(wanted));
    return found.sort((a, b) => b.rank - a.rank || a.order - b.order).slice(0, MOST_RESULTS);
  }

  rate(key, wanted, base) {
    if (key === wanted) return base + 40;
    if (key.startsWith(wanted)) return base + 20;
    return key.includes(wanted) ? base : 0;
  }

  findUnits(wanted) {
    const { county } = this, found = [];
    this.unitKeys.forEach((key, i) => {
      const town = this.townKeys[county.units.towns[i]] || "";
      let rank = this.rate(key, wanted, 60);
      // "Town community" in one, and a town by itself: all its communities.
      if (!rank && town && (town + key).includes(wanted)) rank = town.includes(wanted) ? 20 : 58;
      if (rank) found.push(this.optionOfUnit(i, rank));
    });
    return found;
  }

  optionOfUnit(i, rank, text) {
    const name = this.county.nameUnit(i), town = this.county.townOf(i);
    return {
      kind: "unit", at: i, rank, order: name.length, text: text || name,
      note: text ? this.words.say("in_community", { community: town ? `${name} · ${town}` : name }) : town || this.words.say("kind_community"),
    };
  }

  findSchools(wanted) {
    const found = [];
    this.schoolKeys.forEach((key, i) => {
      const rank = this.rate(key, wanted, 50);
      if (rank) found.push({ kind: "school", at: i, rank, order: key.length, text: this.county.nameSchool(i), note: this.words.say("kind_school") });
    });
    return found;
  }

  // Streets, and house numbers behind or before their names; a street's part of the name will do.
  findStreets(wanted) {
    const found = [];
    this.streetKeys.forEach((key, i) => {
      const street = this.county.streets[i];
      const number = this.readNumber(wanted, key);
      if (number !== null) found.push(...this.listHouses(street, number, key.length));
      else {
        const rank = this.rate(key, wanted, 45);
        if (rank) found.push(this.optionOfStreet(street, i, rank));
      }
    });
    return dropGuesses(found.length ? found : this.findByPart(wanted));
  }

  // The number in "renminlu12hao" or "12mainstreet" for the street of this name; null where there is none.
  readNumber(wanted, key) {
    if (!key || wanted.length <= key.length) return null;
    const after = wanted.startsWith(key) ? /^(?:no|nr|num|第)?(\d{1,5})(?!\d)/.exec(wanted.slice(key.length)) : null;
    const before = wanted.endsWith(key) ? /^(\d{1,5})[a-z]?$/.exec(wanted.slice(0, -key.length)) : null;
    const match = after || before;
    return match ? Number(match[1]) : null;
  }

  findByPart(wanted) {
    const match = /^(.*?\D)(\d{1,5})\D*$/.exec(wanted);
    if (!match || match[1].length < 2) return [];
    const found = [];
    this.streetKeys.forEach((key, i) => {
      if (key.includes(match[1])) found.push(...this.listHouses(this.county.streets[i], Number(match[2]), 0));
    });
    return found;
  }

  listHouses(street, number, length) {
    const here = street.runs.filter((run) => run.odd === number % 2 && run.first <= number && number <= run.last);
    const text = this.words.say("house", { street: street.name, number });
    if (here.length) return here.map((run) => this.optionOfUnit(run.unit, 90 + length, text));
    return street.units.map((unit) => ({ ...this.optionOfUnit(unit, 55 + length, street.name), order: 0, guess: true }));
  }

  optionOfStreet(street, i, rank) {
    const note = this.words.say(street.units.length === 1 ? "street_one" : "street_note", { count: this.words.number(street.units.length) });
    return { kind: "street", at: i, rank, order: street.name.length, text: street.name, note: street.town ? `${street.town} · ${note}` : note };
  }

  unitsOfStreet(i) {
    const street = this.county.streets[i];
    return street.units.map((unit) => this.optionOfUnit(unit, 0, street.name));
  }
}

// Where a house number is known, other streets that it might have meant are not told.
function dropGuesses(options) {
  return options.some((option) => option.kind === "unit" && !option.guess) ? options.filter((option) => !option.guess) : options;
}

// A box to type in with a list below (the combobox of WAI-ARIA): arrows move, Enter chooses, Escape closes.
class Combo {
  constructor(root, { id, search, kinds, choose, describedBy, words }) {
    Object.assign(this, { root, id, search, kinds, onChoose: choose, words });
    this.options = [];
    this.at = -1;
    this.input = make("input", "", null, {
      id: `${id}-input`, type: "text", role: "combobox", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`, enterkeyhint: "search",
    });
    if (describedBy) this.input.setAttribute("aria-describedby", describedBy);
    this.clearer = makeButton("combo-clear", "×", () => this.clear());
    this.list = make("ul", "combo-list", null, { id: `${id}-list`, role: "listbox" });
    this.list.hidden = true;
    this.status = make("p", "unseen", "", { role: "status", "aria-live": "polite" });
    this.none = make("p", "combo-none", "");
    this.none.hidden = true;
    root.append(this.input, this.clearer, this.list, this.none, this.status);
    this.input.addEventListener("input", () => this.type());
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.input.addEventListener("focus", () => this.input.value && this.options.length && this.open());
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 120));
    // The box keeps the focus while an option is pressed.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("li");
      if (row) this.take(Number(row.dataset.at));
    });
    this.label();
  }

  label() {
    this.clearer.setAttribute("aria-label", this.words.say("find_clear"));
    this.clearer.title = this.words.say("find_clear");
    this.list.setAttribute("aria-label", this.words.say("find_results"));
    this.clearer.hidden = !this.input.value;
  }

  type() {
    this.clearer.hidden = !this.input.value;
    this.show(this.search.find(this.input.value, this.kinds));
    if (this.onType) this.onType(this.input.value);
  }

  show(options) {
    this.options = options;
    this.at = -1;
    empty(this.list);
    options.forEach((option, i) => {
      const row = make("li", `combo-row ${option.kind}`, null, { role: "option", id: `${this.id}-${i}`, "aria-selected": "false" });
      row.dataset.at = i;
      row.append(make("span", "combo-text", option.text), make("span", "combo-note", option.note));
      this.list.append(row);
    });
    const typed = this.input.value.trim();
    this.none.textContent = typed && !options.length ? this.words.say("find_none", { text: typed }) : "";
    this.none.hidden = !this.none.textContent;
    this.status.textContent = !typed ? "" : options.length ? this.words.say("find_count", { count: this.words.number(options.length) }) : this.none.textContent;
    if (options.length) this.open();
    else this.close();
  }

  open() {
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  press(event) {
    if (event.isComposing) return;
    const last = this.options.length - 1;
    if (event.key === "Escape") {
      if (this.list.hidden) this.clear();
      else this.close();
    } else if (event.key === "Enter") {
      if (this.options.length && !this.list.hidden) this.take(Math.max(0, this.at));
    } else if (event.key === "ArrowDown" && last >= 0) this.move(this.list.hidden || this.at >= last ? 0 : this.at + 1);
    else if (event.key === "ArrowUp" && last >= 0) this.move(this.at <= 0 ? last : this.at - 1);
    else return;
    event.preventDefault();
  }

  move(to) {
    this.open();
    const rows = this.list.children;
    if (rows[this.at]) rows[this.at].setAttribute("aria-selected", "false");
    this.at = to;
    rows[to].setAttribute("aria-selected", "true");
    rows[to].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", rows[to].id);
  }

  // A street leads on to its communities; anything else is an answer.
  take(i) {
    const option = this.options[i];
    if (!option) return;
    this.input.value = option.text;
    this.clearer.hidden = false;
    if (option.kind === "street") {
      const units = this.search.unitsOfStreet(option.at);
      if (units.length > 1) {
        if (this.onStreet) this.onStreet(units.map((unit) => unit.at));
        this.show(units);
        this.input.focus();
        return;
      }
      this.close();
      this.onChoose(units[0]);
      return;
    }
    this.close();
    this.onChoose(option);
  }

  clear() {
    this.input.value = "";
    this.type();
    this.input.focus();
  }
}
