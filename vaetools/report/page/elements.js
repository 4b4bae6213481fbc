// Elements of a page, and pictures of rows on them.

export const byId = id => document.getElementById(id);

/** @param {string} tag @param {string} text @param {string} name Of its class. */
export function make(tag, text = "", name = "") {
  return Object.assign(document.createElement(tag), {textContent: text, className: name});
}

/** A color of the page's style, such as "--ink". @param {string} name */
export const styled = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * A row's picture onto a canvas.
 * @param {{image: HTMLImageElement, width: number, height: number, n_columns: number}} sprites All pictures in one.
 */
export function drawThumb(canvas, {image, width, height, n_columns: nColumns}, row) {
  Object.assign(canvas, {width, height});
  canvas.getContext("2d").drawImage(image, (row % nColumns) * width, Math.floor(row / nColumns) * height, width, height, 0, 0, width, height);
}
