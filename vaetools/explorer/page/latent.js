// Between a map and the codes it was made of.

import {Grid} from "./grid.js";

const N_NEAREST = 15; // as LatentMap takes for a place, and to tell what is off a map
const SHARE = 0.01; // of rows that are themselves farther from others than what counts as off
const MOST_SPACED = 2000;

/** Rows on a map, and what their neighborhood says of any place of it. */
export class Atlas {
  /**
   * @param {Float32Array} places Two numbers per row.
   * @param {Float32Array} codes
   * @param {number} n Components of a code.
   * @param {{center: ArrayLike<number>, axes: ArrayLike<number>} | null} plane Of a map that is one.
   */
  constructor(places, codes, n, plane) {
    Object.assign(this, {places, codes, n, plane, grid: new Grid(places)});
    this.k = Math.max(1, Math.min(N_NEAREST, places.length / 2 - 1));
  }

  /** Mean distance to the nearest others that all but a few rows keep. */
  get limit() {
    return (this.spacing ??= this.measure());
  }

  measure() {
    const n = this.places.length / 2, step = Math.max(1, n / MOST_SPACED), all = [];
    for (let at = 0; at < n; at += step) {
      const row = Math.floor(at);
      all.push(meanDistance(this.grid.nearest(this.places[2 * row], this.places[2 * row + 1], this.k + 1).slice(1)));
    }
    all.sort((a, b) => a - b);
    return all[Math.min(all.length - 1, Math.ceil((1 - SHARE) * (all.length + 1)) - 1)];
  }

  /** Whether a place is farther from rows than rows are from each other, so that it means little. */
  isOff(x, y) {
    return !this.grid.mayReach(x, y, this.limit) || meanDistance(this.grid.nearest(x, y, this.k)) > this.limit;
  }

  /**
   * What a place stands for: the codes of the rows around it, weighted so that a row's own place has its code;
   * on a plane in latent space the place itself, and the rows only for what lies across it.
   */
  at(x, y) {
    const near = this.grid.nearest(x, y, this.k + 1), code = new Float32Array(this.n);
    const reach = near.at(-1).distance || 1;
    const weights = near.map(({distance}) => Math.max(0, 1 / Math.max(distance, 1e-9 * reach) - 1 / reach));
    if (!weights.some(Boolean)) weights.fill(1);
    const total = weights.reduce((sum, weight) => sum + weight);
    near.forEach(({row}, i) => {
      for (let j = 0; j < this.n; j++) code[j] += (weights[i] / total) * this.codes[row * this.n + j];
    });
    if (this.plane) this.lift(code, x, y);
    return {code, near, weights: weights.map(weight => weight / total), isOff: this.isOff(x, y)};
  }

  /** Move a code along the plane until it lies at a place. */
  lift(code, x, y) {
    const now = this.project(code), {axes} = this.plane;
    for (let j = 0; j < this.n; j++) code[j] += axes[j] * (x - now[0]) + axes[this.n + j] * (y - now[1]);
  }

  /** Where a code lies on a plane. */
  project(code) {
    const {center, axes} = this.plane, place = [0, 0];
    for (let j = 0; j < this.n; j++) {
      place[0] += axes[j] * (code[j] - center[j]);
      place[1] += axes[this.n + j] * (code[j] - center[j]);
    }
    return place;
  }

  /** Where a code lies on the map: between its nearest rows, or on the plane. */
  placeOf(code) {
    if (this.plane) return this.project(code);
    const near = nearestCodes(this.codes, code, this.k + 1), reach = near.at(-1).distance || 1, place = [0, 0];
    let total = 0;
    for (const {row, distance} of near) {
      const weight = (1 / Math.max(distance, 1e-9 * reach) - 1 / reach) ** 2 || 1e-12;
      total += weight;
      for (const i of [0, 1]) place[i] += weight * this.places[2 * row + i];
    }
    return place.map(sum => sum / total);
  }
}

/** The k rows whose codes are nearest to one, nearest first. */
export function nearestCodes(codes, code, k) {
  const n = code.length, found = [];
  for (let row = 0, at = 0; at < codes.length; row++, at += n) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += (codes[at + j] - code[j]) ** 2;
    if (found.length < k || sum < found[found.length - 1].distance) {
      let place = found.length;
      while (place > 0 && found[place - 1].distance > sum) place--;
      found.splice(place, 0, {row, distance: sum});
      if (found.length > k) found.pop();
    }
  }
  return found.map(({row, distance}) => ({row, distance: Math.sqrt(distance)}));
}

function meanDistance(near) {
  return near.reduce((sum, {distance}) => sum + distance, 0) / near.length;
}
