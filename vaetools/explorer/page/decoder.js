// From a code to the row that a model expects: the steps of its decoder, one function each.

/** The error function, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26). @param {number} x */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const sigmoid = x => 1 / (1 + Math.exp(-x));

/** @type {Record<string, (x: number) => number>} */
const ACTIVATIONS = {
  silu: x => x * sigmoid(x),
  relu: x => Math.max(0, x),
  leaky_relu: x => (x > 0 ? x : 0.01 * x),
  elu: x => (x > 0 ? x : Math.expm1(x)),
  gelu: x => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  tanh: Math.tanh,
  sigmoid,
};

/** The mean of the continuous Bernoulli density with a logit. @param {number} logit */
function continuousMean(logit) {
  const half = logit / 2;
  if (Math.abs(half) < 0.02) return 0.5 + 0.5 * (half / 3 - half ** 3 / 45 + (2 * half ** 5) / 945);
  return 0.5 + 0.5 * (1 / Math.tanh(half) - 1 / half);
}

/** @type {Record<string, (x: number) => number>} */
const MEANS = {gaussian: x => x, bernoulli: sigmoid, continuous_bernoulli: continuousMean};

/** Rows of weights times a vector, plus biases. */
function affine(x, weights, weight, bias, nIn, nOut) {
  const y = new Float32Array(nOut);
  for (let i = 0; i < nOut; i++) {
    let sum = weights[bias + i];
    for (let j = 0, at = weight + i * nIn; j < nIn; j++) sum += weights[at + j] * x[j];
    y[i] = sum;
  }
  return y;
}

/** A transposed convolution of 4×4 with stride 2 and padding 1, cropped: every pixel is spread over 16. */
function deconvolved(x, weights, step) {
  const [fromHeight, fromWidth] = step.from, [height, width] = step.to, {n_in: nIn, n_out: nOut} = step;
  const y = new Float32Array(nOut * height * width), area = fromHeight * fromWidth;
  for (let out = 0; out < nOut; out++) {
    const top = out * height * width;
    y.fill(weights[step.bias + out], top, top + height * width);
    for (let channel = 0; channel < nIn; channel++) {
      const kernel = step.weight + (channel * nOut + out) * 16;
      for (let i = 0; i < fromHeight; i++) {
        for (let j = 0; j < fromWidth; j++) {
          const value = x[channel * area + i * fromWidth + j];
          for (let k = 0; k < 4; k++) {
            const row = 2 * i - 1 + k;
            if (row < 0 || row >= height) continue;
            for (let l = 0; l < 4; l++) {
              const column = 2 * j - 1 + l;
              if (column >= 0 && column < width) y[top + row * width + column] += value * weights[kernel + 4 * k + l];
            }
          }
        }
      }
    }
  }
  return y;
}

/** @type {Record<string, (x: Float32Array, weights: Float32Array, step: any, label: Float32Array) => Float32Array>} */
const STEPS = {
  dense: (x, weights, step) => affine(x, weights, step.weight, step.bias, step.n_in, step.n_out),
  activation: (x, weights, step) => x.map(ACTIVATIONS[step.name]),
  deconv: deconvolved,
  pointwise(x, weights, {n, area, weight, bias}) {
    const y = new Float32Array(n * area);
    for (let out = 0; out < n; out++) {
      y.fill(weights[bias + out], out * area, (out + 1) * area);
      for (let channel = 0; channel < n; channel++) {
        const factor = weights[weight + out * n + channel];
        for (let i = 0; i < area; i++) y[out * area + i] += factor * x[channel * area + i];
      }
    }
    return y;
  },
  unit_mean: (x, weights, {n}) => x.map((value, i) => (i < n ? sigmoid(value) : value)),
  mean: (x, weights, {n, of}) => x.subarray(0, n).map(MEANS[of]),
  join(z, weights, {how, weight, bias}, label) {
    if (how === "concat") return Float32Array.of(...z, ...label);
    const projected = affine(label, weights, weight, bias, label.length, z.length).map(ACTIVATIONS.relu);
    return z.map((value, i) => (how === "add" ? value + projected[i] : value * (1 + projected[i])));
  },
};

/** A model's decoder, or nothing where a page cannot run it. */
export class Decoder {
  /** @param {import("./payload.js").Data} data */
  constructor({about, arrays}) {
    this.steps = about.steps;
    this.weights = arrays.weights;
    this.shift = arrays.shift;
    this.scale = arrays.scale;
    this.prior = about.class_prior;
  }

  /** Whether there is one. */
  get isThere() {
    return Boolean(this.steps);
  }

  /**
   * The expected row of a code, in units of the rows.
   * @param {ArrayLike<number>} code
   * @param {number | null} label Place among the classes; of a conditional model null averages over all.
   * @returns {Float32Array}
   */
  decode(code, label = null) {
    if (!this.prior.length) return this.inUnits(this.meanOf(code, new Float32Array(0)));
    const oneHot = place => Float32Array.from(this.prior, (_, i) => Number(i === place));
    if (label !== null) return this.inUnits(this.meanOf(code, oneHot(label)));
    let sum = null;
    this.prior.forEach((share, place) => {
      const mean = this.meanOf(code, oneHot(place));
      sum = mean.map((value, i) => share * value + (sum ? sum[i] : 0));
    });
    return this.inUnits(sum);
  }

  /** The expected row in the units of the network. */
  meanOf(code, label) {
    return this.steps.reduce((x, step) => STEPS[step.kind](x, this.weights, step, label), Float32Array.from(code));
  }

  inUnits(values) {
    return this.scale ? values.map((value, i) => value * this.scale[i] + this.shift[i]) : values;
  }
}
