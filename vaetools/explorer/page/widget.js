// The page in a notebook: what is selected there goes to Python, and what is selected in Python goes there.

const ABOUT = "vaetools selection";

/** Show the page in a frame that may run its own script, and nothing else. */
function render({model, el}) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", model.get("sandbox"));
  frame.setAttribute("style", model.get("frame"));
  frame.srcdoc = model.get("page");
  let isHeard = false; // what comes from the page need not go back
  const hear = event => {
    if (event.source !== frame.contentWindow || event.data?.about !== ABOUT) return;
    isHeard = true;
    model.set("selection", event.data.rows);
    isHeard = false;
    model.save_changes();
  };
  const tell = () => {
    if (!isHeard) frame.contentWindow.postMessage({about: ABOUT, rows: model.get("selection")}, "*");
  };
  addEventListener("message", hear);
  model.on("change:selection", tell);
  el.append(frame);
  return () => {
    removeEventListener("message", hear);
    model.off("change:selection", tell);
  };
}

export default {render};
