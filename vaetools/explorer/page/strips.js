// Rows that nobody has: ways between two rows, and draws from the prior.

import {byId, make} from "../../report/page/elements.js";
import {drawImage} from "./picture.js";

const N_STEPS = 9, N_DRAWS = 12, MOST_TOLD = 5;

/** What a model makes up, as rows of small pictures that the lens shows large. */
export class Strips {
  /** @param {import("./main.js").Explorer} app */
  constructor(app) {
    this.app = app;
    byId("draw").hidden = !app.about.n_draws || !app.decoder.isThere;
    byId("draw").addEventListener("click", () => this.draw());
    byId("clear-picked").addEventListener("click", () => this.app.unpick());
    byId("make").hidden = !app.decoder.isThere;
  }

  /** Show what lies between the codes of two rows, ends included. */
  between(rows) {
    const {app} = this;
    byId("between").hidden = rows.length < 2;
    byId("clear-picked").hidden = !rows.length;
    byId("picked").textContent = ["Click a row, then another: the page decodes the way between them.", `From ${app.called(rows[0] ?? 0)} to … click another row.`][rows.length]
      ?? `From ${app.called(rows[0])} to ${app.called(rows[1])}`;
    if (rows.length < 2) return byId("between").replaceChildren();
    const [first, last] = rows.map(row => app.codeOf(row)), [from, to] = rows.map(row => app.classOf(row));
    this.fill(byId("between"), Array.from({length: N_STEPS}, (_, i) => {
      const share = i / (N_STEPS - 1), code = first.map((value, j) => value + share * (last[j] - value));
      return {code, made: from === null || from === to ? app.decoder.decode(code, from) : app.decoder.mixture(code, [[from, 1 - share], [to, share]])};
    }));
  }

  /** Show draws from the prior, of a conditional model as the label that is chosen, or by their frequency. */
  draw() {
    const {app} = this;
    byId("draws").hidden = false;
    this.fill(byId("draws"), Array.from({length: N_DRAWS}, () => {
      const n = app.about.n_components, i = Math.floor(app.about.n_draws * Math.random());
      const code = app.data.arrays.draws.slice(i * n, (i + 1) * n);
      return {code, made: app.decoder.decode(code, app.drawnLabel())};
    }));
  }

  fill(holder, items) {
    holder.classList.toggle("of-table", !this.app.isImage);
    holder.replaceChildren(...items.map(({code, made}) => {
      const button = make("button", "", "near");
      button.type = "button";
      button.setAttribute("aria-label", "Show this code");
      if (this.app.isImage) {
        const canvas = make("canvas");
        drawImage(canvas, made, this.app.about.image_shape, this.app.about.span);
        button.append(canvas);
      } else {
        button.textContent = Array.from(made.slice(0, MOST_TOLD), (value, column) => this.app.told(column, value)).join(", ");
      }
      button.addEventListener("click", () => this.app.setCode(code));
      return button;
    }));
    if (!this.app.isImage) holder.prepend(make("p", this.app.about.columns.slice(0, MOST_TOLD).join(", "), "hint"));
  }
}
