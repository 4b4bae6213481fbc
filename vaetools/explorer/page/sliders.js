// A slider for every latent dimension that says something.

import {byId, make} from "../../report/page/elements.js";
import {readable} from "../../report/page/numbers.js";

const FIRST = 8; // others are behind a fold

/** The sliders, which show a code and change it. */
export class Sliders {
  /** @param {import("./main.js").Explorer} app */
  constructor(app) {
    this.app = app;
    this.inputs = app.about.in_use.map((component, i) => {
      const [low, high] = app.rangeOf(component), label = make("label", "", "slider"), input = make("input");
      Object.assign(input, {type: "range", min: low, max: high, step: "any"});
      input.dataset.component = component;
      label.append(make("span", `z${component + 1}`), input, make("output"));
      byId(i < FIRST ? "sliders" : "more-sliders").append(label);
      input.addEventListener("input", () => this.change(component, input));
      return {component, input, output: label.lastChild};
    });
    byId("more").hidden = this.inputs.length <= FIRST;
  }

  change(component, input) {
    const code = Float32Array.from(this.app.code);
    code[component] = Number(input.value);
    this.app.setCode(code);
  }

  /** Show a code, but for a slider that is being moved. */
  show(code) {
    for (const {component, input, output} of this.inputs) {
      if (document.activeElement !== input || Math.abs(input.value - code[component]) > 1e-6) input.value = code[component];
      output.textContent = readable(code[component]);
    }
  }
}
