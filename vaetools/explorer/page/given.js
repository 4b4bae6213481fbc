// What codes are decoded given: a control for every column of a context.

import {byId, make} from "../../report/page/elements.js";
import {readable} from "../../report/page/numbers.js";

/** The columns of a context, which tell the decoder what was chosen. */
export class Given {
  /** @param {import("./main.js").Explorer} app */
  constructor(app) {
    this.app = app;
    this.columns = app.about.given;
    this.values = this.columns.map(({value}) => value);
    byId("given").hidden = !this.columns.length || !app.decoder.isThere;
    this.shown = [];
    byId("given-columns").replaceChildren(...this.columns.map((column, i) => this.control(column, i)));
    app.decoder.told = this.condition();
  }

  control({name, categories, value, low, high}, i) {
    const label = make("label", "", "slider"), output = make("output", categories.length ? "" : readable(value));
    const input = make(categories.length ? "select" : "input");
    if (categories.length) input.append(...categories.map((text, place) => Object.assign(make("option", text), {value: place})));
    else Object.assign(input, {type: "range", min: low, max: high, step: "any"});
    Object.assign(input, {value});
    input.dataset.given = i;
    label.append(make("span", name), input, output);
    this.shown[i] = now => {
      this.values[i] = now;
      if (!categories.length) output.textContent = readable(now);
      return input;
    };
    input.addEventListener("input", () => {
      this.shown[i](Number(input.value));
      this.chosen();
    });
    return label;
  }

  /** Decode given what a row is judged given. */
  take(row) {
    this.columns.forEach(({categories, coloring}, i) => {
      const {texts, values} = this.app.colorings.find(({raw}) => raw === coloring);
      const own = categories.length ? categories.indexOf(texts[values[row]]) : values[row];
      this.shown[i](own).value = own;
    });
    this.app.decoder.told = this.condition();
  }

  /** What the network is told: numbers standardized, categories one-hot. */
  condition() {
    return Float32Array.from(this.columns.flatMap(({categories, shift, scale}, i) => (
      categories.length ? categories.map((_, place) => Number(place === this.values[i])) : [(this.values[i] - shift) / scale]
    )));
  }

  chosen() {
    const {app} = this;
    app.decoder.told = this.condition();
    app.setCode(app.code, app.where);
    app.strips.between(app.picked);
  }
}
