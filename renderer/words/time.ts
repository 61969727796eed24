/** `40 s`, `3 min`, `1 h 20 min`, `2 days 4 h`: seconds as people say them, rounded to what matters. */
export function durationWords(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.round(whole / 60)
  if (minutes < 60) return `${minutes} min`
  if (minutes < 24 * 60) return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  const days = Math.floor(hours / 24)
  return joined(days, days === 1 ? 'day' : 'days', hours % 24, 'h')
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

const DAY_MS = 86_400_000

/** `just now`, `5 minutes ago`, `yesterday`, or the day: when something was, seen from `now`. */
export function sinceWords(when: string, now: Date = new Date()): string {
  const then = new Date(when)
  const seconds = (now.getTime() - then.getTime()) / 1000
  const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  if (seconds < 45) return 'just now'
  if (seconds < 3600) return relative.format(-Math.round(seconds / 60), 'minute')
  const days = Math.round((startOfDay(now) - startOfDay(then)) / DAY_MS)
  if (days === 0) return relative.format(-Math.round(seconds / 3600), 'hour')
  if (days < 7) return relative.format(-days, 'day')
  return then.toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
}
