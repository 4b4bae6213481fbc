// Numbers as people read them, and the colors that stand for low and for high ones.

/** Where between the lowest and the highest rank each color of a score stands: the lowest quarter is odd. */
export const SCORE_STOPS = [[0, "--low"], [0.25, "--middle"], [1, "--high"]];

/** A number with so many digits. */
export const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");

/** A number with about four digits; a dash for none. */
export function readable(value) {
  if (Number.isNaN(value) || value === undefined) return "–";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en").replace("-", "−");
  if (size && size < 0.001) return value.toExponential(1).replaceAll("-", "−");
  return fixed(value, size >= 100 ? 1 : size >= 1 ? 2 : 3);
}
