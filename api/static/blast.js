// Draws a blast radius that the server has laid out: marks by level, names, and the path of causes to one item.
const TITLE_Y = 13, LINE_Y = 18, LEAST_CROSS = 4, LEAST_DOT = 11;
const TARGET = 1, ALSO = 6;
const COLOURS = ["--bad", "--warn", "--risk", "--risk", "--violet", "--violet"];
const SHAPES = [square, triangle, diamond, diamond, wedge, ring];
const HOLLOW = [false, false, false, true, true, true];
const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif";

const fitted = new Map();

export class Blast {
  constructor(canvas) {
    this.canvas = canvas;
    this.items = [];
    this.path = [];
    this.chosen = null;
    this.pointed = null;
  }

  // Takes what the server laid out, and draws it.
  show(sheet) {
    this.sheet = sheet;
    fitted.clear();
    this.items = sheet.grids.flatMap((grid, of) => grid.items.map((item, number) => place(grid, of, item, number)));
    this.byId = new Map(this.items.map((item) => [item.id, item]));
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = sheet.width * ratio;
    this.canvas.height = sheet.height * ratio;
    this.canvas.style.width = `${sheet.width}px`;
    this.canvas.style.height = `${sheet.height}px`;
    this.pointed = this.chosen = null;
    this.draw();
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    const ratio = this.canvas.width / this.sheet.width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.sheet.width, this.sheet.height);
    this.paint(pen);
  }

  // A picture of its own, at twice the size, on the ground of the page.
  async picture() {
    const canvas = document.createElement("canvas");
    const margin = 16, scale = 2;
    canvas.width = (this.sheet.width + 2 * margin) * scale;
    canvas.height = (this.sheet.height + 2 * margin) * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = colour("--card");
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.translate(margin, margin);
    this.paint(pen);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  paint(pen) {
    const theme = { ink: colour("--ink"), soft: colour("--soft"), line: colour("--line"), card: colour("--card"), accent: colour("--accent"), violet: colour("--violet") };
    for (const column of this.sheet.columns) this.head(pen, column, theme);
    const waypoints = this.waypoints();
    pen.globalAlpha = waypoints.length > 1 ? 0.4 : 1;
    for (const grid of this.sheet.grids) this.title(pen, grid, theme);
    this.marks(pen, theme);
    this.names(pen, theme);
    pen.globalAlpha = 1;
    if (waypoints.length > 1) this.way(pen, waypoints, theme);
    for (const [item, width] of [[this.pointed, 1.5], [this.chosen, 3]]) {
      if (!item) continue;
      pen.strokeStyle = theme.accent;
      pen.lineWidth = width;
      pen.strokeRect(item.x + 0.5, item.y + 0.5, item.width - 1, item.height - 1);
    }
  }

  head(pen, column, theme) {
    pen.fillStyle = theme.soft;
    pen.font = `600 12px ${FONT}`;
    pen.fillText(fitting(pen, `${column.title} · ${column.total.toLocaleString()}`, column.width), column.x, TITLE_Y);
    pen.fillStyle = theme.line;
    pen.fillRect(column.x, LINE_Y, column.width, 1);
  }

  title(pen, grid, theme) {
    const width = this.sheet.columns[grid.column].width;
    pen.fillStyle = theme.ink;
    pen.font = `600 11px ${FONT}`;
    const total = ` ${grid.total.toLocaleString()}`;
    const room = width - pen.measureText(total).width;
    pen.fillText(fitting(pen, grid.title, room) + total, grid.x, grid.y - 5);
    if (!grid.more) return;
    pen.fillStyle = theme.soft;
    pen.font = `11px ${FONT}`;
    pen.fillText(fitting(pen, grid.more.trim(), width), grid.x, grid.y + grid.height - 4);
  }

  // One path for all marks of a kind: two thousand take a few milliseconds.
  marks(pen, theme) {
    SHAPES.forEach((shape, mark) => {
      pen.beginPath();
      for (const item of this.items) if (item.mark === mark) shape(pen, item.cx, item.cy, item.radius);
      pen.fillStyle = pen.strokeStyle = colour(COLOURS[mark]);
      pen.lineWidth = 1.5;
      if (HOLLOW[mark]) pen.stroke();
      else pen.fill();
    });
    pen.beginPath();
    for (const { mark, cx, cy, radius } of this.items) if (mark === 0 && radius >= LEAST_CROSS) cross(pen, cx, cy, radius / 2);
    pen.strokeStyle = theme.card;
    pen.lineWidth = 1.4;
    pen.stroke();
    pen.beginPath();
    for (const { flags, x, cy, size } of this.items) {
      if (flags & ALSO && size >= LEAST_DOT) ring(pen, x + size - 3, cy + size / 2 - 4, 2.5);
    }
    pen.fillStyle = theme.violet;
    pen.fill();
    pen.strokeStyle = theme.ink;
    pen.lineWidth = 1.5;
    for (const { flags, x, cy, size } of this.items) {
      if (flags & TARGET) pen.strokeRect(x + 0.5, cy - size / 2 + 0.5, size - 1, size - 1);
    }
  }

  names(pen, theme) {
    pen.fillStyle = theme.ink;
    pen.font = `12px ${FONT}`;
    pen.textBaseline = "middle";
    for (const item of this.items) {
      if (item.named) pen.fillText(fitting(pen, item.name, item.width - item.size - 8), item.x + item.size + 3, item.cy);
    }
    pen.textBaseline = "alphabetic";
  }

  // Where the path of causes leads through; what is not drawn stands between those that are.
  waypoints() {
    const found = this.path.map(({ id, name }) => ({ name, at: this.byId.get(id) }));
    const drawn = found.flatMap(({ at }, number) => (at ? [number] : []));
    if (!drawn.length) return [];
    return found.map(({ name, at }, number) => {
      if (at) return { name, x: at.cx, y: at.cy, size: at.size, drawn: true };
      const before = drawn.findLast((one) => one < number), after = drawn.find((one) => one > number);
      const from = found[before ?? after].at, to = found[after ?? before].at;
      const share = before === undefined || after === undefined ? 0.5 : (number - before) / (after - before);
      return { name, x: from.cx + (to.cx - from.cx) * share, y: from.cy + (to.cy - from.cy) * share + (from === to ? 30 : 0), size: 10, drawn: false };
    });
  }

  way(pen, points, theme) {
    for (const [width, stroke] of [[6, theme.card], [2.5, theme.accent]]) {
      pen.beginPath();
      points.forEach(({ x, y }, number) => {
        if (!number) return pen.moveTo(x, y);
        const { x: a, y: b } = points[number - 1], middle = (a + x) / 2;
        if (Math.abs(x - a) < 12) pen.quadraticCurveTo(a + 28, (b + y) / 2, x, y);
        else pen.bezierCurveTo(middle, b, middle, y, x, y);
      });
      pen.strokeStyle = stroke;
      pen.lineWidth = width;
      pen.stroke();
    }
    pen.font = `600 12px ${FONT}`;
    for (const point of points) this.stop(pen, point, theme);
  }

  stop(pen, { name, x, y, size, drawn }, theme) {
    pen.beginPath();
    ring(pen, x, y, Math.max(6, size / 2 - 1));
    pen.fillStyle = theme.card;
    if (!drawn) pen.fill();
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 2.5;
    pen.stroke();
    const text = fitting(pen, name, 190), width = pen.measureText(text).width + 10;
    const left = Math.max(0, Math.min(x + size / 2 + 5, this.sheet.width - width));
    const top = Math.max(LINE_Y + 2, Math.min(y - 24, this.sheet.height - 20));
    pen.fillStyle = theme.card;
    pen.fillRect(left, top, width, 18);
    pen.strokeStyle = theme.line;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, top + 0.5, width - 1, 17);
    pen.fillStyle = theme.ink;
    pen.fillText(text, left + 5, top + 13);
  }

  // The item at a place, in the sheet's pixels.
  at(x, y) {
    return this.items.find((item) => x >= item.x && x < item.x + item.width && y >= item.y && y < item.y + item.height) ?? null;
  }

  // The next item that way: nearest along it, and not far beside it.
  beyond(item, dx, dy) {
    let best = null, least = Infinity;
    for (const one of this.items) {
      const along = (one.cx - item.cx) * dx + (one.cy - item.cy) * dy;
      const beside = Math.abs((one.cx - item.cx) * dy) + Math.abs((one.cy - item.cy) * dx);
      if (along > 1 && along + 3 * beside < least) [best, least] = [one, along + 3 * beside];
    }
    return best;
  }
}

function place(grid, of, [id, name, mark, flags], number) {
  const [width, height] = grid.cell;
  const x = grid.x + (number % grid.across) * width, y = grid.y + Math.floor(number / grid.across) * height;
  const size = grid.named ? Math.min(height, 20) : width;
  return { id, name, mark, flags, of, x, y, width, height, size, named: grid.named, cx: x + size / 2, cy: y + height / 2, radius: size / 2 - (grid.named ? 3 : 1.5) };
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// A text, cut in its middle where it has no room: names that begin alike often end in what tells them apart.
function fitting(pen, text, room) {
  const key = `${pen.font} ${Math.round(room)} ${text}`;
  let found = fitted.get(key);
  if (found === undefined) {
    const width = pen.measureText(text).width;
    let left = text.length;
    // A guess by the width of all its letters is right, or a letter or two too long.
    if (width > room) left = Math.max(0, Math.floor((text.length * room) / width));
    while (left && left < text.length && pen.measureText(cut(text, left)).width > room) left--;
    found = left === text.length ? text : cut(text, left);
    fitted.set(key, found);
  }
  return found;
}

function cut(text, left) {
  const tail = Math.floor(left / 2);
  return `${text.slice(0, left - tail)}…${tail ? text.slice(-tail) : ""}`;
}

function square(pen, x, y, r) { pen.rect(x - r, y - r, 2 * r, 2 * r); }
function cross(pen, x, y, r) { pen.moveTo(x - r, y - r); pen.lineTo(x + r, y + r); pen.moveTo(x + r, y - r); pen.lineTo(x - r, y + r); }
function triangle(pen, x, y, r) { pen.moveTo(x, y - r); pen.lineTo(x + r, y + r); pen.lineTo(x - r, y + r); pen.closePath(); }
function wedge(pen, x, y, r) { pen.moveTo(x, y + r); pen.lineTo(x + r, y - r); pen.lineTo(x - r, y - r); pen.closePath(); }
function diamond(pen, x, y, r) { pen.moveTo(x, y - r); pen.lineTo(x + r, y); pen.lineTo(x, y + r); pen.lineTo(x - r, y); pen.closePath(); }
function ring(pen, x, y, r) { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 2 * Math.PI); }
