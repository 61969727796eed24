import type { Rating } from '../../store/ratings.ts'

/**
 * The next two pictures to ask about: never a pair twice, and those first that were asked about least, so that every picture gets
 * its say soon. Null when every pair has been asked.
 */
export function nextPair(pictures: readonly string[], ratings: readonly Pick<Rating, 'left' | 'right'>[]): [string, string] | null {
  const asked = new Map(pictures.map((picture) => [picture, 0]))
  const pairs = new Set<string>()
  for (const { left, right } of ratings) {
    pairs.add(keyOf(left, right))
    for (const picture of [left, right]) asked.set(picture, (asked.get(picture) ?? 0) + 1)
  }
  // Sorting keeps the order of what is asked equally often.
  const order = pictures.toSorted((a, b) => asked.get(a)! - asked.get(b)!)
  for (const [i, left] of order.entries()) {
    const right = order.slice(i + 1).find((candidate) => !pairs.has(keyOf(left, candidate)))
    if (right !== undefined) return [left, right]
  }
  return null
}

const keyOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`)
