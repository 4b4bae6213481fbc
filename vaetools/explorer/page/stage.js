// The map: dots, pictures where there is room for them, and what is shaded because no row lies there.

import {Frame, packedColor, mixed} from "./raster.js";

const ROOT = Math.SQRT2; // pictures are chosen anew when the map has grown by so much
const SMALLEST = 21, LARGEST = 84; // CSS pixels of a picture
const MOST_PICTURES = 2600;
const SLOW = 30; // ms of a frame, above which it is drawn coarser while it moves
const SEA = 160; // cells along the longer side of what is shaded

/** Where the window lies on the map. */
export class View {
  constructor() {
    Object.assign(this, {x: 0, y: 0, scale: 1, width: 1, height: 1});
  }

  /** Show all of a map, beside what covers part of the window. */
  fit(low, high, room) {
    const width = high[0] - low[0] || 1, height = high[1] - low[1] || 1;
    this.scale = 0.93 * Math.min((this.width - room.right) / width, (this.height - room.bottom - room.top) / height);
    this.x = (low[0] + high[0]) / 2 + room.right / 2 / this.scale;
    this.y = (low[1] + high[1]) / 2 + (room.top - room.bottom) / 2 / this.scale;
    this.home = this.scale;
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y - (top - this.height / 2) / this.scale];
  }

  pan(right, down) {
    this.x -= right / this.scale;
    this.y += down / this.scale;
  }

  /** Grow by a factor around a place of the window. */
  zoom(factor, left, top) {
    const [x, y] = this.toMap(left, top);
    this.scale = Math.max(this.home / 3, Math.min(this.home * 4000, this.scale * factor));
    const [nowX, nowY] = this.toMap(left, top);
    this.x += x - nowX;
    this.y += y - nowY;
  }
}

/** What draws the map. */
export class Stage {
  /** @param {HTMLElement} holder With the canvases "map", "sea" and "marks". */
  constructor(holder, n) {
    this.view = new View();
    this.frame = new Frame(holder.querySelector("#map"));
    this.sea = holder.querySelector("#sea");
    this.marks = holder.querySelector("#marks");
    this.holder = holder;
    this.order = shuffled(n); // so that no class lies above another
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
      this.shade();
    }
    this.colors = colors;
  }

  resize() {
    this.view.width = this.holder.clientWidth;
    this.view.height = this.holder.clientHeight;
  }

  draw() {
    const started = performance.now(), {view, frame} = this;
    const ratio = this.moving && this.slow ? 1 : Math.min(2, devicePixelRatio);
    frame.resize(Math.round(view.width * ratio), Math.round(view.height * ratio));
    const ground = packedColor(getComputedStyle(this.holder).getPropertyValue("--stage").trim());
    frame.clear(ground);
    const pictures = this.sprites ? this.pictured() : null;
    this.dots(ratio, pictures, ground);
    if (pictures) this.pictures(ratio, pictures, ground);
    frame.show();
    this.placeSea();
    this.slow = performance.now() - started > SLOW;
    this.took = performance.now() - started;
  }

  dots(ratio, pictures, ground) {
    const {view, frame, colors, selected} = this, {places} = this.atlas, n = places.length / 2;
    const grown = Math.min(2.2, (view.scale / view.home) ** 0.3);
    const radius = ratio * Math.max(0.9, Math.min(3.4, 150 / Math.sqrt(n))) * grown * (pictures ? 0.62 : 1);
    const disc = frame.disc(radius), opacity = n > 20000 ? 150 : pictures ? 150 : 215;
    const scale = view.scale * ratio, left = frame.width / 2 - view.x * scale, top = frame.height / 2 + view.y * scale;
    for (let i = 0; i < n; i++) {
      const row = this.order[i], x = left + places[2 * row] * scale, y = top - places[2 * row + 1] * scale;
      if (x < 0 || y < 0 || x > frame.width || y > frame.height || pictures?.rows.has(row)) continue;
      if (selected && !selected[row]) frame.dot(x, y, disc, mixed(colors[row], ground, 190), opacity >> 1);
      else frame.dot(x, y, disc, colors[row], opacity);
    }
  }

  pictures(ratio, pictures, ground) {
    const {view, frame, colors, selected, sprites} = this, {places} = this.atlas, size = Math.round(pictures.size * ratio);
    for (const row of pictures.rows) {
      const [x, y] = view.toScreen(places[2 * row], places[2 * row + 1]), fades = selected && !selected[row];
      const color = fades ? mixed(colors[row], ground, 170) : colors[row];
      const where = frame.picture(x * ratio, y * ratio, size, sprites, row, color, fades ? 90 : 256);
      if (!sprites.ink) frame.edge(where, color);
    }
  }

  /** Rows that are drawn as pictures: no two of them in one cell, of those that are within the window. */
  pictured() {
    const {view, atlas} = this, {places, grid} = atlas;
    const level = Math.floor(Math.log(SMALLEST / view.scale) / Math.log(ROOT)) + 1, cell = ROOT ** level;
    const all = this.level(level, cell), margin = cell / 2;
    const [left, bottom] = view.toMap(0, view.height), [right, top] = view.toMap(view.width, 0);
    const chosen = new Set();
    for (let i = grid.line(bottom - margin); i <= grid.line(top + margin); i++) {
      const start = i * grid.columns;
      for (let at = grid.starts[start + grid.column(left - margin)]; at < grid.starts[start + grid.column(right + margin) + 1]; at++) {
        const row = grid.rows[at], x = places[2 * row], y = places[2 * row + 1];
        if (all[row] && x > left - margin && x < right + margin && y > bottom - margin && y < top + margin) chosen.add(row);
      }
    }
    if (chosen.size > MOST_PICTURES) return null;
    // where few are left they may grow
    const room = 0.45 * Math.sqrt((view.width * view.height) / Math.max(1, chosen.size));
    return {rows: chosen, size: Math.max(cell * view.scale, Math.min(LARGEST, room))};
  }

  /** Which rows are the first of their cell, on a map that is cut so. */
  level(level, cell) {
    if (!this.levels.has(level)) {
      const {places} = this.atlas, taken = new Set(), first = new Uint8Array(places.length / 2);
      for (const row of this.order) {
        const key = Math.floor(places[2 * row] / cell) * 67108864 + Math.floor(places[2 * row + 1] / cell);
        if (taken.has(key)) continue;
        taken.add(key);
        first[row] = 1;
      }
      this.levels.set(level, first);
    }
    return this.levels.get(level);
  }

  /** Shade what is off the map, a line of cells now and then. */
  shade() {
    const {atlas} = this, {low, high} = atlas.grid, margin = 0.4 * Math.max(high[0] - low[0], high[1] - low[1]);
    const width = high[0] - low[0] + 2 * margin, height = high[1] - low[1] + 2 * margin, cell = Math.max(width, height) / SEA;
    const columns = Math.ceil(width / cell), lines = Math.ceil(height / cell);
    Object.assign(this.sea, {width: columns, height: lines});
    Object.assign(this, {seaCorner: [low[0] - margin, high[1] + margin], seaCell: cell});
    const context = this.sea.getContext("2d"), image = context.createImageData(columns, lines);
    let line = 0;
    const some = () => {
      if (atlas !== this.atlas) return;
      for (const started = performance.now(); line < lines && performance.now() - started < 6; line++) {
        for (let column = 0; column < columns; column++) {
          const x = this.seaCorner[0] + (column + 0.5) * cell, y = this.seaCorner[1] - (line + 0.5) * cell;
          image.data[4 * (line * columns + column) + 3] = atlas.isOff(x, y) ? 255 : 0;
        }
      }
      if (line < lines) setTimeout(some);
      else context.putImageData(image, 0, 0);
    };
    setTimeout(some, 50);
  }

  placeSea() {
    const [left, top] = this.view.toScreen(...this.seaCorner), scale = this.seaCell * this.view.scale;
    this.sea.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
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
