import type { Denoiser } from './denoiser.ts'

/** The same denoiser, with a count of what was asked of it: estimators are compared at equal cost. */
export function counted(denoiser: Denoiser): { readonly denoiser: Denoiser; readonly cost: { forwards: number; vjps: number } } {
  const cost = { forwards: 0, vjps: 0 }
  return {
    cost,
    denoiser: {
      parameterCount: denoiser.parameterCount,
      predict: (...args) => {
        cost.forwards++
        return denoiser.predict(...args)
      },
      vjp: (...args) => {
        cost.vjps++
        return denoiser.vjp(...args)
      },
    },
  }
}
