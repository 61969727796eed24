import type { Adapter } from '../../main/ipc/contract.ts'
import { byteWords } from './size.ts'

const FAMILIES: Readonly<Record<NonNullable<Adapter['summary']['family']>, string>> = { sd1: 'SD 1', sd2: 'SD 2', sdxl: 'SD XL' }

/** `for SD 1 · rank 8 · 1.6 MB`, as much of it as the file tells. */
export function adapterWords({ summary, bytes }: Pick<Adapter, 'summary' | 'bytes'>): string {
  const family = summary.family && `for ${FAMILIES[summary.family]}`
  const rank = summary.ranks.length === 0 ? undefined : `rank ${summary.ranks.join(', ')}`
  return [family, rank, byteWords(bytes)].filter(Boolean).join(' · ')
}

const ORIGINS: Readonly<Record<Adapter['origin'], string>> = { run: 'Trained here', import: 'Imported', merge: 'Merged here' }

export function originWords({ origin }: Pick<Adapter, 'origin'>): string {
  return ORIGINS[origin]
}

/** `0.8`, `−0.5`: a strength as sliders show it. */
export function strengthWords(strength: number): string {
  return strength.toFixed(2).replace(/0$/, '').replace('-', '−')
}
