// What is drawn: the zones that the server knows, and on top of them the strokes that it has not applied yet.

const NO_ZONE = -1;

class Drawing {
  constructor() {
    this.id = "";
    this.forget();
  }

  forget() {
    this.pending = [];
    this.current = null;
    this.server = null;
    this.zone = new Int32Array(0);
    this.locked = new Uint8Array(0);
    this.marks = {};
    this.seq = 0;
  }

  // Takes in a run's answer. Returns the units that look different now, or null when that may be all of them.
  async take(edit, table) {
    const [whole, locks, marks] = await Promise.all([
      edit.zone.whole ? inflate(edit.zone.whole) : null,
      inflate(edit.locked),
      Promise.all(Object.entries(edit.marks).map(async ([name, bits]) => [name, await inflate(bits)])),
    ]);
    const fresh = edit.drawing !== this.id || !this.server;
    if (edit.drawing !== this.id) this.forget();
    this.id = edit.drawing;
    this.edit = edit;
    this.table = table;
    this.takeZones(edit.zone, whole);
    this.serverLocked = readBits(locks, this.server.length);
    this.marks = Object.fromEntries(marks.map(([name, bits]) => [name, listBits(bits, this.server.length)]));
    this.pending = this.pending.filter((stroke) => stroke.seq > edit.ack);
    this.seq = Math.max(this.seq, edit.ack);
    const [zone, locked] = [this.zone, this.locked];
    this.rebase();
    return fresh || zone.length !== this.zone.length ? null : this.listChanged(zone, locked);
  }

  takeZones({ changed, zones }, whole) {
    if (whole) this.server = whole;
    else if (!this.server) this.server = new Int32Array(0);
    else {
      const units = unpackBytes(changed, Uint32Array), values = unpackBytes(zones, Int32Array);
      this.server = this.server.slice();
      units.forEach((unit, i) => (this.server[unit] = values[i]));
    }
  }

  // Whether the zones held here are those of the server; else they are asked for again.
  get isSound() {
    let sum = 0;
    for (let i = 0; i < this.server.length; i += 1) sum += (this.server[i] + 2) * ((i % 997) + 1);
    return sum === this.edit.check;
  }

  listChanged(zone, locked) {
    const found = [];
    for (let i = 0; i < this.zone.length; i += 1) if (zone[i] !== this.zone[i] || locked[i] !== this.locked[i]) found.push(i);
    return found;
  }

  rebase() {
    this.zone = this.server.slice();
    this.locked = this.serverLocked.slice();
    for (const stroke of this.pending) this.lay(stroke.action, stroke.units, stroke.zone);
    if (this.current) this.lay(this.current.action, this.current.units, this.current.zone);
  }

  // Applies a stroke to what is shown; returns the units that it changed. Locked units are not given away.
  lay(action, units, zone) {
    const changed = [];
    for (const unit of units) {
      if (action === "give" && !this.locked[unit] && this.zone[unit] !== zone) {
        this.zone[unit] = zone;
        changed.push(unit);
      } else if ((action === "lock" || action === "unlock") && this.locked[unit] !== Number(action === "lock")) {
        this.locked[unit] = Number(action === "lock");
        changed.push(unit);
      }
    }
    return changed;
  }

  // A stroke that grows while the pointer is down.
  begin(action, zone) {
    this.current = { action, zone, units: [], kept: [], seen: new Set() };
  }

  extend(units) {
    const { current } = this;
    if (!current) return [];
    const added = units.filter((unit) => !current.seen.has(unit));
    for (const unit of added) current.seen.add(unit);
    if (current.action === "give") current.kept.push(...added.filter((unit) => this.locked[unit]));
    const changed = this.lay(current.action, added, current.zone);
    current.units.push(...changed);
    return changed;
  }

  // Ends the stroke; returns it, also when it changed nothing.
  finish() {
    const stroke = this.current;
    this.current = null;
    if (stroke && stroke.units.length) this.note(stroke.action, stroke.units, stroke.zone);
    return stroke;
  }

  cancel() {
    const [zone, locked] = [this.zone, this.locked];
    this.current = null;
    this.rebase();
    return this.listChanged(zone, locked);
  }

  note(action, units = [], zone = NO_ZONE) {
    this.seq += 1;
    this.pending.push({ seq: this.seq, action, units, zone });
  }

  // Everything that the server has not applied goes with every message, so that nothing is lost on the way.
  send(component) {
    component.setStateValue("strokes", {
      drawing: this.id,
      have: this.edit.revision,
      list: this.pending.map(({ seq, action, units, zone }) => ({ seq, action, zone, units: packUnits(units) })),
    });
  }
}

function packUnits(units) {
  const bytes = new Uint8Array(Uint32Array.from(units).buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

function readBits(words, count) {
  const bits = new Uint8Array(count);
  for (let i = 0; i < count; i += 1) bits[i] = (words[i >> 5] >>> (i & 31)) & 1;
  return bits;
}

function listBits(words, count) {
  const found = [];
  for (let i = 0; i < count; i += 1) if ((words[i >> 5] >>> (i & 31)) & 1) found.push(i);
  return found;
}
