// Until somebody touches the page, it shows what it can do: the lens goes from row to row by itself.

const SECONDS = 2.2; // from one row to the next
const N_NEARBY = 90; // rows to choose it from
const N_TRIED = 3; // of them
const STEP = 37; // a prime: not always the nearest, nor the same way back

/** A lens that moves by itself. */
export class Wanderer {
  /** @param {import("./main.js").Explorer} app */
  constructor(app) {
    this.app = app;
    this.runs = true;
    this.at = 0;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = time => {
      if (!this.runs) return;
      this.go(time);
      if (!still) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  go(time) {
    const {app} = this;
    if (!this.to || time - this.begun > 1000 * SECONDS) {
      this.from = this.to ?? this.next();
      this.to = this.next();
      this.begun = time;
    }
    const share = Math.min(1, (time - this.begun) / 1000 / SECONDS), eased = share * share * (3 - 2 * share);
    app.lookAt(...this.from.map((value, i) => value + eased * (this.to[i] - value)));
  }

  /** The place of a row that is not far from the last one and that the model knows well, the same ones every time. */
  next() {
    const {order} = this.app.stage, {places, grid} = this.app.atlas, n = this.app.about.n, score = this.app.numberNamed("score"), last = this.to ?? this.from;
    const near = last ? grid.nearest(...last, Math.min(n, N_NEARBY)).map(({row}) => row) : [...order.subarray(0, N_NEARBY)];
    const some = last ? Array.from({length: N_TRIED}, (_, i) => near[(this.at + STEP * (i + 1)) % near.length]) : near;
    this.at += STEP;
    const row = score ? some.reduce((best, other) => (score[other] > score[best] ? other : best)) : some[0];
    return [places[2 * row], places[2 * row + 1]];
  }

  stop() {
    this.runs = false;
  }
}
