import type { Apply } from '../rlr/algorithm.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import { addTo } from '../rlr/batch-arithmetic.ts'

/**
 * Gradient accumulation: several batches whose gradients are averaged before each optimizer step. An algorithm may take several
 * steps per batch, so the batches run in rounds: each one in turn up to its next gradient, then one step along the mean, then
 * each goes on with the new θ. One at a time and in a fixed order, so that sums come out the same to the bit.
 *
 * @param update runs a batch, calling `apply` for each of its optimizer steps
 * @param apply takes the step
 */
export async function accumulate<S>(count: number, update: (batch: number, apply: Apply) => Promise<S>, apply: Apply): Promise<S[]> {
  if (count === 1) return [await update(0, apply)]
  const lanes = Array.from({ length: count }, (_, batch) => new Lane((gradientReady) => update(batch, gradientReady)))
  let theta: Parameters = new Float32Array()
  for (;;) {
    let sum: Parameters | undefined
    for (const lane of lanes) {
      const gradient = await lane.next(theta)
      if (gradient === undefined) continue
      sum ??= new Float32Array(gradient.length)
      addTo(sum, gradient, 1 / count)
    }
    if (sum === undefined) return Promise.all(lanes.map(({ result }) => result))
    theta = await apply(sum)
  }
}

/** A batch that stands still between its gradients. */
class Lane<S> {
  readonly #run: (apply: Apply) => Promise<S>
  #started: Promise<S> | undefined
  #gradient = Promise.withResolvers<Parameters | undefined>()
  #stepTaken = Promise.withResolvers<Parameters>()

  constructor(run: (apply: Apply) => Promise<S>) {
    this.#run = run
  }

  /** Goes on with θ to the next gradient; undefined when there is none any more. */
  next(theta: Parameters): Promise<Parameters | undefined> {
    this.#gradient = Promise.withResolvers()
    this.#stepTaken.resolve(theta)
    if (this.#started === undefined) {
      this.#started = this.#run((gradient) => {
        this.#stepTaken = Promise.withResolvers()
        this.#gradient.resolve(gradient)
        return this.#stepTaken.promise
      })
    }
    this.#started.then(
      () => this.#gradient.resolve(undefined),
      (error: unknown) => this.#gradient.reject(error),
    )
    return this.#gradient.promise
  }

  get result(): Promise<S> {
    return this.#started ?? Promise.reject(new Error('the batch has not begun'))
  }
}
