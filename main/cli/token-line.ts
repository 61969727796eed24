/** A text and its ids, repeated padding at the end left out: `"a fox": 49406 320 3240 49407 … (77 ids, the rest 49407)`. */
export function tokenLine(text: string, ids: readonly number[]): string {
  const padding = ids.at(-1)
  const listed = ids.slice(0, ids.findLastIndex((id) => id !== padding) + 2)
  const rest = listed.length === ids.length ? '' : ` … (${ids.length} ids, the rest ${padding ?? ''})`
  return `${JSON.stringify(text)}: ${listed.join(' ')}${rest}`
}
