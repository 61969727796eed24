/** Where the series and the continued fraction are both quick. */
const BORDER = 2

/** erfc(x) = 2/√π ∫ₓ^∞ exp(−t²) dt for x ≥ 0, to a relative error of about 1e-13 (Abramowitz and Stegun 7.1.6 and 7.1.14). */
export function complementaryError(x: number): number {
  if (!(x >= 0)) throw new RangeError(`${x} is not in the range of erfc that is needed here`)
  return x < BORDER ? 1 - errorSeries(x) : errorFraction(x)
}

/** erf(x) = 2/√π exp(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)) */
function errorSeries(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** erfc(x) = exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + …)))), from the inside out. */
function errorFraction(x: number): number {
  let value = x
  for (let n = 120; n > 0; n--) value = x + n / 2 / value
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / value
}
