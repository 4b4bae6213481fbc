// What is known of rows: names, labels, numbers and codes.

import {readable} from "../../report/page/numbers.js";
import {colorings} from "./colors.js";

/** The rows of a page. */
export class Rows {
  /** @param {import("./payload.js").Data} data */
  constructor(data) {
    Object.assign(this, {data, about: data.about, isImage: data.about.image_shape !== null, colorings: colorings(data)});
    this.byColumn = new Map(this.colorings.filter(({column}) => column !== null).map(coloring => [coloring.column, coloring]));
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
    return this.colorings.find(coloring => coloring.kind === "number" && coloring.raw === name)?.values;
  }

  /** Value of a row in a column of a table, as text; nothing where the page does not have it. */
  cell(row, column) {
    const reason = this.reasons(row).find(each => each.column === column), known = this.byColumn.get(column);
    if (reason) return this.told(column, reason.own);
    return known ? this.say(known, row) : null;
  }

  /** A number, or the category that a code stands for; a dash where it is missing. */
  told(column, value) {
    const texts = this.about.categories[column];
    if (Number.isNaN(value)) return "–";
    return texts ? texts[value] : readable(value);
  }

  /** What a coloring says of a row. */
  say({kind, values, texts}, row) {
    return kind === "label" ? texts[values[row]] : readable(values[row]);
  }

  /** Columns of a table that surprise most in a row, and by how many nats. */
  reasons(row) {
    const {which, own, expected, nats} = this.data.arrays;
    if (!which) return [];
    const k = which.length / this.about.n;
    return Array.from({length: k}, (_, i) => row * k + i)
      .map(at => ({column: which[at], own: own[at], expected: expected[at], nats: nats[at]}));
  }

  /** Labels and numbers of a row but for its columns, as text. */
  facts(row) {
    return this.colorings.filter(({column}) => column === null).map(coloring => [coloring.name, this.say(coloring, row)]);
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
