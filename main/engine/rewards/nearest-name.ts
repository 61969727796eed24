/** The name that a person most likely meant, if any is near: within a third of its letters, and two at least. */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  const ranked = names.map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
  const [best] = ranked.sort((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= Math.max(2, best.name.length / 3) ? best.name : undefined
}

/** The remedy for a name that is not known: the one that was meant, or all there are. */
export function didYouMean(word: string, names: readonly string[]): string {
  const nearest = nearestName(word, names)
  return nearest === undefined ? `Use one of ${names.join(', ')}.` : `Did you mean ${nearest}?`
}

/** Letters to insert, remove or replace to get from one word to the other (Levenshtein 1966), row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
