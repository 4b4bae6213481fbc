// Rows by where they lie on a map: who is near a place, and who is within a shape.

/** A map cut into square cells, with the rows of each. */
export class Grid {
  /** @param {Float32Array} places Two numbers per row. @param {number} perCell About how many rows share a cell. */
  constructor(places, perCell = 2) {
    const n = places.length / 2;
    this.places = places;
    this.low = [Infinity, Infinity];
    this.high = [-Infinity, -Infinity];
    for (let i = 0; i < places.length; i++) {
      this.low[i % 2] = Math.min(this.low[i % 2], places[i]);
      this.high[i % 2] = Math.max(this.high[i % 2], places[i]);
    }
    const width = this.high[0] - this.low[0] || 1, height = this.high[1] - this.low[1] || width;
    this.side = Math.max(Math.sqrt((width * height * perCell) / n), Math.max(width, height) / 2000);
    this.columns = Math.floor(width / this.side) + 1;
    this.lines = Math.floor(height / this.side) + 1;
    this.starts = new Uint32Array(this.columns * this.lines + 1);
    const cells = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      cells[i] = this.line(places[2 * i + 1]) * this.columns + this.column(places[2 * i]);
      this.starts[cells[i] + 1]++;
    }
    for (let i = 1; i < this.starts.length; i++) this.starts[i] += this.starts[i - 1];
    const next = this.starts.slice();
    this.rows = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.rows[next[cells[i]]++] = i;
  }

  column(x) {
    return Math.max(0, Math.min(this.columns - 1, Math.floor((x - this.low[0]) / this.side)));
  }

  line(y) {
    return Math.max(0, Math.min(this.lines - 1, Math.floor((y - this.low[1]) / this.side)));
  }

  /** The k rows nearest to a place, nearest first, with their distances. */
  nearest(x, y, k) {
    const found = [], column = this.column(x), line = this.line(y), {places, rows, starts} = this;
    // of a place outside the map: how far it is from the cell that counts as its own
    const inset = Math.min(x - this.low[0] - column * this.side, y - this.low[1] - line * this.side,
      this.low[0] + (column + 1) * this.side - x, this.low[1] + (line + 1) * this.side - y);
    const last = Math.max(this.columns, this.lines);
    for (let ring = 0; ring <= last; ring++) {
      if (found.length === k && found[k - 1].distance <= (ring - 1) * this.side + Math.max(0, inset)) break;
      for (let i = line - ring; i <= line + ring; i++) {
        if (i < 0 || i >= this.lines) continue;
        const isEdge = i === line - ring || i === line + ring;
        for (let j = column - ring; j <= column + ring; j += isEdge ? 1 : 2 * ring || 1) {
          if (j < 0 || j >= this.columns) continue;
          for (let at = starts[i * this.columns + j]; at < starts[i * this.columns + j + 1]; at++) {
            const row = rows[at], distance = Math.hypot(places[2 * row] - x, places[2 * row + 1] - y);
            if (found.length < k || distance < found[found.length - 1].distance) insert(found, {row, distance}, k);
          }
        }
      }
    }
    return found;
  }

  /** Whether any row lies within a distance, or may do so. */
  mayReach(x, y, distance) {
    if (x < this.low[0] - distance || x > this.high[0] + distance || y < this.low[1] - distance || y > this.high[1] + distance) return false;
    for (let i = this.line(y - distance); i <= this.line(y + distance); i++) {
      const start = i * this.columns;
      if (this.starts[start + this.column(x - distance)] < this.starts[start + this.column(x + distance) + 1]) return true;
    }
    return false;
  }

  /** Rows within a polygon of places. @param {number[][]} polygon */
  within(polygon) {
    const found = [], xs = polygon.map(([x]) => x), ys = polygon.map(([, y]) => y);
    const bottom = this.line(Math.min(...ys)), top = this.line(Math.max(...ys));
    const left = this.column(Math.min(...xs)), right = this.column(Math.max(...xs));
    for (let i = bottom; i <= top; i++) {
      for (let at = this.starts[i * this.columns + left]; at < this.starts[i * this.columns + right + 1]; at++) {
        const row = this.rows[at];
        if (isInside(this.places[2 * row], this.places[2 * row + 1], polygon)) found.push(row);
      }
    }
    return found;
  }
}

/** Put something in the order of its distance into a list of at most k. */
function insert(list, item, k) {
  let at = list.length;
  while (at > 0 && list[at - 1].distance > item.distance) at--;
  list.splice(at, 0, item);
  if (list.length > k) list.pop();
}

/** Whether a line from a place outwards crosses a polygon an odd number of times. */
function isInside(x, y, polygon) {
  let inside = false;
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon.at(i - 1);
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  });
  return inside;
}
