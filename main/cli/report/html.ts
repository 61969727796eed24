/** HTML and SVG as text in which nothing from outside can become markup. */

/** Text that is markup already. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What can stand in a template: lists one after another, nothing for null. */
export type Fragment = string | number | Markup | null | readonly Fragment[]

/** A template whose values are escaped, so that each is shown as it is, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly Fragment[]): Markup {
  return new Markup(strings.map((text, i) => text + textOf(values[i] ?? null)).join(''))
}

function textOf(value: Fragment): string {
  if (value === null) return ''
  if (value instanceof Markup) return value.text
  return typeof value === 'object' ? value.map(textOf).join('') : escaped(String(value))
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
