// Dots and pictures drawn into an array of pixels: as fast with 100,000 rows where there is no graphics card.

/** A color as a canvas keeps it: 0xAABBGGRR. @param {string} color Hexadecimal, such as "#0072B2". */
export function packedColor(color) {
  const number = parseInt(color.slice(1), 16);
  return 0xff000000 | ((number & 255) << 16) | (number & 0xff00) | (number >> 16);
}

/** Two packed colors mixed; a share of 256 is all of the second. */
export function mixed(below, above, share) {
  const redBlue = below & 0xff00ff, green = below & 0xff00;
  return 0xff000000
    | ((redBlue + (Math.imul((above & 0xff00ff) - redBlue, share) >> 8)) & 0xff00ff)
    | ((green + (Math.imul((above & 0xff00) - green, share) >> 8)) & 0xff00);
}

/** The pixels of a canvas. */
export class Frame {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", {alpha: false});
    this.discs = new Map();
  }

  resize(width, height) {
    if (this.image?.width === width && this.image.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.context.createImageData(width, height);
    this.pixels = new Int32Array(this.image.data.buffer);
    this.width = width;
    this.height = height;
  }

  clear(color) {
    this.pixels.fill(color);
  }

  /** Fill all of it with shades between levels that lie in cells; beyond the cells with the last shade. */
  shade({levels, columns, lines}, {left, top, cell}, shades) {
    const {pixels, width, height} = this, places = new Int32Array(width), shares = new Float32Array(width);
    for (let x = 0; x < width; x++) {
      const at = Math.max(-1, Math.min(columns, (x + 0.5 - left) / cell - 0.5));
      places[x] = Math.min(columns, Math.floor(at) + 1);
      shares[x] = at + 1 - places[x];
    }
    const line = new Float32Array(columns + 2).fill(255);
    for (let y = 0; y < height; y++) {
      const at = (y + 0.5 - top) / cell - 0.5, above = Math.floor(at), share = at - above;
      for (let i = 0; i < columns; i++) {
        const one = above < 0 || above >= lines ? 255 : levels[above * columns + i];
        const other = above < -1 || above >= lines - 1 ? 255 : levels[(above + 1) * columns + i];
        line[i + 1] = one + (other - one) * share;
      }
      for (let x = 0, place = y * width; x < width; x++, place++) {
        const i = places[x];
        pixels[place] = shades[(line[i] + (line[i + 1] - line[i]) * shares[x]) | 0];
      }
    }
  }

  show() {
    this.context.putImageData(this.image, 0, 0);
  }

  /** How much of every pixel a disc covers, of 256. */
  disc(radius) {
    const key = Math.round(radius * 4);
    if (!this.discs.has(key)) {
      const reach = Math.ceil(key / 4), side = 2 * reach + 1, mask = new Uint16Array(side * side);
      for (let i = 0; i < mask.length; i++) {
        const distance = Math.hypot((i % side) - reach, Math.floor(i / side) - reach);
        mask[i] = 256 * Math.max(0, Math.min(1, key / 4 + 0.5 - distance));
      }
      this.discs.set(key, {reach, side, mask});
    }
    return this.discs.get(key);
  }

  /**
   * Draw dots, as many as 100,000 of them: everything in one loop, and numbers in the order in which they are drawn.
   * @param {Float32Array} places Two numbers per dot. @param {Int32Array} colors
   * @param {Uint8Array | null} opacities Of 256, of every dot; or one for all of them.
   */
  dots(places, colors, opacities, opacity, {reach, side, mask}, {left, top, scale}) {
    const {pixels, width, height} = this, right = width - side + reach, bottom = height - side + reach;
    for (let i = 0; i < colors.length; i++) {
      const x = (left + places[2 * i] * scale + 0.5) | 0, y = (top - places[2 * i + 1] * scale + 0.5) | 0;
      if (x < reach || y < reach || x > right || y > bottom) continue;
      const above = colors[i], redBlue = above & 0xff00ff, green = above & 0xff00, share = opacities ? opacities[i] : opacity;
      if (!share) continue;
      for (let row = 0, at = 0; row < side; row++) {
        for (let place = (y - reach + row) * width + x - reach, end = place + side; place < end; place++, at++) {
          const part = (mask[at] * share) >> 8, below = pixels[place];
          if (!part) continue;
          const under = below & 0xff00ff, lower = below & 0xff00;
          pixels[place] = 0xff000000 | ((under + (Math.imul(redBlue - under, part) >> 8)) & 0xff00ff)
            | ((lower + (Math.imul(green - lower, part) >> 8)) & 0xff00);
        }
      }
    }
  }

  /** Draw a picture of the atlas, its middle at a place. @param {Sprites} sprites */
  picture(x, y, size, sprites, row, color, opacity) {
    const {pixels, width, height} = this, scale = size / Math.max(sprites.width, sprites.height);
    const across = Math.round(sprites.width * scale), down = Math.round(sprites.height * scale);
    const left = Math.round(x - across / 2), top = Math.round(y - down / 2);
    const right = Math.min(width, left + across), bottom = Math.min(height, top + down);
    const stepX = sprites.width / across, stepY = sprites.height / down;
    for (let j = Math.max(0, top); j < bottom; j++) {
      const v = Math.max(0, Math.min(sprites.height - 1.001, (j - top + 0.5) * stepY - 0.5));
      for (let i = Math.max(0, left); i < right; i++) {
        const u = Math.max(0, Math.min(sprites.width - 1.001, (i - left + 0.5) * stepX - 0.5));
        const place = j * width + i;
        if (sprites.ink) {
          const share = (sprites.inkAt(row, u, v) * opacity) >> 8;
          if (share > 4) pixels[place] = mixed(pixels[place], color, share);
        } else {
          pixels[place] = mixed(pixels[place], sprites.colorAt(row, u, v), opacity);
        }
      }
    }
    return {left, top, right: left + across, bottom: top + down};
  }

  /** Draw the edge of a rectangle. */
  edge({left, top, right, bottom}, color) {
    const {pixels, width, height} = this;
    for (let i = Math.max(0, left); i < Math.min(width, right); i++) {
      if (top >= 0 && top < height) pixels[top * width + i] = color;
      if (bottom > 0 && bottom <= height) pixels[(bottom - 1) * width + i] = color;
    }
    for (let j = Math.max(0, top); j < Math.min(height, bottom); j++) {
      if (left >= 0 && left < width) pixels[j * width + left] = color;
      if (right > 0 && right <= width) pixels[j * width + right - 1] = color;
    }
  }
}

/** All pictures of rows, cut from one. */
export class Sprites {
  /** @param {HTMLImageElement} image @param {object} about Their size, and how many stand side by side. */
  constructor(image, {width, height, n_columns, may_be_ink: mayBeInk}, n) {
    Object.assign(this, {image, width, height, n_columns});
    const canvas = document.createElement("canvas"), context = canvas.getContext("2d", {willReadFrequently: true});
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    context.drawImage(image, 0, 0);
    this.stride = canvas.width;
    this.pixels = new Int32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    this.ink = null;
    if (mayBeInk) this.findInk(n);
  }

  /** Gray pictures on black or on white are drawn as ink of any color: what differs from their ground. */
  findInk(n) {
    const ink = Uint8Array.from(this.pixels, pixel => pixel & 255), grounds = [0, 0];
    const step = Math.max(1, Math.floor(n / 200));
    for (let row = 0; row < n; row += step) {
      const start = this.start(row), last = start + (this.height - 1) * this.stride;
      for (const corner of [start, start + this.width - 1, last, last + this.width - 1]) {
        if (ink[corner] < 48) grounds[0]++;
        if (ink[corner] > 207) grounds[1]++;
      }
    }
    const most = 4 * Math.ceil(n / step) * 0.7;
    if (grounds[0] > most) this.ink = ink;
    else if (grounds[1] > most) this.ink = ink.map(level => 255 - level);
  }

  start(row) {
    return Math.floor(row / this.n_columns) * this.height * this.stride + (row % this.n_columns) * this.width;
  }

  inkAt(row, u, v) {
    const i = Math.floor(u), j = Math.floor(v), at = this.start(row) + j * this.stride + i, {ink, stride} = this;
    const top = ink[at] + (ink[at + 1] - ink[at]) * (u - i);
    const bottom = ink[at + stride] + (ink[at + stride + 1] - ink[at + stride]) * (u - i);
    return top + (bottom - top) * (v - j);
  }

  colorAt(row, u, v) {
    const i = Math.floor(u), j = Math.floor(v), at = this.start(row) + j * this.stride + i, {pixels, stride} = this;
    const across = Math.round(256 * (u - i));
    return mixed(mixed(pixels[at], pixels[at + 1], across), mixed(pixels[at + stride], pixels[at + stride + 1], across), Math.round(256 * (v - j)));
  }
}
