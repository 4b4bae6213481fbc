// What a model made of a code as a picture.

/** Pixels of a row, channel by channel, onto a canvas of its size. */
export function drawImage(canvas, row, [channels, height, width], [low, high]) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height), area = width * height;
  for (let i = 0; i < area; i++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * i + channel] = (255 * (row[channels === 1 ? i : channel * area + i] - low)) / (high - low);
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
