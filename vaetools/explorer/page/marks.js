// What lies above the map and changes with the cursor: rings, lines and loops.

/** Show the map as it was drawn last, with all marks on it. @param {import("./main.js").Explorer} app */
export function drawMarks(app) {
  const {view, frame, holder} = app.stage, {context} = frame;
  if (!frame.image) return;
  frame.show();
  context.setTransform(frame.width / view.width, 0, 0, frame.height / view.height, 0, 0);
  const ink = getComputedStyle(holder).getPropertyValue("--ink").trim(), ground = getComputedStyle(holder).getPropertyValue("--stage").trim();
  const screen = row => view.toScreen(app.atlas.places[2 * row], app.atlas.places[2 * row + 1]);
  const ring = (place, radius, width) => {
    for (const [color, more] of [[ground, 2], [ink, 0]]) {
      context.beginPath();
      context.arc(...place, radius, 0, 2 * Math.PI);
      Object.assign(context, {lineWidth: width + more, strokeStyle: color});
      context.stroke();
    }
  };
  for (const row of app.ringed.slice(0, 2000)) ring(screen(row), 7, 1.5);
  if (app.picked.length === 2) {
    context.beginPath();
    context.moveTo(...screen(app.picked[0]));
    context.lineTo(...screen(app.picked[1]));
    context.setLineDash([5, 5]);
    Object.assign(context, {lineWidth: 1.5, strokeStyle: ink});
    context.stroke();
    context.setLineDash([]);
  }
  for (const row of app.picked) ring(screen(row), 12, 2);
  if (app.place) {
    const place = view.toScreen(...app.place);
    ring(place, app.pinned ? 8 : 5, 2);
    if (app.where) spokes(app, context, place, screen, ink);
  }
  if (app.loop) {
    context.beginPath();
    app.loop.forEach((place, i) => (i ? context.lineTo(...place) : context.moveTo(...place)));
    context.closePath();
    Object.assign(context, {lineWidth: 1.5, strokeStyle: ink, globalAlpha: 0.12, fillStyle: ink});
    context.fill();
    context.globalAlpha = 1;
    context.stroke();
  }
}

/** Lines from a place to the rows whose codes it is made of, as strong as they count. */
function spokes(app, context, place, screen, ink) {
  const {near, weights} = app.where;
  if (app.atlas.plane || near.length < 2) return;
  Object.assign(context, {lineWidth: 1.2, strokeStyle: ink});
  near.forEach(({row}, i) => {
    context.globalAlpha = Math.min(0.8, 0.1 + 2 * weights[i]);
    context.beginPath();
    context.moveTo(...place);
    context.lineTo(...screen(row));
    context.stroke();
  });
  context.globalAlpha = 1;
}
