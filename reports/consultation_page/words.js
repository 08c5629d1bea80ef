// The reader's language: words, numbers, and the sentences that came from the plan.

class Words {
  constructor(data) {
    this.data = data;
    this.choose(data.languages[0]);
  }

  choose(language) {
    this.language = language;
    this.texts = this.data.texts[language];
    this.locale = language === "zh" ? "zh-CN" : "en-GB";
    this.numbers = new Intl.NumberFormat(this.locale, { maximumFractionDigits: 1 });
  }

  // Fills the named places of a sentence; what is filled in is never read again.
  fill(template, values) {
    return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  say(key, values) {
    const text = this.texts[key];
    return values ? this.fill(text, values) : text;
  }

  number(value) {
    return value === null || value === undefined ? "–" : this.numbers.format(value);
  }

  count(value) {
    return value === "hidden" ? this.texts.hidden : this.number(value);
  }

  join(parts) {
    return parts.join(this.language === "zh" ? "、" : ", ");
  }

  // Whole minutes, halves upwards, at least one: as every document of the pack says them. ``tenths``: minutes × 10.
  wholeMinutes(tenths) {
    return Math.max(1, Math.floor(tenths / 10 + 0.5));
  }

  minutes(tenths) {
    return tenths < 0 ? "–" : this.say("minutes", { minutes: this.number(this.wholeMinutes(tenths)) });
  }

  difference(before, after) {
    if (before < 0 || after < 0) return "";
    const change = this.wholeMinutes(after) - this.wholeMinutes(before);
    if (!change) return this.say("as_long");
    return this.say(change > 0 ? "longer" : "shorter", { minutes: this.number(Math.abs(change)) });
  }

  distance(metres) {
    if (metres < 0) return "";
    return metres < 950 ? this.say("metres", { number: this.number(metres) }) : this.say("kilometres", { number: this.number(metres / 1000) });
  }

  // A sentence of the plan: [template, value, …].
  sentence(number) {
    return number < 0 ? "" : this.build(this.data.messages.sentences[number]);
  }

  build(part) {
    if (typeof part === "string") return part;
    if (!Array.isArray(part)) return this.join(part.list.map((item) => this.build(item)));
    const { names, templates } = this.data.messages, values = {};
    names[part[0]].forEach((name, i) => (values[name] = this.build(part[i + 1])));
    return this.fill(templates[this.language][part[0]], values);
  }
}

// Elements, always by textContent: no text of the data is ever read as markup.
function make(tag, className, text, attributes) {
  const found = document.createElement(tag);
  if (className) found.className = className;
  if (text !== undefined && text !== null) found.textContent = text;
  for (const name of Object.keys(attributes || {})) found.setAttribute(name, attributes[name]);
  return found;
}

function makeButton(className, text, act, attributes) {
  const button = make("button", className, text, { type: "button", ...(attributes || {}) });
  button.addEventListener("click", act);
  return button;
}

function empty(element) {
  while (element.firstChild) element.removeChild(element.firstChild);
  return element;
}

function byId(id) {
  return document.getElementById(id);
}
