// The small panels on the map: what the pointer is on, the layers, the legend. Text is set with textContent only.

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

class Tip {
  constructor(root) {
    this.box = element("div", "tip");
    this.box.hidden = true;
    root.appendChild(this.box);
  }

  show(lines, x, y, size) {
    this.box.replaceChildren(...lines.filter(Boolean).map((line, i) => element("div", i ? "" : "tip-name", line)));
    this.box.hidden = false;
    const { offsetWidth: wide, offsetHeight: high } = this.box;
    this.box.style.left = `${x + 16 + wide > size.x ? Math.max(4, x - wide - 12) : x + 16}px`;
    this.box.style.top = `${y + 14 + high > size.y ? Math.max(4, y - high - 10) : y + 14}px`;
  }

  hide() {
    this.box.hidden = true;
  }
}

class FoldingPanel {
  constructor(root, className, open) {
    this.box = element("details", `panel ${className}`);
    this.box.open = open;
    this.title = element("summary");
    this.body = element("div", "panel-body");
    this.box.append(this.title, this.body);
    for (const kind of ["mousedown", "dblclick", "wheel", "mousemove", "click", "keydown", "touchstart"]) {
      this.box.addEventListener(kind, (event) => event.stopPropagation(), { passive: true });
    }
    root.appendChild(this.box);
  }
}

class LayerPanel extends FoldingPanel {
  constructor(root, onToggle) {
    super(root, "layers", false);
    this.onToggle = onToggle;
    this.text = "";
  }

  update(title, layers, isOn) {
    this.title.textContent = title;
    const rows = layers.flatMap(({ id, label, keys }) => {
      const row = element("label", "layer-row");
      const box = element("input");
      box.type = "checkbox";
      box.checked = isOn(id);
      box.dataset.layer = id;
      box.addEventListener("change", () => this.onToggle(id, box.checked));
      row.append(box, element("span", "", label));
      return keys ? [row, ...keys.map((key) => layerKey(key))] : [row];
    });
    const text = JSON.stringify([title, layers]);
    // Rebuilding would take the keyboard focus away.
    if (text !== this.text) this.body.replaceChildren(...rows);
    this.text = text;
  }
}

// What a line of a layer means: the legend of the roads stands with their switch.
function layerKey(key) {
  const row = element("div", "layer-key");
  row.append(swatch({ kind: "line", ...key }, Math.max(1, globalThis.devicePixelRatio || 1)), element("span", "", key.label));
  return row;
}

function swatch(item, ratio) {
  const wide = item.size ? Math.ceil(item.size * 2 + 8) : 22;
  const canvas = element("canvas", "swatch");
  const high = Math.max(18, item.size ? wide : 0);
  canvas.width = wide * ratio;
  canvas.height = high * ratio;
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${high}px`;
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  if (item.kind === "area") {
    ctx.fillStyle = item.colour === "hatch" ? hatchPattern(ctx) : item.colour;
    ctx.fillRect(2, 3, 18, 12);
    ctx.strokeStyle = "rgba(38,50,61,0.35)";
    ctx.strokeRect(2.5, 3.5, 17, 11);
    if (FILL_MARKS[item.mark]) {
      ctx.fillStyle = FILL_MARKS[item.mark](ctx);
      ctx.fillRect(2, 3, 18, 12);
    } else if (RING_PENS[item.mark]) {
      const [colour, dashes] = RING_PENS[item.mark];
      ctx.strokeStyle = colour;
      ctx.lineWidth = 2.2;
      ctx.setLineDash(item.mark === "ringed" ? [5, 2.5] : dashes);
      ctx.lineCap = item.mark === "circled" ? "round" : "butt";
      ctx.strokeRect(3, 4, 16, 10);
    } else if (item.mark === "lock") {
      paintLock(ctx, 11, 8, true);
    }
  } else if (item.kind === "line") {
    ctx.strokeStyle = item.colour;
    ctx.lineWidth = item.width || 2;
    ctx.beginPath();
    ctx.moveTo(2, 9);
    ctx.lineTo(20, 9);
    ctx.stroke();
  } else {
    paintSymbol(ctx, item, wide / 2, high / 2, item.size || 5.5);
  }
  return canvas;
}

// Classes side by side, each boundary labelled below.
function ramp({ colours, bounds }) {
  const box = element("div", "ramp");
  const cells = element("div", "ramp-cells"), marks = element("div", "ramp-marks");
  for (const colour of colours) {
    const cell = element("i");
    cell.style.background = colour;
    cells.appendChild(cell);
  }
  bounds.forEach((label, i) => {
    const mark = element("span", "", label);
    mark.style.left = `${((i + 1) / colours.length) * 100}%`;
    marks.appendChild(mark);
  });
  box.append(cells, marks);
  const widest = Math.max(0, ...bounds.map((label) => label.length));
  box.style.width = `${colours.length * Math.max(23, widest * 6.5 + 6)}px`;
  return box;
}

// The legend stands below the map, so that it hides nothing.
class Legend {
  constructor(root) {
    this.box = element("div", "legend");
    this.box.setAttribute("role", "group");
    this.text = "";
    root.appendChild(this.box);
  }

  update(title, sections) {
    const text = JSON.stringify([title, sections]);
    if (text === this.text) return;
    this.text = text;
    this.box.setAttribute("aria-label", title);
    const ratio = Math.max(1, globalThis.devicePixelRatio || 1);
    this.box.replaceChildren(...sections.map((section) => {
      const block = element("section");
      if (section.title) block.appendChild(element("h4", "", section.title));
      const row = element("div", "legend-row");
      if (section.ramp) row.appendChild(ramp(section.ramp));
      for (const item of section.items) {
        const entry = element("span", "legend-item");
        entry.append(swatch(item, ratio), element("span", "", item.label));
        row.appendChild(entry);
      }
      block.appendChild(row);
      if (section.note) block.appendChild(element("p", "legend-note", section.note));
      return block;
    }));
  }
}
