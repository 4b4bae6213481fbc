// What is known of rows: names, labels, numbers and codes.

import {colorings, readable} from "./colors.js";

/** The rows of a page. */
export class Rows {
  /** @param {import("./payload.js").Data} data */
  constructor(data) {
    Object.assign(this, {data, about: data.about, isImage: data.about.image_shape !== null, colorings: colorings(data)});
    this.classes = this.findClasses();
  }

  /** What a row is called, for people. */
  called(row) {
    return this.about.shown[row] ?? this.data.names[row];
  }

  codeOf(row) {
    const n = this.about.n_components;
    return this.data.arrays.codes.subarray(row * n, (row + 1) * n);
  }

  numberNamed(name) {
    return this.colorings.find(coloring => coloring.kind === "number" && coloring.name === name)?.values;
  }

  /** Value of a row in a column of a table, where the page has it. */
  valueOf(row, column) {
    const name = this.about.columns[column];
    const values = this.numberNamed(name) ?? this.numberNamed(`column ${name}`);
    return values ? values[row] : this.reasons(row).find(reason => reason.column === column)?.own ?? null;
  }

  /** Columns of a table that surprise most in a row. */
  reasons(row) {
    const {which, own, expected} = this.data.arrays;
    if (!which) return [];
    const k = which.length / this.about.n;
    return Array.from({length: k}, (_, i) => ({column: which[row * k + i], own: own[row * k + i], expected: expected[row * k + i]}));
  }

  /** Labels and numbers of a row, as text. */
  facts(row) {
    const columns = new Set(this.about.columns.flatMap(name => [name, `column ${name}`]));
    const told = this.colorings.filter(({name, kind}) => kind === "label" || !columns.has(name));
    return told.map(({name, kind, values, texts}) => [name, kind === "label" ? texts[values[row]] : readable(values[row])]);
  }

  rangeOf(component) {
    const {codes} = this.data.arrays, n = this.about.n_components;
    let low = Infinity, high = -Infinity;
    for (let at = component; at < codes.length; at += n) {
      low = Math.min(low, codes[at]);
      high = Math.max(high, codes[at]);
    }
    return [low, high];
  }

  /** The class of every row among those of a conditional model, or nothing. */
  findClasses() {
    if (!this.about.classes.length) return null;
    const place = new Map(this.about.classes.map((name, i) => [name, i]));
    const known = this.colorings.find(({kind, texts}) => kind === "label" && texts.every(text => place.has(text)));
    return known ? Uint32Array.from(known.values, code => place.get(known.texts[code])) : null;
  }

  classOf(row) {
    return this.classes ? this.classes[row] : null;
  }
}
