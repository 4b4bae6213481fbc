// What is made of a code, beside the rows that are nearest to it.

import {byId, make, drawThumb} from "../../report/page/elements.js";
import {drawImage} from "./picture.js";

const MOST_COLUMNS = 12;
const MEANINGS = {
  score: "how normal a row is: higher is more normal",
  reconstruction: "cost of the row given its code",
  KL: "cost of the code: how much it tells that the prior does not",
  "p-value": "share of normal rows that look as odd",
};
const ODD = 1.5; // nats: of a number two scales away from what is expected
export const N_NEAR = 6;

/** The picture or the row that the model expects, and what is known of the nearest real one. */
export class Lens {
  /** @param {import("./main.js").Explorer} app */
  constructor(app) {
    this.app = app;
    this.glass = byId("glass");
    this.near = Array.from({length: N_NEAR}, () => {
      const button = make("button", "", "near");
      button.type = "button";
      button.append(make("canvas"), make("span"));
      button.addEventListener("click", () => this.app.pick(Number(button.value)));
      byId("near").append(button);
      return button;
    });
    byId("lens").classList.toggle("of-table", !app.isImage);
  }

  /** Show a code, what it decodes to, the rows nearest to it, and whether its place is off the map. */
  show({made, near, isOff}) {
    const {app} = this, row = near[0].row;
    byId("off").hidden = !isOff;
    byId("lens").classList.toggle("is-off", isOff);
    if (app.isImage) {
      if (made) drawImage(byId("made"), made, app.about.image_shape, app.about.span);
      if (made) drawImage(byId("glass-made"), made, app.about.image_shape, app.about.span);
      if (app.sprites) drawThumb(byId("real"), app.sprites, row);
    } else {
      this.tabulate(made, row);
    }
    this.describe(row);
    this.near.forEach((button, i) => {
      button.hidden = i >= near.length;
      if (button.hidden) return;
      button.value = near[i].row;
      button.title = app.called(near[i].row);
      button.setAttribute("aria-label", app.called(near[i].row));
      if (app.sprites) drawThumb(button.firstChild, app.sprites, near[i].row);
      button.lastChild.textContent = app.isImage ? "" : app.called(near[i].row);
      button.firstChild.hidden = !app.isImage;
    });
  }

  /** What is known of a row. */
  describe(row) {
    const {app} = this, list = byId("facts");
    byId("row-name").textContent = app.called(row);
    list.replaceChildren(...app.facts(row).map(([name, value]) => {
      const line = make("div");
      line.append(Object.assign(make("dt", name), {title: MEANINGS[name] ?? ""}), make("dd", value));
      return line;
    }));
  }

  /** A row of a table that was decoded, column by column, beside the nearest real one. */
  tabulate(made, row) {
    const {app} = this, {columns} = app.about, reasons = app.reasons(row).filter(({nats}) => nats > 0);
    const first = reasons.map(({column}) => column), odd = new Set(first.filter((_, i) => reasons[i].nats > ODD));
    byId("columns").replaceChildren(...[...new Set([...first, ...columns.keys()])].slice(0, MOST_COLUMNS).map(column => {
      const line = make("tr"), heading = make("th", columns[column]);
      heading.scope = "row";
      line.append(heading, ...(made ? [make("td", app.told(column, made[column]))] : []), make("td", app.cell(row, column) ?? "–", odd.has(column) ? "odd" : ""));
      return line;
    }));
  }

  /** Let the small glass hang beside the cursor, or hide it. */
  hang(place, isOff) {
    this.glass.hidden = !place || !this.app.isImage || !this.app.decoder.isThere;
    if (this.glass.hidden) return;
    const edge = this.app.stage.view.width - this.app.room().right, size = this.glass.offsetWidth || 110;
    const left = place[0] + size + 30 > edge ? place[0] - size - 18 : place[0] + 18;
    this.glass.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, place[1] - size - 18)}px)`;
    this.glass.classList.toggle("is-off", isOff);
  }
}
