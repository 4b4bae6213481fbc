// Between the map and the window.

/** Where the window lies on the map. */
export class View {
  constructor() {
    Object.assign(this, {x: 0, y: 0, scale: 1, width: 1, height: 1});
  }

  /** Show all of a map, beside what covers part of the window. */
  fit(low, high, room) {
    const width = high[0] - low[0] || 1, height = high[1] - low[1] || 1;
    this.scale = 0.88 * Math.min((this.width - room.right) / width, (this.height - room.bottom - room.top) / height);
    this.x = (low[0] + high[0]) / 2 + room.right / 2 / this.scale;
    this.y = (low[1] + high[1]) / 2 + (room.top - room.bottom) / 2 / this.scale;
    this.home = this.scale;
  }

  /** Stay over a map: however far somebody drags, its rows can be found again. */
  keep(low, high) {
    this.x = Math.max(low[0], Math.min(high[0], this.x));
    this.y = Math.max(low[1], Math.min(high[1], this.y));
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y - (top - this.height / 2) / this.scale];
  }

  pan(right, down) {
    this.x -= right / this.scale;
    this.y += down / this.scale;
  }

  /** Grow by a factor around a place of the window. */
  zoom(factor, left, top) {
    const [x, y] = this.toMap(left, top);
    this.scale = Math.max(this.home / 3, Math.min(this.home * 4000, this.scale * factor));
    const [nowX, nowY] = this.toMap(left, top);
    this.x += x - nowX;
    this.y += y - nowY;
  }
}
