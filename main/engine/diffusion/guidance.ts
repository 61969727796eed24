import { timesPerSample } from '../rlr/batch-arithmetic.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/**
 * Classifier-free guidance (Ho & Salimans 2022), e = e_u + w (e_c − e_u), with a scale w per sample of the batch.
 * @param unconditional e_u, of the negative prompt @param conditional e_c, both [b, …]
 */
export function guide(unconditional: FloatTensor, conditional: FloatTensor, scales: readonly number[]): FloatTensor {
  const size = conditional.data.length / scales.length
  const guided = conditional.data.map((c, i) => {
    const u = unconditional.data[i]!
    return u + scales[Math.floor(i / size)]! * (c - u)
  })
  return float32(conditional.shape, guided)
}

/** What of an upstream gradient u = dL/de [b, …] arrives at each branch: w · u at e_c and (1 − w) · u at e_u. */
export function branchGradients(u: FloatTensor, scales: readonly number[]): { conditional: FloatTensor; unconditional: FloatTensor } {
  return { conditional: timesPerSample(scales, u), unconditional: timesPerSample(scales.map((scale) => 1 - scale), u) }
}

/** Whether guidance changes anything: with w = 1 everywhere, e is e_c. */
export function isGuided(scales: readonly number[]): boolean {
  return scales.some((scale) => scale !== 1)
}
