// What is chosen around the map: colors, maps, labels to decode as, and rows by name.

import {byId, make} from "../../report/page/elements.js";
import {readable} from "../../report/page/numbers.js";

const MOST_CLASSES = 40, MOST_FOUND = 12;

/** @param {HTMLSelectElement} select @param {[string, string][]} options Values and texts. */
function fill(select, options) {
  select.replaceChildren(...options.map(([value, text]) => Object.assign(make("option", text), {value})));
}

/** Make all controls. @param {import("./main.js").Explorer} app */
export function makeControls(app) {
  const {about} = app;
  const plain = [["-1", "nothing"]], options = app.colorings.map(({name}, i) => [String(i), name]);
  fill(byId("coloring"), options.length ? options : plain);
  byId("coloring").addEventListener("change", event => app.colorBy(Number(event.target.value)));

  const components = about.in_use.map(i => [String(i), `z${i + 1}`]);
  fill(byId("which-map"), [["made", about.method], ...(about.in_use.length > 1 ? [["latent", "Two latent dimensions"]] : [])]);
  fill(byId("across"), components);
  fill(byId("upwards"), components);
  byId("upwards").selectedIndex = 1;
  const choose = () => {
    const isMade = byId("which-map").value === "made";
    byId("axes").hidden = isMade;
    app.useMap(isMade ? null : [Number(byId("across").value), Number(byId("upwards").value)]);
  };
  for (const id of ["which-map", "across", "upwards"]) byId(id).addEventListener("change", choose);

  byId("as").hidden = !about.classes.length;
  fill(byId("label"), [["auto", "rows around it"], ["all", "all, averaged"], ...about.classes.map((name, i) => [String(i), name])]);
  byId("label").addEventListener("change", () => app.setCode(app.code, app.where));

  byId("search").addEventListener("input", event => app.highlight(find(app, event.target.value)));
  byId("search").addEventListener("keydown", event => {
    if (event.key === "Enter" && byId("found").firstChild) byId("found").firstChild.click();
    if (event.key === "Escape") close();
  });
  const close = () => {
    byId("search").value = "";
    app.highlight(find(app, ""));
    app.stage.holder.focus();
  };

  byId("loop").addEventListener("click", () => app.setLoops(!app.loops));
  byId("fit").addEventListener("click", () => app.fit());
  const {flagged} = app.data.arrays;
  byId("flagged").hidden = !flagged;
  byId("flagged").addEventListener("click", () => app.select([...flagged.keys()].filter(row => flagged[row])));
  byId("range").addEventListener("submit", event => {
    event.preventDefault();
    const {values} = app.coloring, low = byId("low").valueAsNumber, high = byId("high").valueAsNumber;
    app.select([...values.keys()].filter(row => values[row] >= (Number.isNaN(low) ? -Infinity : low) && values[row] <= (Number.isNaN(high) ? Infinity : high)));
  });
  byId("unpin").addEventListener("click", () => app.unpin());
}

/** List the rows whose names hold a text. */
function find(app, text) {
  const wanted = text.trim().toLowerCase(), found = [];
  for (let row = 0; wanted && row < app.about.n; row++) {
    if (app.data.names[row].toLowerCase().includes(wanted)) found.push(row);
  }
  byId("found").hidden = !wanted;
  byId("found").replaceChildren(...found.slice(0, MOST_FOUND).map(row => {
    const button = make("button");
    button.type = "button";
    button.append(make("bdi", app.called(row)));
    button.addEventListener("click", () => {
      byId("found").hidden = true;
      app.goTo(row);
    });
    return button;
  }));
  if (wanted && !found.length) byId("found").append(make("p", "No row is called so."));
  if (found.length > MOST_FOUND) byId("found").append(make("p", `and ${(found.length - MOST_FOUND).toLocaleString("en")} more, ringed on the map`));
  return found;
}

/** Show what the colors mean; a click on a class selects its rows. */
export function showLegend(app, {classes, ramp, ends}) {
  byId("classes").replaceChildren(...classes.slice(0, MOST_CLASSES).map(({text, count, color}, code) => {
    const button = make("button", "", "chip"), dot = make("i");
    button.type = "button";
    dot.style.background = color;
    button.append(dot, make("bdi", text), make("b", count.toLocaleString("en")));
    button.addEventListener("click", () => {
      const {values} = app.coloring;
      app.select([...values.keys()].filter(row => values[row] === code));
    });
    return button;
  }));
  if (classes.length > MOST_CLASSES) byId("classes").append(make("span", `and ${classes.length - MOST_CLASSES} more`));
  byId("scale").hidden = !ends.length;
  byId("range").hidden = !ends.length;
  if (!ends.length) return;
  byId("ramp").style.background = ramp;
  byId("ends").replaceChildren(...ends.map(end => make("span", readable(end))));
  byId("unit").textContent = app.coloring.name === "score" ? `score in ${app.about.unit}: low is odd` : app.coloring.name;
}
