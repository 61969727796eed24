import type { WeightSource } from '../weights/weight-source.ts'

/** A network found in a single file: its weights under diffusers' names, and a config in diffusers' form. */
export interface Found {
  readonly weights: WeightSource
  /** What the shapes tell, completed by the standard of the family. */
  readonly config: Readonly<Record<string, unknown>>
  /** What had to be assumed for this model, one sentence each. */
  readonly assumptions: readonly string[]
}

/** 32 groups, as in all published models; fewer where 32 would not divide the channels. */
export function standardGroups(channels: readonly number[]): number {
  return [32, 16, 8, 4, 2].find((groups) => channels.every((count) => count % groups === 0)) ?? 1
}
