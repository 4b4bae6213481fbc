// The map: dots, pictures where there is room for them, and what is shaded because no row lies there.

import {Frame, packedColor, mixed} from "./raster.js";
import {View} from "./view.js";

const ROOT = Math.SQRT2; // pictures are chosen anew where the map has grown by so much
const SMALLEST = 22, LARGEST = 84; // CSS pixels of a picture
const INK_SIZE = 1.35; // of the room that a picture has: ink leaves most of its ground free
const MOST_PICTURES = 2600, ENOUGH = 160;
const SLOW = 30; // ms of a frame, above which it is drawn coarser while it moves
const SEA = 160; // cells along the longer side of what is shaded

/** What draws the map. */
export class Stage {
  /** @param {HTMLElement} holder With the canvas "map". @param {number} n Rows. @param {() => void} shaded What to do when all is shaded. */
  constructor(holder, n, shaded) {
    this.shaded = shaded;
    this.view = new View();
    this.frame = new Frame(holder.querySelector("#map"));
    this.holder = holder;
    this.order = shuffled(n); // so that no class lies above another
    this.opacities = new Uint8Array(n);
    this.levels = new Map();
    this.sprites = null;
    this.selected = null; // one byte per row
    this.moving = false;
    this.slow = false;
  }

  /** @param {import("./latent.js").Atlas} atlas @param {Int32Array} colors One per row. */
  show(atlas, colors) {
    if (atlas !== this.atlas) {
      this.levels.clear();
      this.atlas = atlas;
      this.ordered = new Float32Array(2 * this.order.length);
      for (let i = 0; i < this.ordered.length; i++) this.ordered[i] = atlas.places[2 * this.order[i >> 1] + (i & 1)];
      this.shade();
    }
    this.colors = colors;
    this.orderedColors = Int32Array.from(this.order, row => colors[row]);
  }

  resize() {
    this.view.width = this.holder.clientWidth;
    this.view.height = this.holder.clientHeight;
  }

  draw() {
    const started = performance.now(), {view, frame} = this;
    const ratio = this.moving && this.slow ? 1 : Math.min(2, devicePixelRatio);
    frame.resize(Math.round(view.width * ratio), Math.round(view.height * ratio));
    const style = getComputedStyle(this.holder), color = name => packedColor(style.getPropertyValue(name).trim()), ground = color("--stage");
    if (this.sea) this.drawSea(ratio, ground, color("--sea"));
    else frame.clear(ground);
    const pictures = this.sprites ? this.pictured() : null;
    this.dots(ratio, pictures);
    if (pictures) this.pictures(ratio, pictures, ground);
    this.slow = performance.now() - started > SLOW;
    this.took = performance.now() - started;
  }

  dots(ratio, pictures) {
    const {view, frame} = this, n = this.order.length;
    const grown = Math.min(2.2, (view.scale / view.home) ** 0.3);
    const radius = ratio * Math.max(0.9, Math.min(3.4, 150 / Math.sqrt(n))) * grown * (pictures ? 0.62 : 1);
    const opacity = n > 20000 || pictures ? 150 : 215;
    let opacities = null;
    if (this.selected || pictures) {
      opacities = this.opacities;
      for (let i = 0; i < n; i++) {
        const row = this.order[i];
        opacities[i] = pictures?.rows.has(row) ? 0 : this.selected && !this.selected[row] ? opacity / 5 : opacity;
      }
    }
    const scale = view.scale * ratio, place = {left: frame.width / 2 - view.x * scale, top: frame.height / 2 + view.y * scale, scale};
    frame.dots(this.ordered, this.orderedColors, opacities, opacity, frame.disc(radius), place);
  }

  pictures(ratio, pictures, ground) {
    const {view, frame, colors, selected, sprites} = this, {places} = this.atlas, size = Math.round(pictures.size * ratio * (sprites.ink ? INK_SIZE : 1));
    for (const row of pictures.rows) {
      const [x, y] = view.toScreen(places[2 * row], places[2 * row + 1]), fades = selected && !selected[row];
      const color = fades ? mixed(colors[row], ground, 170) : colors[row];
      const where = frame.picture(x * ratio, y * ratio, size, sprites, row, color, fades ? 90 : 256);
      if (!sprites.ink) frame.edge(where, color);
    }
  }

  /** Rows within the window that are drawn as pictures, and how large: so large that enough of them have room. */
  pictured() {
    const {scale} = this.view, rows = this.visible(), enough = Math.min(ENOUGH, 0.8 * rows.length);
    const least = Math.ceil(Math.log(SMALLEST / scale) / Math.log(ROOT));
    for (let level = Math.floor(Math.log(LARGEST / scale) / Math.log(ROOT)); level >= least; level--) {
      const size = ROOT ** level, all = this.level(level, size), chosen = rows.filter(row => all[row]);
      if (chosen.length >= enough || level === least) return chosen.length > MOST_PICTURES ? null : {rows: new Set(chosen), size: size * scale};
    }
    return null;
  }

  /** Rows within the window. */
  visible() {
    const {view, atlas} = this, {grid} = atlas, found = [];
    const [left, bottom] = view.toMap(0, view.height), [right, top] = view.toMap(view.width, 0);
    if (right < grid.low[0] || left > grid.high[0] || top < grid.low[1] || bottom > grid.high[1]) return found;
    for (let i = grid.line(bottom); i <= grid.line(top); i++) {
      const start = i * grid.columns;
      for (let at = grid.starts[start + grid.column(left)]; at < grid.starts[start + grid.column(right) + 1]; at++) found.push(grid.rows[at]);
    }
    return found;
  }

  /** Which rows are drawn as pictures of a size: each in turn that no earlier one overlaps. */
  level(level, size) {
    if (!this.levels.has(level)) {
      const {places} = this.atlas, taken = new Map(), chosen = new Uint8Array(places.length / 2);
      const key = (column, line) => column * 67108864 + line;
      for (const row of this.order) {
        const x = places[2 * row], y = places[2 * row + 1], column = Math.floor(x / size), line = Math.floor(y / size);
        if (taken.has(key(column, line))) continue; // no two that do not overlap share a cell of this size
        let isFree = true;
        for (let i = column - 1; isFree && i <= column + 1; i++) {
          for (let j = line - 1; isFree && j <= line + 1; j++) {
            const other = taken.get(key(i, j));
            isFree = other === undefined || Math.max(Math.abs(places[2 * other] - x), Math.abs(places[2 * other + 1] - y)) >= size;
          }
        }
        if (!isFree) continue;
        taken.set(key(column, line), row);
        chosen[row] = 1;
      }
      this.levels.set(level, chosen);
    }
    return this.levels.get(level);
  }

  /** Find out what is off the map, a line of cells now and then. */
  shade() {
    const {atlas} = this, {low, high} = atlas.grid, margin = 0.4 * Math.max(high[0] - low[0], high[1] - low[1]) || 1;
    const width = high[0] - low[0] + 2 * margin, height = high[1] - low[1] + 2 * margin, cell = Math.max(width, height) / SEA;
    const sea = {columns: Math.ceil(width / cell), lines: Math.ceil(height / cell), left: low[0] - margin, top: high[1] + margin, cell};
    sea.levels = new Uint8Array(sea.columns * sea.lines);
    this.sea = null;
    let line = 0;
    const some = () => {
      if (atlas !== this.atlas) return;
      for (const started = performance.now(); line < sea.lines && performance.now() - started < 6; line++) {
        for (let column = 0; column < sea.columns; column++) {
          const isOff = atlas.isOff(sea.left + (column + 0.5) * cell, sea.top - (line + 0.5) * cell);
          sea.levels[line * sea.columns + column] = isOff ? 255 : 0;
        }
      }
      if (line < sea.lines) return void setTimeout(some);
      this.sea = sea;
      this.shaded();
    };
    setTimeout(some, 50);
  }

  drawSea(ratio, ground, color) {
    const {view, frame, sea} = this, [left, top] = view.toScreen(sea.left, sea.top);
    const shades = Int32Array.from({length: 256}, (_, i) => mixed(ground, color, i));
    frame.shade(sea, {left: left * ratio, top: top * ratio, cell: sea.cell * view.scale * ratio}, shades);
  }
}

/** Numbers from 0 in an order that is the same every time. */
function shuffled(n) {
  const order = Uint32Array.from({length: n}, (_, i) => i);
  let state = 1;
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
