// What a page carries, from text to typed arrays.

import {KINDS, fromBase64, inflated} from "../../report/page/bytes.js";

/**
 * Everything that the page knows.
 * @typedef {object} Data
 * @property {object} about Numbers and names, as Python wrote them.
 * @property {Record<string, any>} arrays Typed arrays by name; of half precision they became single.
 * @property {string[]} names What rows are called, to the letter.
 */

/** @returns {Promise<Data>} */
export async function readPayload() {
  const about = JSON.parse(document.getElementById("about").textContent);
  const holder = document.getElementById("packed");
  const buffer = await inflated(fromBase64(holder.textContent)).arrayBuffer();
  holder.remove();
  const arrays = {};
  for (const {name, kind, offset, length} of about.arrays) {
    arrays[name] = kind === "f2" ? fromHalf(new Uint16Array(buffer, offset, length)) : new KINDS[kind](buffer, offset, length);
  }
  return {about, arrays, names: JSON.parse(new TextDecoder().decode(arrays.names))};
}

/** Numbers of half precision, which not every browser knows. @param {Uint16Array} halves @returns {Float32Array} */
export function fromHalf(halves) {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i], exponent = (half >> 10) & 31, fraction = half & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14;
    values[i] = half & 32768 ? -size : size;
  }
  return values;
}
