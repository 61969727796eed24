/** `halfstep judge` in words. */
import type { Verdict } from '../engine/judge/judge-picture.ts'
import type { Summary } from '../engine/judge/summarise.ts'
import type { Proportion } from '../engine/statistics/proportion.ts'
import { plural } from './figures.ts'
import type { Colors } from './terminal.ts'

/** `✓ hand.png: 5 fingers, tan skin on blue, thumb on the left, outlined` */
export function verdictLine(path: string, verdict: Verdict, colors: Colors): string {
  const mark = verdict.wellFormed ? colors.green('✓') : colors.yellow('!')
  return `${mark} ${path}: ${verdict.isHand ? handWords(verdict) : 'no hand'}, ${colourWords(verdict)}${faultWords(verdict)}`
}

/** Counts and shares with their 95 % intervals. */
export function summaryLines({ pictures, counts, wellFormed, noHand }: Summary): string[] {
  const hands = Object.entries(counts).filter(([fingers]) => fingers !== '0').map(([fingers, count]) => `${fingers} fingers ${count}`)
  return [
    `${plural(pictures, 'picture')}${hands.length === 0 ? '' : `: ${hands.join(', ')}`}`,
    `  well-formed  ${share(wellFormed)}`,
    `  no hand      ${share(noHand)}`,
  ]
}

function handWords({ fingers, thumbSide, outlined }: Verdict): string {
  const words = [
    plural(fingers, 'finger'),
    thumbSide === null ? null : `thumb on the ${thumbSide}`,
    outlined === true ? 'outlined' : null,
  ]
  return words.filter((word) => word !== null).join(', ')
}

function colourWords({ skin, skinName, background }: Verdict): string {
  if (skin === null) return `${background} all over`
  const hex = skin.map((level) => Math.round(255 * level).toString(16).padStart(2, '0')).join('')
  return `${skinName ?? 'unusual'} skin (#${hex}) on ${background}`
}

function faultWords({ faults }: Verdict): string {
  return faults.length === 0 ? '' : `; not well-formed: ${faults.join(', ')}`
}

/** `11 of 12, 91.7 % (64.6 to 98.5)` */
export function share({ successes, trials, share: value, low, high }: Proportion): string {
  const percent = (part: number): string => (100 * part).toFixed(1)
  return `${successes} of ${trials}, ${percent(value)} % (${percent(low)} to ${percent(high)})`
}
