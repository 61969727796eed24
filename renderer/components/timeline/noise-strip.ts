const WIDTH = 320
const HEIGHT = 22

/** Draws what the chain does, from left to right: noise out of which a picture emerges. Drawn in code, the same every time. */
export function drawNoise(canvas: HTMLCanvasElement): void {
  canvas.width = WIDTH
  canvas.height = HEIGHT
  const context = canvas.getContext('2d')
  if (context === null) return
  const image = context.createImageData(WIDTH, HEIGHT)
  const noise = uniform(7)
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const amount = Math.cos((Math.PI / 2) * (x / WIDTH)) ** 1.5
      const at = 4 * (y * WIDTH + x)
      scenery(x, y).forEach((colour, channel) => (image.data[at + channel] = colour * (1 - amount) + 255 * noise() * amount))
      image.data[at + 3] = 255
    }
  }
  context.putImageData(image, 0, 0)
}

/** Hills under an evening sky. */
function scenery(x: number, y: number): readonly [number, number, number] {
  const height = y / HEIGHT
  const ridge = (base: number, size: number, length: number, shift: number): boolean => {
    return height > base + size * Math.sin((x + shift) / length) + (size / 2) * Math.sin((x + 3 * shift) / (0.37 * length))
  }
  if (ridge(0.78, 0.07, 19, 4)) return [22, 62, 58]
  if (ridge(0.55, 0.12, 31, 90)) return [47, 108, 98]
  return [236 - 40 * height, 196 - 60 * height, 150 + 10 * height]
}

/** A small generator of numbers in [0, 1) (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
