/**
 * Faults of a safetensors header that JSON.parse hides: keys that occur twice, numbers not written as plain unsigned
 * integers (`1.0`, `1e3`, `-0`), and texts with half a surrogate pair, none of which the reference reader's own parser
 * takes. The text must be valid JSON already, so a scan for its tokens is enough.
 */
export function checkHeaderText(text: string): string | undefined {
  /** Keys seen in each object that is open; null for an open array. */
  const open: (Set<string> | null)[] = []
  let position = 0
  while (position < text.length) {
    const character = text[position] ?? ''
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(null)
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const end = endOfString(text, position)
      const value: unknown = JSON.parse(text.slice(position, end))
      if (typeof value !== 'string' || !value.isWellFormed()) return 'its header holds a text that is not valid Unicode'
      const keys = open.at(-1)
      if (keys && isKey(text, end)) {
        if (keys.has(value)) return `its header holds the key ${value} twice`
        keys.add(value)
      }
      position = end
      continue
    } else if (NUMBER_START.test(character)) {
      const end = endOfNumber(text, position)
      const literal = text.slice(position, end)
      if (!UNSIGNED_INTEGER.test(literal)) return `its header holds the number ${literal} where a size is needed`
      position = end
      continue
    }
    position++
  }
  return undefined
}

const NUMBER_START = /[-0-9]/
const NUMBER_PART = /[-+.eE0-9]/
const UNSIGNED_INTEGER = /^[0-9]+$/

/** The position behind the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let position = start + 1
  while (text[position] !== '"') position += text[position] === '\\' ? 2 : 1
  return position + 1
}

function endOfNumber(text: string, start: number): number {
  let position = start
  while (NUMBER_PART.test(text[position] ?? '')) position++
  return position
}

/** Whether a string that ends here is a member's name: a colon follows. */
function isKey(text: string, end: number): boolean {
  let position = end
  while (WHITESPACE.has(text[position] ?? '')) position++
  return text[position] === ':'
}

const WHITESPACE: ReadonlySet<string> = new Set([' ', '\t', '\n', '\r'])
