// Selected rows: a sheet of them, what is typical of them, and files to take away.

import {byId, make, drawThumb} from "../../report/page/elements.js";
import {readable} from "../../report/page/numbers.js";

const MOST_SHOWN = 300;
const MOST_TYPICAL = 6;
const LEVELS = 8; // of 255, by which a compressed picture errs
const LONE = /[\ud800-\udbff][\udc00-\udfff]|[\udc80-\udcff]/g;

/** The tray below the map. */
export class Tray {
  /** @param {import("./main.js").Explorer} app */
  constructor(app) {
    Object.assign(this, {app, rows: []});
    new ResizeObserver(() => app.stage.holder.style.setProperty("--tray", `${byId("tray").offsetHeight}px`)).observe(byId("tray"));
    byId("clear").addEventListener("click", () => app.select(null));
    byId("csv").addEventListener("click", () => download("selection.csv", "text/csv", this.csv()));
    byId("list").addEventListener("click", () => download("selection.txt", "text/plain", this.list()));
  }

  /** @param {number[] | null} rows */
  show(rows) {
    const {app} = this;
    this.rows = rows ?? [];
    byId("tray").hidden = rows === null;
    if (rows === null) return;
    byId("n-selected").textContent = `${rows.length.toLocaleString("en")} of ${app.about.n.toLocaleString("en")} rows`;
    byId("counts").replaceChildren(...this.counts());
    byId("typical").replaceChildren(...(rows.length ? this.typical() : []));
    byId("means").hidden = !app.isImage || !rows.length || !app.sprites;
    if (!byId("means").hidden) this.means();
    byId("summary").hidden = byId("means").hidden && !byId("typical").firstChild;
    const score = app.numberNamed("score"), sorted = score ? [...rows].sort((a, b) => score[a] - score[b]) : rows;
    byId("sheet").classList.toggle("of-table", !app.isImage);
    byId("sheet").replaceChildren(...sorted.slice(0, MOST_SHOWN).map(row => this.card(row)));
    byId("sheet-note").textContent = rows.length > MOST_SHOWN ? `The ${MOST_SHOWN} oddest are shown; the files have all.` : rows.length > 1 ? "Oddest first." : "";
  }

  card(row) {
    const {app} = this, button = make("button", "", "card");
    button.type = "button";
    button.title = app.called(row);
    button.dataset.row = row;
    if (app.sprites) {
      const canvas = make("canvas");
      drawThumb(canvas, app.sprites, row);
      button.append(canvas);
    }
    const name = make("span", "", "tail");
    name.append(make("bdi", app.called(row)));
    button.append(name);
    if (app.data.arrays.which) button.append(make("small", this.surprising(row) || "as expected"));
    button.addEventListener("click", () => app.goTo(row));
    return button;
  }

  /** The columns of a row that surprise, a line each. */
  surprising(row) {
    const {app} = this, {columns} = app.about;
    return app.reasons(row).filter(({nats}) => nats > 0)
      .map(({column, own, expected}) => `${columns[column]}: ${app.told(column, own)}, expected ${app.told(column, expected)}`).join("\n");
  }

  /** How many there are of every class, most first. */
  counts() {
    const coloring = this.app.coloring;
    if (coloring?.kind !== "label") return [];
    const counts = new Map();
    for (const row of this.rows) counts.set(coloring.values[row], (counts.get(coloring.values[row]) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]).map(([code, count]) => {
      const chip = make("span", "", "chip"), dot = make("i");
      dot.style.background = this.app.palette[code % this.app.palette.length];
      chip.append(dot, make("bdi", coloring.texts[code]), make("b", count.toLocaleString("en")));
      return chip;
    });
  }

  /** Numbers and categories in which the selection differs most from all other rows, in nats. */
  typical() {
    const isIn = this.app.selected;
    const found = this.app.colorings.filter(coloring => coloring !== this.app.coloring || coloring.kind === "number")
      .map(({name, kind, values, texts}) => ({name, ...(kind === "label" ? shares(values, texts, isIn) : means(values, isIn))}));
    return found.filter(({nats}) => nats > 0.05).sort((a, b) => b.nats - a.nats).slice(0, MOST_TYPICAL).map(({name, inside, others, nats}) => {
      const line = make("tr"), heading = make("th", name);
      heading.scope = "row";
      line.append(heading, make("td", inside), make("td", others), make("td", readable(nats)));
      return line;
    });
  }

  /** Mean pictures of the selection and of all other rows, and where they differ. */
  means() {
    const {sprites, selected, about} = this.app, step = Math.max(1, Math.floor(about.n / 20000)); // of so many some are enough
    const inside = new MeanPicture(sprites), others = new MeanPicture(sprites);
    for (const row of this.rows) inside.add(row);
    for (let row = 0; row < about.n; row += step) if (!selected[row]) others.add(row);
    paintPixels(byId("mean-in"), sprites, inside.colors());
    paintPixels(byId("mean-others"), sprites, others.colors());
    const nats = inside.levels.map((level, i) => divergence(inside.moments(i), others.moments(i)));
    const most = nats.reduce((one, other) => Math.max(one, other), 0);
    paintPixels(byId("differs"), sprites, Array.from(nats, each => Array(3).fill(most ? (255 * Math.log1p(each)) / Math.log1p(most) : 0)));
    byId("most-nats").textContent = `differ by up to ${readable(most)} nats`;
  }

  /** The selected rows with their labels, numbers and codes. */
  csv() {
    const {app} = this, codes = Array.from({length: app.about.n_components}, (_, i) => i);
    const lines = [["id", ...app.colorings.map(({raw}) => raw), ...codes.map(i => `z${i + 1}`)]];
    for (const row of this.rows) {
      const known = app.colorings.map(({kind, values, raw_texts: texts}) => (kind === "label" ? texts[values[row]] : short(values[row])));
      lines.push([app.data.names[row], ...known, ...codes.map(i => short(app.data.arrays.codes[row * codes.length + i]))]);
    }
    return lines.map(line => line.map(quoted).join(",")).join("\n") + "\n";
  }

  /** The names of the selected rows, one per line. */
  list() {
    return this.rows.map(row => this.app.data.names[row]).join("\n") + "\n";
  }
}

/** Sums of pictures, pixel by pixel. */
class MeanPicture {
  /** @param {import("./raster.js").Sprites} sprites */
  constructor(sprites) {
    const area = sprites.width * sprites.height;
    Object.assign(this, {sprites, n: 0, sums: new Float64Array(3 * area), levels: new Float64Array(area), squares: new Float64Array(area)});
  }

  add(row) {
    const {sprites, sums, levels, squares} = this, {width, stride} = sprites;
    this.n++;
    for (let i = 0, start = sprites.start(row); i < levels.length; i++) {
      const pixel = sprites.pixels[start + Math.floor(i / width) * stride + (i % width)];
      const red = pixel & 255, green = (pixel >> 8) & 255, blue = (pixel >> 16) & 255, level = (red + green + blue) / 3;
      sums[3 * i] += red;
      sums[3 * i + 1] += green;
      sums[3 * i + 2] += blue;
      levels[i] += level;
      squares[i] += level * level;
    }
  }

  colors() {
    return Array.from(this.levels, (_, i) => [0, 1, 2].map(channel => this.sums[3 * i + channel] / Math.max(1, this.n)));
  }

  /** Of the brightness of a pixel; it varies by some levels at least, or pixels that are always black would differ infinitely. */
  moments(i) {
    const mean = this.levels[i] / this.n;
    return {mean, variance: Math.max(0, this.squares[i] / this.n - mean * mean) + LEVELS ** 2, n: this.n};
  }
}

/** Pixels onto a canvas of the size of a picture. @param {number[][]} colors */
function paintPixels(canvas, {width, height}, colors) {
  Object.assign(canvas, {width, height});
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  colors.forEach((color, i) => image.data.set([...color, 255], 4 * i));
  context.putImageData(image, 0, 0);
}

/** A number of single precision in as few digits as tell it from all others. */
function short(value) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : value < 0 ? "-inf" : "";
  let digits = 6;
  while (digits < 9 && Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
  return String(Number(value.toPrecision(digits)));
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function moments(values, isIn) {
  let n = 0, sum = 0, squares = 0;
  values.forEach((value, row) => {
    if (!isIn(row) || !Number.isFinite(value)) return;
    n++;
    sum += value;
    squares += value * value;
  });
  const mean = sum / n;
  return {mean, variance: Math.max(0, squares / n - mean * mean), n};
}

/** Means of a selection and of the others, and how far their densities are apart. */
function means(values, isIn) {
  const inside = moments(values, row => isIn[row]), others = moments(values, row => !isIn[row]);
  return {inside: readable(inside.mean), others: readable(others.mean), nats: divergence(inside, others)};
}

/** The class that counts most for the divergence of a selection from the others, with its shares, in nats. */
function shares(values, texts, isIn) {
  const counts = [0, 1].map(() => new Float64Array(texts.length).fill(0.5)), totals = [texts.length / 2, texts.length / 2];
  values.forEach((code, row) => {
    counts[isIn[row]][code]++;
    totals[isIn[row]]++;
  });
  const share = (is, code) => counts[is][code] / totals[is];
  const parts = texts.map((_, code) => share(1, code) * Math.log(share(1, code) / share(0, code)));
  const most = parts.indexOf(Math.max(...parts)), told = is => `${texts[most]} ${Math.round(100 * share(is, most))}\u00a0%`;
  return {inside: told(1), others: told(0), nats: parts.reduce((sum, part) => sum + part, 0)};
}

/** Kullback–Leibler divergence of one normal density from another, in nats. */
function divergence(one, other) {
  if (one.n < 2 || other.n < 2 || !(other.variance > 0)) return 0;
  const ratio = Math.max(one.variance / other.variance, 1e-12);
  return 0.5 * (ratio - 1 - Math.log(ratio) + (one.mean - other.mean) ** 2 / other.variance);
}

/** Let the browser keep a text as a file; bytes of names that are not UTF-8 become what they were. */
function download(name, type, text) {
  const encoder = new TextEncoder(), pieces = [];
  let end = 0;
  for (const {0: found, index} of text.matchAll(LONE)) {
    if (found.length > 1) continue;
    pieces.push(encoder.encode(text.slice(end, index)), Uint8Array.of(found.charCodeAt(0) - 0xdc00));
    end = index + 1;
  }
  pieces.push(encoder.encode(text.slice(end)));
  const link = Object.assign(make("a"), {href: URL.createObjectURL(new Blob(pieces, {type})), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
