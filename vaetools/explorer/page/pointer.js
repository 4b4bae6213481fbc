// Mouse, fingers and keys on the map.

import {byId} from "../../report/page/elements.js";

const STILL = 5; // pixels that a click may move
const KEY_STEP = 14;

/** Turn what happens on the map into what the page can do. @param {import("./main.js").Explorer} app */
export function listen(app) {
  const {holder, view} = app.stage, fingers = new Map();
  let drag = null; // {start, last, kind}
  const placeOf = event => {
    const box = holder.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  holder.addEventListener("pointerdown", event => {
    if (event.button > 0 || event.target.closest("button, select, input, label")) return;
    app.touched();
    holder.setPointerCapture(event.pointerId);
    const place = placeOf(event);
    fingers.set(event.pointerId, place);
    const loops = app.loops || event.shiftKey;
    drag = {start: place, last: place, moved: false, kind: loops ? "loop" : event.pointerType === "mouse" ? "pan" : "look", loop: [place]};
    if (fingers.size === 2) drag.kind = "pinch";
    if (drag.kind === "look") app.look(place, true);
  });

  holder.addEventListener("pointermove", event => {
    const place = placeOf(event);
    if (!fingers.has(event.pointerId)) {
      if (event.target.closest("button, select, input, label")) return;
      app.touched();
      app.look(place);
      return;
    }
    const before = fingers.get(event.pointerId);
    fingers.set(event.pointerId, place);
    drag.moved ||= Math.hypot(place[0] - drag.start[0], place[1] - drag.start[1]) > STILL;
    if (drag.kind === "pinch") pinch(before, place, event.pointerId);
    else if (drag.kind === "loop") app.drawLoop(drag.loop = [...drag.loop, place]);
    else if (drag.kind === "look") app.look(place, true);
    else if (drag.moved) {
      view.pan(place[0] - drag.last[0], place[1] - drag.last[1]);
      app.moved();
    }
    drag.last = place;
  });

  const pinch = (before, now, id) => {
    const [, other] = [...fingers].find(([key]) => key !== id);
    const size = place => Math.hypot(place[0] - other[0], place[1] - other[1]);
    view.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    view.zoom(size(now) / Math.max(1, size(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    app.moved();
  };

  const end = event => {
    if (!fingers.delete(event.pointerId) || !drag) return;
    if (drag.kind === "loop" && drag.moved) app.selectLoop(drag.loop);
    else if (!drag.moved && drag.kind !== "pinch" && event.type === "pointerup") app.click(drag.start);
    if (!fingers.size) drag = null;
  };
  holder.addEventListener("pointerup", end);
  holder.addEventListener("pointercancel", end);
  holder.addEventListener("pointerleave", () => app.left());
  holder.addEventListener("wheel", event => {
    if (event.target.closest(".scrolls")) return;
    event.preventDefault();
    app.touched();
    view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...placeOf(event));
    app.moved();
  }, {passive: false});
  holder.addEventListener("dblclick", event => {
    view.zoom(2, ...placeOf(event));
    app.moved();
  });

  const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  holder.addEventListener("keydown", event => {
    if (event.target !== holder) return;
    const move = moves[event.key], middle = app.cursor ?? [view.width / 2, view.height / 2];
    if (move && event.shiftKey) view.pan(-60 * move[0], -60 * move[1]);
    else if (move) app.look([middle[0] + KEY_STEP * move[0], middle[1] + KEY_STEP * move[1]], true);
    else if (event.key === "+" || event.key === "=") view.zoom(1.4, ...middle);
    else if (event.key === "-") view.zoom(1 / 1.4, ...middle);
    else if (event.key === "Enter") app.click(middle);
    else if (event.key === "0") app.fit();
    else return;
    event.preventDefault();
    app.touched();
    app.moved();
  });
  addEventListener("keydown", event => {
    if (event.target.matches("input:not([type=range]), select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") app.escape();
    else if (event.key === "l") app.setLoops(!app.loops);
    else if (event.key === "/") {
      event.preventDefault();
      byId("search").focus();
    }
  });
}
