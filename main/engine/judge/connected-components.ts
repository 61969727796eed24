/** A picture's pixels as yes or no, row by row. */
export interface Mask {
  readonly width: number
  readonly height: number
  /** 1 inside, 0 outside. */
  readonly data: Uint8Array
}

/** Which pixels count as neighbours: those that share a side, or those that share a corner as well. */
export type Connectivity = 4 | 8

const SIDES = [[1, 0], [-1, 0], [0, 1], [0, -1]] as const
const CORNERS = [[1, 1], [1, -1], [-1, 1], [-1, -1]] as const
type Step = readonly [x: number, y: number]
export const NEIGHBOURS: Readonly<Record<Connectivity, readonly Step[]>> = { 4: SIDES, 8: [...SIDES, ...CORNERS] }

/** The connected parts of what is inside, each as its pixels, the largest first. */
export function componentsOf({ width, height, data }: Mask, connectivity: Connectivity): number[][] {
  const left = Uint8Array.from(data)
  const components: number[][] = []
  for (let start = 0; start < left.length; start++) {
    if (left[start] === 0) continue
    left[start] = 0
    const component = [start]
    // The list grows while it is walked: a breadth-first search with the component itself as the queue.
    for (const pixel of component) {
      const [x, y] = [pixel % width, Math.floor(pixel / width)]
      for (const [dx, dy] of NEIGHBOURS[connectivity]) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue
        const next = pixel + dy * width + dx
        if (left[next] === 0) continue
        left[next] = 0
        component.push(next)
      }
    }
    components.push(component)
  }
  return components.sort((a, b) => b.length - a.length)
}

/** A mask of these pixels. */
export function maskOf(pixels: readonly number[], width: number, height: number): Mask {
  const data = new Uint8Array(width * height)
  for (const pixel of pixels) data[pixel] = 1
  return { width, height, data }
}
