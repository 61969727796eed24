/** Slots as people write them, one per line: `colour: red, green, blue`. */
export function slotText(slots: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(slots).map(([name, values]) => `${name}: ${values.join(', ')}`).join('\n')
}

/** What such lines say; lines without a name or values say nothing. */
export function parseSlots(text: string): Record<string, string[]> {
  const entries = linesOf(text).flatMap((line) => {
    const at = line.indexOf(':')
    const name = line.slice(0, Math.max(0, at)).trim()
    const values = line.slice(at + 1).split(',').map((value) => value.trim()).filter(Boolean)
    return at < 1 || name === '' || values.length === 0 ? [] : [[name, values] as const]
  })
  return Object.fromEntries(entries)
}

/** Lines that say something. */
export function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter(Boolean)
}
