// What rows are colored by, and what the colors mean.

import {styled} from "../../report/page/elements.js";
import {SCORE_STOPS} from "../../report/page/numbers.js";
import {packedColor, mixed} from "./raster.js";

const PLAIN_STOPS = [[0, "#7B5CC4"], [0.5, "#2A9D8F"], [1, "#C4D44E"]]; // seen on light and on dark ground
const MISSING = "#8C8C8C";
const N_COLORS = 64;

/** Colors between stops, evenly. @param {[number, string][]} stops Shares and colors. */
function scale(stops) {
  return Int32Array.from({length: N_COLORS}, (_, i) => {
    const share = i / (N_COLORS - 1), next = Math.max(1, stops.findIndex(([place]) => place >= share));
    const [[low, below], [high, above]] = stops.slice(next - 1, next + 1);
    return mixed(packedColor(below), packedColor(above), Math.round((256 * (share - low)) / (high - low)));
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

/** Which colors stand for which shares of the rows. */
function stops(isScore) {
  return isScore ? SCORE_STOPS.map(([share, name]) => [share, styled(name)]) : PLAIN_STOPS;
}

/** The same as a style. */
const ramp = stops => `linear-gradient(to right, ${stops.map(([share, color]) => `${color} ${100 * share}%`).join(", ")})`;

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
  const isScore = ["score", "p-value"].includes(coloring.name), steps = scale(stops(isScore));
  let rank = 0;
  colors.fill(packedColor(MISSING));
  order.forEach((row, i) => {
    if (i && values[row] > values[order[i - 1]]) rank = i;
    colors[row] = steps[Math.floor((rank / order.length) * N_COLORS)];
  });
  return {colors, ramp: ramp(stops(isScore)), classes: [], ends: [0, 0.5, 1].map(share => values[order[Math.round(share * (order.length - 1))]])};
}
