import { NEIGHBOURS, type Mask } from './connected-components.ts'
import type { Point } from './segment.ts'

/** A part of a figure that reaches away from a point. */
export interface Peak {
  /** The pixel that is furthest away. */
  readonly tip: number
  readonly tipRadius: number
  /** Where it meets a peak that reaches further; 0 for the furthest of all. tipRadius − saddleRadius is its persistence. */
  readonly saddleRadius: number
  /** Where it first meets another peak, whichever reaches further: from here outwards it stands alone. */
  readonly baseRadius: number
}

/** A part that is growing inwards. */
interface Branch {
  readonly tip: number
  readonly tipRadius: number
  baseRadius: number | undefined
}

/**
 * The peaks of the distance from `centre` over a figure, the furthest first. Pixels are taken from the outermost inwards; each
 * begins a branch or joins those beside it, and where two branches meet, the shorter ends. Only those that stand out by
 * `persistence` or more count (Edelsbrunner, Letscher and Zomorodian 2002).
 */
export function radialPeaks({ width, height, data }: Mask, centre: Point, persistence: number): Peak[] {
  const radii = new Float32Array(data.length)
  const order: number[] = []
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue
    const [dx, dy] = [(i % width) - centre.x, Math.floor(i / width) - centre.y]
    radii[i] = Math.sqrt(dx * dx + dy * dy)
    order.push(i)
  }
  order.sort((a, b) => radii[b]! - radii[a]!)
  const parents = new Int32Array(data.length).fill(-1)
  const branches = new Map<number, Branch>()
  const peaks: Peak[] = []

  const rootOf = (pixel: number): number => {
    let root = pixel
    while (parents[root] !== root) root = parents[root]!
    for (let i = pixel; i !== root;) {
      const next = parents[i]!
      parents[i] = root
      i = next
    }
    return root
  }

  for (const pixel of order) {
    const radius = radii[pixel]!
    parents[pixel] = pixel
    branches.set(pixel, { tip: pixel, tipRadius: radius, baseRadius: undefined })
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    for (const [dx, dy] of NEIGHBOURS[4]) {
      if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue
      const neighbour = pixel + dy * width + dx
      if (parents[neighbour] === -1) continue
      const [here, there] = [rootOf(pixel), rootOf(neighbour)]
      if (here === there) continue
      const [shorter, longer] = branches.get(here)!.tipRadius < branches.get(there)!.tipRadius ? [here, there] : [there, here]
      const [ending, going] = [branches.get(shorter)!, branches.get(longer)!]
      if (ending.tipRadius - radius >= persistence) {
        going.baseRadius ??= radius
        peaks.push({ tip: ending.tip, tipRadius: ending.tipRadius, saddleRadius: radius, baseRadius: ending.baseRadius ?? radius })
      }
      parents[shorter] = longer
      branches.delete(shorter)
    }
  }
  // What never met a longer one: the furthest of each separate part.
  for (const { tip, tipRadius, baseRadius = 0 } of branches.values()) peaks.push({ tip, tipRadius, saddleRadius: 0, baseRadius })
  return peaks.sort((a, b) => b.tipRadius - a.tipRadius)
}
