/** `Hands five fingers` from `hands-five-fingers`: built-in templates are named for files. */
export function templateTitle(name: string): string {
  const words = name.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
