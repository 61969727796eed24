import { HalfstepError } from '../../engine/errors.ts'
import { oneLine } from './caption-files.ts'

/** A change to many captions at once. */
export type CaptionEdit =
  /** Every place where `find` stands, upper and lower case being different. */
  | { readonly kind: 'replace'; readonly find: string; readonly replace: string }
  /** At the beginning or the end, unless the caption has that tag already. */
  | { readonly kind: 'add-tag'; readonly tag: string; readonly place: 'front' | 'back' }
  | { readonly kind: 'remove-tag'; readonly tag: string }
  | { readonly kind: 'set'; readonly caption: string }

/** The caption after an edit; the same where there is nothing to change. Tags are what stands between commas. */
export function editCaption(caption: string, edit: CaptionEdit): string {
  switch (edit.kind) {
    case 'replace':
      if (edit.find === '') throw new HalfstepError('usage', 'There is nothing to look for.', 'Say which text is to be replaced.')
      return oneLine(caption.replaceAll(edit.find, () => edit.replace))
    case 'add-tag': {
      const tags = tagsIn(caption)
      const tag = oneLine(edit.tag)
      if (tag === '' || tags.includes(tag)) return caption
      return (edit.place === 'front' ? [tag, ...tags] : [...tags, tag]).join(', ')
    }
    case 'remove-tag': {
      const tags = tagsIn(caption)
      const kept = tags.filter((tag) => tag !== oneLine(edit.tag))
      return kept.length === tags.length ? caption : kept.join(', ')
    }
    case 'set':
      return oneLine(edit.caption)
  }
}

/** What stands between the commas of a caption. */
export function tagsIn(caption: string): string[] {
  return caption.split(',').map((tag) => oneLine(tag)).filter((tag) => tag !== '')
}

/** How often each tag occurs, the most frequent first. */
export function countTags(captions: readonly string[]): { readonly tag: string; readonly count: number }[] {
  const counts = new Map<string, number>()
  for (const caption of captions) for (const tag of new Set(tagsIn(caption))) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  return [...counts].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1))
}
