// The page as a whole: what is looked at, picked and selected, and who has to show it.

import {readPayload} from "./payload.js";
import {Decoder} from "./decoder.js";
import {Atlas, nearestCodes} from "./latent.js";
import {Rows} from "./rows.js";
import {paint} from "./colors.js";
import {Sprites} from "./raster.js";
import {Stage} from "./stage.js";
import {byId} from "../../report/page/elements.js";
import {Lens, N_NEAR} from "./lens.js";
import {Sliders} from "./sliders.js";
import {Given} from "./given.js";
import {Strips} from "./strips.js";
import {Tray} from "./selection.js";
import {makeControls, showLegend} from "./controls.js";
import {listen} from "./pointer.js";
import {Wanderer} from "./wanderer.js";
import {drawMarks} from "./marks.js";
import {hear, tell} from "./host.js";

const REACH = 22; // pixels from which a row is pointed at

/** A latent space that answers. */
export class Explorer extends Rows {
  /** @param {import("./payload.js").Data} data */
  constructor(data) {
    super(data);
    const {about, arrays} = data;
    Object.assign(this, {palette: about.colors, picked: [], selected: null, ringed: [], loops: false, loop: null});
    this.decoder = new Decoder(data);
    this.stage = new Stage(byId("stage"), about.n, () => this.moved());
    const plane = arrays.axes ? {center: arrays.center, axes: arrays.axes} : null;
    this.made = new Atlas(arrays.places, arrays.codes, about.n_components, plane);
    this.code = new Float32Array(about.n_components);
    this.lens = new Lens(this);
    this.sliders = new Sliders(this);
    this.given = new Given(this);
    this.strips = new Strips(this);
    this.tray = new Tray(this);
    makeControls(this);
    listen(this);
    new ResizeObserver(() => this.resized()).observe(this.stage.holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.moved());
    this.strips.between([]);
    this.colorBy(0);
    this.useMap(null);
    this.wanderer = new Wanderer(this);
  }

  // Labels to decode as

  /** The label that a code is decoded as: the chosen one, or that of most rows around it. */
  labelFor(near, weights) {
    const chosen = byId("label").value;
    if (!this.about.classes.length || chosen === "all") return null;
    if (chosen !== "auto") return Number(chosen);
    if (!this.classes) return null;
    const votes = new Float64Array(this.about.classes.length);
    near.forEach(({row}, i) => { votes[this.classes[row]] += weights ? weights[i] : 1 / (i + 1); });
    return votes.indexOf(Math.max(...votes));
  }

  /** The label of a draw: the chosen one, or by how frequent they are. */
  drawnLabel() {
    const chosen = byId("label").value, {class_prior: prior} = this.about;
    if (!prior.length || chosen === "all") return null;
    if (chosen !== "auto") return Number(chosen);
    let left = Math.random();
    return Math.max(0, prior.findIndex(share => (left -= share) < 0));
  }

  // What is looked at

  /** Look at a place of the window: decode it, unless something is pinned. */
  look(place, always = false) {
    this.cursor = place;
    if (this.pinned && !always) return this.mark();
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.lookAt(...this.stage.view.toMap(...this.cursor));
    });
    return undefined;
  }

  /** Decode a place of the map. */
  lookAt(x, y) {
    const {code, near, weights, isOff} = this.atlas.at(x, y);
    const [left, top] = this.stage.view.toScreen(x, y), row = near[0].row;
    const [rowLeft, rowTop] = this.stage.view.toScreen(this.atlas.places[2 * row], this.atlas.places[2 * row + 1]);
    this.pointed = Math.hypot(rowLeft - left, rowTop - top) < REACH ? row : null;
    this.setCode(code, {place: [x, y], near, weights, isOff});
  }

  /** Show a code; where it lies on the map is known, or looked for. */
  setCode(code, where = null) {
    this.code = code;
    this.where = where;
    const close = nearestCodes(this.data.arrays.codes, code, N_NEAR);
    const label = where ? this.labelFor(where.near, where.weights) : this.labelFor(close, null);
    const place = where?.place ?? this.atlas.placeOf(code);
    const isOff = where ? where.isOff : this.atlas.isOff(...place);
    this.place = place;
    if (!where) this.pin();
    // of a place on the map the row there comes first
    const near = where && this.pointed !== null ? [{row: this.pointed}, ...close.filter(({row}) => row !== this.pointed)].slice(0, N_NEAR) : close;
    this.shownLabel = label;
    this.expected = this.decoder.isThere ? this.decoder.decode(code, label) : null;
    byId("as-which").textContent = label === null || byId("label").value !== "auto" ? "" : this.about.classes[label];
    this.lens.show({made: this.expected, near, isOff});
    this.lens.hang(this.stage.view.toScreen(...place), isOff);
    this.sliders.show(code);
    this.mark();
  }

  pin() {
    this.pinned = true;
    byId("unpin").hidden = false;
  }

  unpin() {
    this.pinned = false;
    byId("unpin").hidden = true;
    this.mark();
  }

  /** A click: hold on to the row or the place. */
  click(place) {
    this.cursor = place;
    this.lookAt(...this.stage.view.toMap(...place));
    if (this.pointed === null) this.pinned ? this.unpin() : this.pin();
    else this.pick(this.pointed);
  }

  /** Pick a row: the first and the second are the ends of a way. */
  pick(row) {
    this.picked = this.picked.length === 1 && this.picked[0] !== row ? [this.picked[0], row] : [row];
    this.showRow(row);
    this.strips.between(this.picked);
  }

  unpick() {
    this.picked = [];
    this.strips.between([]);
    this.mark();
  }

  showRow(row) {
    const {places} = this.atlas;
    this.pointed = row;
    this.given.take(row);
    this.pin();
    const [x, y] = [places[2 * row], places[2 * row + 1]];
    this.setCode(Float32Array.from(this.codeOf(row)), {place: [x, y], near: [{row}], weights: [1], isOff: this.atlas.isOff(x, y)});
  }

  /** Bring a row into the middle, and show it. */
  goTo(row) {
    const {view} = this.stage, {places} = this.atlas;
    view.x = places[2 * row] + this.room().right / 2 / view.scale;
    view.y = places[2 * row + 1];
    this.showRow(row);
    this.moved();
  }

  left() {
    if (!this.pinned) this.lens.hang(null);
  }

  /** Somebody is there: the page stops showing itself. */
  touched() {
    this.wanderer.stop();
    byId("hint").hidden = true;
  }

  // What is selected

  /** @param {number[] | null} rows @param {boolean} isTold Who shows the page knows it already. */
  select(rows, isTold = false) {
    this.selected = rows && new Uint8Array(this.about.n);
    for (const row of rows ?? []) this.selected[row] = 1;
    this.selection = rows;
    this.stage.selected = this.selected;
    this.tray.show(rows);
    if (rows?.length) this.uncover(rows);
    if (!isTold) tell(rows ?? []);
    this.moved();
  }

  /** Move the map so that the tray does not hide what is selected. */
  uncover(rows) {
    const {view, holder} = this.stage, {places} = this.atlas, free = byId("tray").getBoundingClientRect().top - holder.getBoundingClientRect().top;
    const middle = rows.reduce((sum, row) => sum + view.toScreen(0, places[2 * row + 1])[1], 0) / rows.length;
    if (middle > free - 40 && free < view.height) view.pan(0, free / 2 - middle);
  }

  setLoops(are) {
    this.loops = are;
    byId("loop").setAttribute("aria-pressed", String(are));
    this.stage.holder.classList.toggle("loops", are);
  }

  drawLoop(loop) {
    this.loop = loop;
    this.mark();
  }

  selectLoop(loop) {
    this.loop = null;
    this.setLoops(false);
    const rows = this.atlas.grid.within(loop.map(place => this.stage.view.toMap(...place)));
    this.select(rows.length ? rows : null);
  }

  highlight(rows) {
    this.ringed = rows;
    this.mark();
  }

  escape() {
    if (this.loops) this.setLoops(false);
    else if (this.selected) this.select(null);
    else this.unpin();
  }

  // How it is shown

  colorBy(which) {
    this.coloring = this.colorings[which] ?? null;
    this.painted = paint(this.coloring, this.palette, this.about.n);
    showLegend(this, this.painted);
    if (this.atlas) this.stage.show(this.atlas, this.painted.colors);
    if (this.selection) this.tray.show(this.selection);
    this.moved();
  }

  /** Show the map that Python made, or two latent dimensions. */
  useMap(components) {
    if (!components) {
      this.atlas = this.made;
    } else {
      const {codes} = this.data.arrays, n = this.about.n_components, places = new Float32Array(2 * this.about.n);
      const axes = new Float64Array(2 * n);
      components.forEach((component, i) => {
        axes[i * n + component] = 1;
        for (let row = 0; row < this.about.n; row++) places[2 * row + i] = codes[row * n + component];
      });
      this.atlas = new Atlas(places, codes, n, {center: new Float64Array(n), axes});
    }
    this.stage.show(this.atlas, this.painted.colors);
    if (this.stage.view.width > 1) this.fit();
  }

  /** What covers part of the map. */
  room() {
    const [box, bar, panel] = ["stage", "bar", "panel"].map(id => byId(id).getBoundingClientRect());
    const isBeside = panel.left > box.left && panel.top < box.bottom && panel.left < box.right;
    return {right: isBeside ? box.right - panel.left : 0, top: Math.max(0, bar.bottom - box.top), bottom: byId("legend").offsetHeight + 14};
  }

  fit() {
    this.stage.view.fit(this.atlas.grid.low, this.atlas.grid.high, this.room());
    this.moved();
  }

  resized() {
    const isFirst = this.stage.view.width <= 1;
    this.stage.resize();
    if (isFirst) this.fit();
    this.moved();
  }

  /** The window shows another part of the map, or other colors. */
  moved() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.stage.view.width <= 1 || !this.painted) return;
      this.stage.view.keep(this.atlas.grid.low, this.atlas.grid.high);
      this.stage.moving = true;
      this.stage.draw();
      this.drawn ??= performance.now(); // since the page was asked for
      this.mark();
      clearTimeout(this.settling);
      this.settling = setTimeout(() => {
        this.stage.moving = false;
        if (!this.stage.slow) return;
        this.stage.draw();
        this.mark();
      }, 160);
    });
  }

  mark() {
    drawMarks(this);
  }
}

/** The pictures of all rows, once the browser has unpacked them. */
async function showPictures(app) {
  const image = byId("pictures");
  if (!image) return;
  await image.decode();
  app.sprites = app.stage.sprites = new Sprites(image, app.about.pictures, app.about.n);
  app.moved();
  if (app.selection) app.tray.show(app.selection);
}

const data = await readPayload();
const app = new Explorer(data);
hear(rows => app.select(rows.length ? rows : null, true));
globalThis.explorer = app; // for the console: explorer.decoder.decode(code), explorer.select(rows)
document.documentElement.classList.add("ready");
await showPictures(app);
document.documentElement.classList.add("whole");
