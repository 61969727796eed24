import type { FloatTensor } from '../tensor/tensor.ts'
import { labPlanes } from './lab.ts'

/**
 * How different pictures are from one another: ΔE*ab of their pixels, averaged over pixels and over all pairs. 0 for pictures that
 * are all the same; meant for the pictures of one prompt. Grows with the square of their number.
 * @param pictures [b, 3, h, w], RGB in [0, 1]. 0 for fewer than two.
 */
export function pairwiseDistance(pictures: FloatTensor): number {
  const [count = 0] = pictures.shape
  if (count < 2) return 0
  const length = pictures.data.length / count
  const labs = Array.from({ length: count }, (_, i) => labPlanes(pictures.data.subarray(i * length, (i + 1) * length)))
  let sum = 0
  labs.forEach((a, i) => {
    for (const b of labs.slice(i + 1)) sum += meanDistance(a, b)
  })
  return sum / ((count * (count - 1)) / 2)
}

function meanDistance(a: Float32Array, b: Float32Array): number {
  const pixels = a.length / 3
  let sum = 0
  for (let i = 0; i < pixels; i++) {
    const [dl, da, db] = [a[i]! - b[i]!, a[i + pixels]! - b[i + pixels]!, a[i + 2 * pixels]! - b[i + 2 * pixels]!]
    sum += Math.sqrt(dl * dl + da * da + db * db)
  }
  return sum / pixels
}
