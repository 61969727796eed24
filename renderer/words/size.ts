const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB']

/** `4.3 GB`: bytes in powers of 1000, as disks and devices are sold. */
export function byteWords(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const value = bytes / 1000 ** power
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[power] ?? ''}`
}

/** `859 million`, `1.2 billion`: how many, for people. */
export function countWords(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} billion`
  if (count >= 1e6) return `${Math.round(count / 1e6)} million`
  return count.toLocaleString('en')
}

/** `1 picture`, `3 pictures`. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}
