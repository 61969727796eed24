import type { Random } from '../random/random.ts'

/**
 * The prompts of a batch: every prompt once in random order, then all again in another order, and so on.
 * @param count prompts per batch, at most as many as there are
 * @param index which batch
 */
export function promptsOfBatch(prompts: readonly string[], count: number, index: number, random: Random): string[] {
  return Array.from({ length: count }, (_, k) => {
    const place = index * count + k
    const round = Math.floor(place / prompts.length)
    const order = random.permutation('shuffle', [round], prompts.length)
    return prompts[order[place % prompts.length] ?? 0] ?? ''
  })
}
