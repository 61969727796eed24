import type { CallInput, Template, TemplateEntry } from '../../main/ipc/contract.ts'

/** The template that a person has chosen for drawing; null for none. */
export interface TemplateChoice {
  readonly key: string | null
  /** What they wrote into its slots, by name; slots of other templates may be among them. */
  readonly slots: Readonly<Record<string, string>>
}

export const NO_TEMPLATE: TemplateChoice = { key: null, slots: {} }

/** The slots that a person fills by hand, the prompt's own left out. */
export function openSlots({ template }: Pick<TemplateEntry, 'template'>): (readonly [name: string, slot: Template['slots'][string]])[] {
  return Object.entries(template.slots).filter(([name]) => name !== 'subject')
}

/** What was written into the slots that the template has. */
export function filledSlots(of: Pick<TemplateEntry, 'template'>, slots: TemplateChoice['slots']): Record<string, string> {
  return Object.fromEntries(openSlots(of).flatMap(([name]) => (slots[name]?.trim() ? [[name, slots[name]]] : [])))
}

/** What a call is told of the choice: the template by its key, and only slots that were filled. */
export function templateUse(
  templates: readonly TemplateEntry[] | undefined, { key, slots }: TemplateChoice,
): CallInput<'studio.generate'>['template'] {
  const entry = templates?.find((one) => one.key === key)
  if (entry === undefined) return undefined
  return { use: entry.key, slots: filledSlots(entry, slots) }
}
