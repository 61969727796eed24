import { COLOURS, SKINS } from '../../../native-models/starter/world/colours.ts'

/** The colours that a prompt asks for; null for what it does not say. */
export interface PromptColours {
  readonly skin: string | null
  readonly background: string | null
}

const SKIN = wordBefore('skin', Object.keys(SKINS))
const BACKGROUND = wordBefore('background', Object.keys(COLOURS))

/** The colours in a prompt such as "a hand, tan skin, blue background". */
export function coloursOf(prompt: string): PromptColours {
  return { skin: SKIN(prompt), background: BACKGROUND(prompt) }
}

function wordBefore(noun: string, words: readonly string[]): (prompt: string) => string | null {
  const pattern = new RegExp(String.raw`\b(${words.join('|')})\s+${noun}\b`, 'i')
  return (prompt) => pattern.exec(prompt)?.[1]?.toLowerCase() ?? null
}
