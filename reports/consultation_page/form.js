// The comment form: made from its definition; answers are kept here until they are saved or copied by the reader.

class CommentForm {
  constructor(data, county, words, search) {
    Object.assign(this, { data, county, words, search });
    this.root = byId("form-body");
    this.answers = this.begin();
    this.root.addEventListener("submit", (event) => event.preventDefault());
  }

  get spec() {
    return this.data.forms[this.words.language];
  }

  show() {
    empty(this.root);
    this.errors = make("div", "errors", null, { tabindex: "-1", role: "group", "aria-labelledby": "errors-title" });
    this.errors.hidden = true;
    this.root.append(this.errors);
    for (const field of this.spec.fields) this.root.append(this.buildField(field));
    const row = make("p", "buttons");
    row.append(
      makeButton("button", this.words.say("form_save"), () => this.save(), { id: "form-save" }),
      makeButton("button", this.words.say("form_copy"), () => this.copy(), { id: "form-copy" }),
    );
    if (this.mailAddress()) row.append(makeButton("button quiet", this.words.say("form_mail"), () => this.mail(), { id: "form-mail" }));
    row.append(makeButton("button quiet", this.words.say("form_clear"), () => this.clear(), { id: "form-clear" }));
    this.status = make("p", "form-status", "", { role: "status", "aria-live": "polite", id: "form-status" });
    this.copyBox = make("textarea", "copy-box", null, { readonly: "", rows: "8", "aria-label": this.words.say("form_text") });
    this.copyBox.hidden = true;
    this.root.append(row, this.status, this.copyBox);
  }

  idOf(field) {
    return `field-${field.id}`;
  }

  buildField(field) {
    const several = field.kind === "choices" || (field.kind === "choice" && field.options.length > 0);
    const box = make(several ? "fieldset" : "div", `field ${field.kind}`, null, { id: `${this.idOf(field)}-box` });
    const title = `${field.number}. ${field.label}`;
    const label = several ? make("legend") : make("label", "", null, { for: this.inputOf(field) });
    label.append(make("span", "", title), make("span", "mark", ` ${this.words.say(field.required ? "form_required" : "form_optional")}`));
    box.append(label);
    const notes = [];
    if (field.note) notes.push(box.appendChild(make("p", "hint", field.note, { id: `${this.idOf(field)}-note` })).id);
    const error = make("p", "error", "", { id: `${this.idOf(field)}-error` });
    error.hidden = true;
    notes.push(error.id);
    if (several) box.append(this.buildOptions(field));
    else this.addInput(box, field, notes);
    if (several) box.setAttribute("aria-describedby", notes.join(" "));
    box.append(error);
    return box;
  }

  inputOf(field) {
    return field.kind === "community" ? `${this.idOf(field)}-input` : this.idOf(field);
  }

  buildOptions(field) {
    const list = make("div", "options");
    field.options.forEach((option, i) => {
      const id = `${this.idOf(field)}-${i}`, kind = field.kind === "choice" ? "radio" : "checkbox";
      const input = make("input", "", null, { type: kind, name: this.idOf(field), id, value: option.id });
      const given = this.answers[field.id];
      input.checked = field.kind === "choice" ? given === option.id : (given || []).includes(option.id);
      input.addEventListener("change", () => this.noteOption(field, list));
      const label = make("label", "option", null, { for: id });
      label.append(input, make("span", "", option.label));
      list.append(label);
    });
    return list;
  }

  noteOption(field, list) {
    const chosen = Array.from(list.querySelectorAll("input:checked"), (input) => input.value);
    this.note(field, field.kind === "choice" ? chosen[0] : chosen);
  }

  note(field, answer) {
    const none = !answer || answer.length === 0 || (typeof answer === "object" && !Array.isArray(answer) && !answer.name);
    if (none) delete this.answers[field.id];
    else this.answers[field.id] = answer;
    this.tellError(field, "");
    this.status.textContent = "";
  }

  addInput(box, field, notes) {
    if (field.kind === "community") return this.addCommunity(box, field, notes);
    const given = this.answers[field.id];
    let input;
    if (field.kind === "school") {
      input = make("select", "");
      input.append(make("option", "", this.words.say("form_choose"), { value: "" }));
      const order = this.county.schools.ids.map((id, i) => i).sort((a, b) => this.county.nameSchool(a).localeCompare(this.county.nameSchool(b), this.words.locale));
      for (const i of order) input.append(make("option", "", this.county.nameSchool(i), { value: this.county.schools.ids[i] }));
      input.value = given ? given.id : "";
      input.addEventListener("change", () => {
        const at = this.county.schools.ids.indexOf(input.value);
        this.note(field, at < 0 ? null : this.schoolAnswer(at, field));
      });
    } else {
      input = make(field.kind === "long_text" ? "textarea" : "input", "");
      if (field.kind === "long_text") input.rows = Math.min(8, field.lines + 1);
      else input.type = "text";
      input.value = given || "";
      input.addEventListener("input", () => this.note(field, cleanText(input.value)));
      if (field.id === "contact") input.autocomplete = "off";
    }
    input.id = this.idOf(field);
    input.setAttribute("aria-describedby", notes.join(" "));
    if (field.required) input.required = true;
    box.append(input);
    return input;
  }

  schoolAnswer(i, field) {
    return { id: this.county.schools.ids[i], name: this.county.nameSchool(i).slice(0, field.max_length) };
  }

  unitAnswer(i, field) {
    return { id: this.county.units.ids[i], name: this.county.nameUnit(i).slice(0, field.max_length) };
  }

  addCommunity(box, field, notes) {
    const root = make("div", "combo");
    box.append(root);
    const combo = new Combo(root, {
      id: this.idOf(field), search: this.search, kinds: ["unit"], words: this.words, describedBy: notes.join(" "),
      choose: (option) => {
        combo.input.value = this.county.nameUnit(option.at);
        this.note(field, this.unitAnswer(option.at, field));
      },
    });
    combo.onType = (typed) => this.note(field, { name: cleanText(typed).slice(0, field.max_length) });
    combo.input.value = this.answers[field.id] ? this.answers[field.id].name : "";
    combo.label();
  }

  // Fills in what the reader was looking at.
  prefill(chosen, stage) {
    const field = (id) => this.spec.fields.find((item) => item.id === id);
    if (chosen && chosen.kind === "unit") this.answers.community = this.unitAnswer(chosen.at, field("community"));
    if (chosen && chosen.kind === "school") this.answers.school = this.schoolAnswer(chosen.at, field("school"));
    this.answers.stage = stage;
    this.show();
  }

  check() {
    const found = [];
    for (const field of this.spec.fields) {
      const answer = this.answers[field.id], text = typeof answer === "string" ? answer : answer && answer.name ? answer.name : "";
      let problem = "";
      if (field.required && !answer) problem = this.words.say(field.options.length ? "form_missing_choice" : "form_missing");
      else if (field.max_length && text.length > field.max_length) problem = this.words.say("form_long", { count: this.words.number(text.length - field.max_length) });
      else if (/(^|\D)\d{17}[\dXx](\D|$)/.test(text)) problem = this.words.say("form_identity");
      this.tellError(field, problem);
      if (problem) found.push([field, problem]);
    }
    this.showErrors(found);
    return !found.length;
  }

  tellError(field, problem) {
    const error = byId(`${this.idOf(field)}-error`), box = byId(`${this.idOf(field)}-box`);
    error.textContent = problem;
    error.hidden = !problem;
    box.classList.toggle("wrong", Boolean(problem));
    const input = byId(this.inputOf(field));
    if (input) input.setAttribute("aria-invalid", problem ? "true" : "false");
  }

  showErrors(found) {
    empty(this.errors).hidden = !found.length;
    if (!found.length) return;
    const list = make("ul");
    for (const [field, problem] of found) {
      const item = make("li");
      item.append(makeButton("link", this.words.say("form_line", { number: field.number, label: field.label, answer: problem }), () => {
        const target = byId(this.inputOf(field)) || byId(`${this.idOf(field)}-0`);
        target.focus();
      }));
      list.append(item);
    }
    this.errors.append(make("h3", "", this.words.say("form_check"), { id: "errors-title" }), list);
    this.errors.focus();
  }

  // The answer file: see reports/comment_form.py.
  build() {
    const { spec } = this, answers = {}, day = new Date();
    for (const field of spec.fields) if (this.answers[field.id]) answers[field.id] = this.answers[field.id];
    const two = (number) => String(number).padStart(2, "0");
    const written = `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
    return { format: spec.format, version: spec.version, pack_id: spec.pack_id, language: spec.language, written, answers };
  }

  tellAnswer(field, answer) {
    const label = (id) => (field.options.find((option) => option.id === id) || { label: id }).label;
    if (Array.isArray(answer)) return this.words.join(answer.map(label));
    if (typeof answer === "object") return answer.id && answer.id !== answer.name ? `${answer.name} [${answer.id}]` : answer.name;
    return field.options.length ? label(answer) : answer;
  }

  // The same in words, for a message or a letter; the numbers are those of the paper form.
  render() {
    const { spec, words } = this, comment = this.build();
    const lines = [words.say("form_head", { title: spec.title }), words.say("form_pack", { pack: spec.pack_id, day: comment.written })];
    for (const field of spec.fields) {
      const answer = comment.answers[field.id];
      if (answer) lines.push(words.say("form_line", { number: field.number, label: field.label, answer: this.tellAnswer(field, answer) }));
    }
    return lines.join("\n");
  }

  save() {
    if (!this.check()) return;
    const comment = this.build();
    const url = URL.createObjectURL(new Blob([`${JSON.stringify(comment, null, 1)}\n`], { type: "application/json" }));
    const link = make("a", "", null, { href: url, download: `comment_${comment.pack_id}_${comment.written}_${randomLetters()}.json` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 20000);
    this.tell("form_saved", { file: link.download });
  }

  async copy() {
    if (!this.check()) return;
    const text = this.render();
    this.copyBox.value = text;
    this.copyBox.hidden = false;
    let copied = false;
    try {
      await navigator.clipboard.writeText(text);
      copied = true;
    } catch (error) {
      this.copyBox.focus();
      this.copyBox.select();
      copied = document.execCommand("copy");
    }
    this.tell(copied ? "form_copied" : "form_by_hand");
  }

  mailAddress() {
    const address = this.spec.send_to.email || "";
    return /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/.test(address) ? address : "";
  }

  mail() {
    if (!this.check()) return;
    const subject = encodeURIComponent(this.words.say("form_head", { title: this.spec.title }));
    const link = make("a", "", null, { href: `mailto:${this.mailAddress()}?subject=${subject}&body=${encodeURIComponent(this.render())}` });
    link.click();
  }

  tell(key, values) {
    this.status.textContent = "";
    setTimeout(() => (this.status.textContent = `${this.words.say(key, values)} ${this.words.say("form_where")}`), 30);
  }

  // Where there is only one stage, the question is answered.
  begin() {
    return this.data.stages.length === 1 ? { stage: this.data.stages[0] } : {};
  }

  clear() {
    this.answers = this.begin();
    this.show();
    byId("form").focus();
  }
}

// Texts as the definition wants them: no control characters but line ends and tabs.
function cleanText(text) {
  return text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "").trim();
}

// Tells files of one day and one household apart.
function randomLetters() {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from({ length: 4 }, () => letters[Math.floor(Math.random() * letters.length)]).join("");
}
