/** An update met NaN or infinity; it is taken back and another one is tried. */
export class NotFinite extends Error {
  /** What was not finite, in the words of a sentence: `the gradient`. */
  readonly what: string

  constructor(what: string) {
    super(`${what} is not finite`)
    this.name = 'NotFinite'
    this.what = what
  }
}

/** Throws {@link NotFinite} when any of the numbers is NaN or infinite. */
export function requireFinite(what: string, numbers: Float32Array | Float64Array): void {
  if (!isFinite(numbers)) throw new NotFinite(what)
}

export function isFinite(numbers: Float32Array | Float64Array): boolean {
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false
  return true
}
