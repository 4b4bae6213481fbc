// Who shows the page in a frame, such as a notebook: hears of what is selected, and may select.

const ABOUT = "vaetools selection";

/** Say which rows are selected. @param {number[]} rows */
export function tell(rows) {
  if (parent !== window) parent.postMessage({about: ABOUT, rows}, "*");
}

/** Call a function with rows that are to be selected. @param {(rows: number[]) => void} act */
export function hear(act) {
  addEventListener("message", event => {
    if (parent !== window && event.source === parent && event.data?.about === ABOUT) act(event.data.rows);
  });
}
