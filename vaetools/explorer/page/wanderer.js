// Until somebody touches the page, it shows what it can do: the lens goes from row to row by itself.

const SECONDS = 3.2; // from one row to the next
const N_TRIED = 8; // rows to choose it from
const GOLDEN = (Math.sqrt(5) - 1) / 2; // of all rows from one to the next, so that they come from everywhere

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

  /** The place of a row anywhere on the map that the model knows well, the same ones every time. */
  next() {
    const {order} = this.app.stage, {places} = this.app.atlas, score = this.app.numberNamed("score"), n = order.length;
    const some = Array.from({length: Math.min(n, N_TRIED)}, (_, i) => order[Math.floor(((this.at + i) * GOLDEN * n) % n)]);
    this.at += N_TRIED;
    const row = score ? some.reduce((best, other) => (score[other] > score[best] ? other : best)) : some[0];
    return [places[2 * row], places[2 * row + 1]];
  }

  stop() {
    this.runs = false;
  }
}
