// What rows are colored by, and what the colors mean.

import {packedColor, mixed} from "./raster.js";

const LOW_IS_ODD = ["#D55E00", "#E8B45A", "#4C9BD6"]; // of scores and p-values
const PLAIN = ["#7B5CC4", "#2A9D8F", "#C4D44E"]; // seen on light and on dark ground
const MISSING = "#8C8C8C";
const N_COLORS = 64;

/** Between three colors, in equal steps. @param {string[]} stops */
function scale(stops) {
  const [low, middle, high] = stops.map(packedColor);
  return Int32Array.from({length: N_COLORS}, (_, i) => {
    const share = (2 * i) / (N_COLORS - 1);
    return share < 1 ? mixed(low, middle, Math.round(256 * share)) : mixed(middle, high, Math.round(256 * (share - 1)));
  });
}

/**
 * Everything that rows can be colored by.
 * @param {import("./payload.js").Data} data
 * @returns {{name: string, raw: string, column: number | null, kind: "label" | "number", texts?: string[], raw_texts?: string[], values: any}[]}
 */
export function colorings({about, arrays}) {
  const labels = about.labels.map((label, i) => ({...label, kind: "label", values: arrays[`label ${i}`]}));
  const numbers = about.numbers.map((number, i) => ({...number, kind: "number", values: arrays[`number ${i}`]}));
  return [...labels, ...numbers];
}

/** A color per row, and what a legend says. */
export function paint(coloring, palette, n) {
  const colors = new Int32Array(n);
  if (!coloring) return {colors: colors.fill(packedColor(palette[0])), classes: [], ends: []};
  const {values} = coloring;
  if (coloring.kind === "label") {
    const packed = palette.map(packedColor), counts = new Uint32Array(coloring.texts.length);
    for (let row = 0; row < n; row++) {
      colors[row] = packed[values[row] % packed.length];
      counts[values[row]]++;
    }
    return {colors, ends: [], classes: coloring.texts.map((text, i) => ({text, count: counts[i], color: palette[i % palette.length]}))};
  }
  // by rank, so that a few extreme values do not make all others look alike
  const order = Uint32Array.from({length: n}, (_, i) => i).filter(row => !Number.isNaN(values[row])).sort((a, b) => values[a] - values[b]);
  const stops = ["score", "p-value"].includes(coloring.name) ? LOW_IS_ODD : PLAIN, steps = scale(stops);
  let rank = 0;
  colors.fill(packedColor(MISSING));
  order.forEach((row, i) => {
    if (i && values[row] > values[order[i - 1]]) rank = i;
    colors[row] = steps[Math.floor((rank / order.length) * N_COLORS)];
  });
  return {colors, stops, classes: [], ends: [0, 0.5, 1].map(share => values[order[Math.round(share * (order.length - 1))]])};
}

/** A number with about four digits; a dash for none. */
export function readable(value) {
  if (Number.isNaN(value) || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value).replace("-", "−").replace("Infinity", "∞");
  const size = Math.abs(value);
  const text = size >= 1000 ? Math.round(value).toLocaleString("en") : size && size < 0.001 ? value.toExponential(1) : value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 3);
  return text.replace("-", "−");
}
