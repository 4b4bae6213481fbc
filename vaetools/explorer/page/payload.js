// What a page carries, from text to typed arrays.

const KINDS = {f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array};

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
  const buffer = await inflate(fromBase64(holder.textContent));
  holder.remove();
  const arrays = {};
  for (const {name, kind, offset, length} of about.arrays) {
    arrays[name] = kind === "f2" ? fromHalf(new Uint16Array(buffer, offset, length)) : new KINDS[kind](buffer, offset, length);
  }
  return {about, arrays, names: JSON.parse(new TextDecoder().decode(arrays.names))};
}

/** @param {string} text @returns {Uint8Array} */
function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text), bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {Promise<ArrayBuffer>} */
function inflate(bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
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
