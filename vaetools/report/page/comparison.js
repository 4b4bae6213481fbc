// The page of a comparison: figures of plotly's, what their dots stand for, and what is selected in them.

import {byId, drawThumb, make, styled} from "./elements.js";
import {KINDS, fromBase64, inflated} from "./bytes.js";
import {SCORE_STOPS, fixed} from "./numbers.js";

const root = document.documentElement;
const typed = packed => packed && new KINDS[packed.dtype](fromBase64(packed.bdata).buffer);

// Figures: drawn when they come near the window, in the colors of the page, in as many columns as fit

const figures = new Map();
const HAS_WEBGL = Boolean(document.createElement("canvas").getContext("webgl"));
const LEGEND_GAP = 26, PAPER_WIDTH = 680; // pixels
const MOST_LISTED = 500; // rows of a selection
const TOUCH = matchMedia("(pointer: coarse)").matches;

function arrange(holder) {
  const panels = Number(holder.dataset.panels), wide = panels === 4 ? 2 : Math.min(panels, 3);
  const narrow = root.classList.contains("paper") && holder.id !== "maps";
  const room = narrow ? Math.min(holder.clientWidth, PAPER_WIDTH) : holder.clientWidth;
  const columns = Math.max(1, Math.min(wide, Math.floor(room / 300)));
  const rows = Math.ceil(panels / columns);
  return {rows, columns, width: Math.min(room, 720 * panels), height: rows * holder.dataset.height};
}

function dress(figure) {
  const {layout, data} = figure, ink = styled("--ink"), faint = styled("--faint"), soft = styled("--soft");
  layout.font.color = ink;
  layout.modebar = {bgcolor: "rgba(0, 0, 0, 0)", color: soft, activecolor: ink};
  layout.hoverlabel = {bgcolor: styled("--raised"), bordercolor: faint, font: {color: ink}};
  for (const [name, axis] of Object.entries(layout)) {
    if (/^[xy]axis/.test(name)) Object.assign(axis, {gridcolor: faint, zerolinecolor: faint, linecolor: faint, tickfont: {color: soft, size: 12}});
  }
  for (const shape of layout.shapes ?? []) shape.line.color = ink;
  for (const trace of data) {
    if (trace.meta === "ink") trace.line.color = ink;
    if (trace.meta === "scale") trace.marker.colorscale = SCORE_STOPS.map(([share, name]) => [share, styled(name)]);
    if (trace.type === "scattergl" && !HAS_WEBGL) trace.type = "scatter";
  }
}

function draw(holder) {
  const figure = figures.get(holder), {layout} = figure, {rows, columns, width, height} = arrange(holder);
  Object.assign(layout, {width, height});
  if (layout.grid) Object.assign(layout.grid, {rows, columns});
  // plotly notes here where panels of a fixed aspect lie: in other columns they lie elsewhere
  for (const [name, axis] of Object.entries(layout)) if (/^[xy]axis/.test(name)) delete axis.domain;
  layout.legend.y = 1 + LEGEND_GAP / (height - layout.margin.t - layout.margin.b);
  dress(figure);
  Plotly.react(holder, figure.data, figure.layout, {
    displaylogo: false,
    displayModeBar: holder.id === "maps" && !TOUCH,
    modeBarButtons: [["lasso2d", "select2d", "zoom2d", "pan2d", "resetScale2d"]],
  });
}

function begin(holder) {
  if (figures.has(holder)) return;
  figures.set(holder, JSON.parse(holder.firstElementChild.textContent));
  holder.replaceChildren();
  if (holder.id === "maps" && rows) link(holder, figures.get(holder));
  draw(holder);
  if (holder.id === "maps" && rows) listen(holder);
  sizes.observe(holder);
}

const redraw = () => figures.forEach((figure, holder) => draw(holder));
const sizes = new ResizeObserver(entries => {
  for (const {target} of entries) {
    if (target.clientWidth && arrange(target).width !== figures.get(target).layout.width) draw(target);
  }
});
const near = new IntersectionObserver(entries => {
  for (const {target, isIntersecting} of entries) {
    if (isIntersecting) { near.unobserve(target); begin(target); }
  }
}, {rootMargin: "500px"});
const holders = [...document.querySelectorAll(".plot")];

function onPaper(is) {
  root.classList.toggle("paper", is);
  if (is) holders.forEach(begin);
  redraw();
  // WebGL draws later than a printer waits for: what it has drawn is made smaller instead
  const maps = byId("maps"), {width} = maps.layout;
  Object.assign(maps.style, is ? {width: `${width}px`, zoom: Math.min(1, PAPER_WIDTH / width)} : {width: "", zoom: ""});
}

for (const holder of holders) holder.style.minHeight = `${arrange(holder).height}px`;

// Rows: what a dot in a map stands for

const rows = JSON.parse(byId("rows").textContent);
const sheet = byId("sprite");

function unpack() {
  rows.codes = typed(rows.codes);
  rows.outliers = typed(rows.outliers);
  for (const model of rows.models) {
    for (const name of ["scores", "ranks", "p_values", "neighbors", "distances"]) model[name] = typed(model[name]);
  }
}

function thumb(row, size) {
  const canvas = make("canvas", "", "thumb"), {width, height} = rows.sprite;
  const scale = size / Math.max(width, height);
  drawThumb(canvas, {image: sheet, ...rows.sprite}, row);
  canvas.style.width = `${width * scale}px`;
  canvas.style.height = `${height * scale}px`;
  return canvas;
}

const label = row => rows.labels ? rows.labels[rows.codes[row]] : null;

function ending(name, n) {
  const signs = [...name.split(/[\\/]/).pop().replace(/\.\w{1,5}$/, "")];
  return signs.length > n ? "…" + signs.slice(1 - n).join("") : signs.join("");
}

function describe(model, row) {
  const {scores, ranks, p_values, unit, neighbors, n_neighbors, distances, name} = rows.models[model];
  const card = document.createDocumentFragment(), head = make("div", "", "row"), words = make("div");
  if (rows.sprite) head.append(thumb(row, 88));
  words.append(make("b", rows.names[row]));
  if (rows.labels) words.append(make("p", `label ${label(row)}`));
  if (rows.outliers?.[row]) words.append(make("p", "a known outlier"));
  words.append(make("p", `${name}: ${fixed(scores[row], 1)} ${unit}, more normal than ${fixed(100 * ranks[row], 0)} % of rows`));
  if (p_values) words.append(make("p", `p-value ${fixed(p_values[row], 3)}`));
  head.append(words);
  const list = make("div", "", rows.sprite ? "near" : "near names");
  for (let at = row * n_neighbors; at < (row + 1) * n_neighbors; at++) {
    const item = make("div"), other = neighbors[at];
    if (rows.sprite) item.append(thumb(other, 48));
    if (rows.labels) item.append(make("span", label(other)));
    item.append(make("span", ending(rows.names[other], rows.sprite ? 6 : 40), "name"));
    item.append(make("span", fixed(distances[at], 2), "distance"));
    list.append(item);
  }
  card.append(head, make("h4", "nearest in latent space, and how far"), list);
  return card;
}

const card = byId("card");

function show(event, model, row) {
  card.replaceChildren(describe(model, row));
  card.hidden = false;
  const {width, height} = card.getBoundingClientRect();
  const left = event.clientX + 18 + width < innerWidth ? event.clientX + 18 : Math.max(8, Math.min(event.clientX - width - 18, innerWidth - width - 8));
  const top = Math.max(8, Math.min(event.clientY + 18, innerHeight - height - 8));
  card.style.transform = `translate(${Math.max(8, left)}px, ${top}px)`;
}

// Maps: one coloring and one selection for all of them

let base; // colors and symbols by label, as they came

function link(holder, figure) {
  unpack();
  base = figure.data.map(trace => ({...trace.marker}));
  if (TOUCH) figure.layout.dragmode = false;
  for (const input of document.querySelectorAll("[name=coloring]")) {
    input.addEventListener("change", () => { paint(figure, input.value); draw(holder); });
  }
  for (const [code, key] of document.querySelectorAll(".key").entries()) {
    key.addEventListener("click", () => {
      const pressed = key.getAttribute("aria-pressed") === "true";
      select(pressed ? null : [...rows.codes.keys()].filter(row => rows.codes[row] === code), pressed ? null : key);
    });
  }
  document.querySelector(".selection button").addEventListener("click", () => select(null));
}

function paint(figure, coloring) {
  for (const [i, trace] of figure.data.entries()) {
    const {size, opacity, line} = base[i];
    trace.meta = coloring === "score" ? "scale" : null;
    if (coloring === "label") trace.marker = {...base[i]};
    if (coloring === "score") trace.marker = {size, opacity, line, color: rows.models[i].ranks, cmin: 0, cmax: 1};
    if (coloring === "known outliers") {
      trace.marker = {size, opacity, line, color: rows.outliers, cmin: 0, cmax: 1, colorscale: [[0, "#8C8C8C"], [1, "#D55E00"]], symbol: Array.from(rows.outliers, odd => odd ? "diamond" : "circle")};
    }
  }
  document.querySelector(".scale").hidden = coloring !== "score";
  for (const key of document.querySelectorAll(".key > span")) key.hidden = coloring !== "label";
}

function select(list, key) {
  const holder = byId("maps"), {data, layout} = figures.get(holder);
  for (const trace of data) trace.selectedpoints = list;
  layout.selections = [];
  draw(holder);
  for (const other of document.querySelectorAll(".key")) other.setAttribute("aria-pressed", other === key);
  const panel = document.querySelector(".selection"), [title, , items] = panel.children;
  panel.hidden = !list;
  const shown = list ? list.slice(0, MOST_LISTED) : [];
  title.textContent = list ? `${list.length.toLocaleString("en")} ${list.length === 1 ? "row" : "rows"} selected` : "";
  if (shown.length < list?.length) title.textContent += `, the first ${shown.length} of them:`;
  items.replaceChildren(...shown.map(listed));
}

function listed(row) {
  const item = make("li");
  if (rows.sprite) item.append(thumb(row, 36));
  item.append(make("bdi", rows.names[row]));
  if (rows.labels) item.append(make("bdi", `label ${label(row)}`, "label"));
  return item;
}

function listen(holder) {
  holder.on("plotly_hover", ({event, points}) => show(event, points[0].curveNumber, points[0].pointNumber));
  holder.on("plotly_unhover", () => { card.hidden = true; });
  holder.on("plotly_selected", event => {
    if (event?.points?.length) select([...new Set(event.points.map(point => point.pointNumber))].sort((a, b) => a - b));
  });
  holder.on("plotly_deselect", () => select(null));
  holder.on("plotly_click", ({points: [{curveNumber, pointNumber}]}) => {
    const {neighbors, n_neighbors} = rows.models[curveNumber];
    select([pointNumber, ...neighbors.subarray(pointNumber * n_neighbors, (pointNumber + 1) * n_neighbors)]);
  });
  addEventListener("scroll", () => { card.hidden = true; }, {passive: true});
}

// The library is compressed in the page

async function start() {
  const packed = byId("plotly");
  packed.replaceWith(make("script", await inflated(fromBase64(packed.textContent)).text()));
  for (const holder of holders) near.observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => onPaper(true));
  addEventListener("afterprint", () => onPaper(false));
}
start();
