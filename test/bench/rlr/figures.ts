/** Figures as reports write them. */
import type { Mean } from '../../../main/engine/evaluation/mean.ts'

/** `0.98 ± 0.01`, or the value alone where it has no error. @param decimals fixed ones; three significant digits otherwise */
export function withError({ value, standardError }: Mean, decimals?: number): string {
  const format = (number: number): string => (decimals === undefined ? digits(number) : number.toFixed(decimals))
  return Number.isFinite(standardError) ? `${format(value)} ± ${format(standardError)}` : format(value)
}

/** Three significant ones. */
export function digits(value: number): string {
  return String(Number(value.toPrecision(3)))
}
