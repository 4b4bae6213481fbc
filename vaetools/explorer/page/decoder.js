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
  pointwise(x, weights, {n_in: nIn, n_out: nOut, area, weight, bias}) {
    const y = new Float32Array(nOut * area);
    for (let out = 0; out < nOut; out++) {
      y.fill(weights[bias + out], out * area, (out + 1) * area);
      for (let channel = 0; channel < nIn; channel++) {
        const factor = weights[weight + out * nIn + channel];
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

/** Probabilities of the categories of columns, as many in each. */
function softmax(logits, nCategories) {
  const shares = Float32Array.from(logits);
  for (let start = 0; start < shares.length; start += nCategories) {
    const column = shares.subarray(start, start + nCategories), most = Math.max(...column);
    column.forEach((logit, i) => { column[i] = Math.exp(logit - most); });
    const total = column.reduce((sum, each) => sum + each);
    column.forEach((each, i) => { column[i] = each / total; });
  }
  return shares;
}

/** A model's decoder, or nothing where a page cannot run it. */
export class Decoder {
  /** @param {import("./payload.js").Data} data */
  constructor({about, arrays}) {
    Object.assign(this, {steps: about.steps, parts: about.parts, place: about.place, whole: about.whole});
    Object.assign(this, {weights: arrays.weights, shift: arrays.shift, scale: arrays.scale, prior: about.class_prior});
    this.told = new Float32Array(0); // of a context, what the network is told
  }

  /** Whether there is one. */
  get isThere() {
    return Boolean(this.steps);
  }

  /**
   * The expected row of a code, in units of the rows: of categories the likeliest.
   * @param {ArrayLike<number>} code
   * @param {number | null} label Place among the classes; of a conditional model null averages over all.
   * @returns {Float32Array}
   */
  decode(code, label = null) {
    return this.mixture(code, label === null ? [...this.prior.entries()] : [[label, 1]]);
  }

  /** The same where each of several labels has a share. @param {[number, number][]} shares */
  mixture(code, shares) {
    if (!this.prior.length) return this.row(this.run(code, this.told));
    let sum = null;
    for (const [place, share] of shares) {
      const made = this.run(code, Float32Array.from(this.prior, (_, i) => Number(i === place)));
      sum = made.map((value, i) => share * value + (sum ? sum[i] : 0));
    }
    return this.row(sum);
  }

  /** Expected numbers in the units of the network, and probabilities of categories, which mix alike. */
  run(code, label) {
    const made = this.steps.reduce((x, step) => STEPS[step.kind](x, this.weights, step, label), Float32Array.from(code));
    let start = 0;
    for (const [nCategories, n] of this.parts ?? []) {
      const width = n * (nCategories || 1);
      if (nCategories) made.set(softmax(made.subarray(start, start + width), nCategories), start);
      start += width;
    }
    return made;
  }

  /** What was expected as a row, in its units. */
  row(made) {
    const values = this.parts ? this.joined(made) : made;
    const row = this.scale ? values.map((value, i) => value * this.scale[i] + this.shift[i]) : values;
    for (const column of this.whole) row[column] = Math.round(row[column]);
    return row;
  }

  /** Numbers and the likeliest categories in the order of the columns. */
  joined(made) {
    const found = [];
    let start = 0;
    for (const [nCategories, n] of this.parts) {
      for (let i = 0; i < n; i++, start += nCategories || 1) {
        const shares = made.subarray(start, start + nCategories);
        found.push(nCategories ? shares.indexOf(Math.max(...shares)) : made[start]);
      }
    }
    return Float32Array.from(this.place, at => found[at]);
  }
}
