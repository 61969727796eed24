import type { RunPicture } from '../../../main/ipc/contract.ts'

/** The pictures of one moment of a run. */
export interface PictureTime {
  readonly update: number
  /** By position: the same place in every moment begins from the same noise. */
  readonly pictures: readonly RunPicture[]
}

/** A run's pictures moment by moment, oldest first. */
export function picturesByTime(pictures: readonly RunPicture[]): PictureTime[] {
  const times = Map.groupBy(pictures, ({ update }) => update)
  return [...times]
    .sort(([a], [b]) => a - b)
    .map(([update, those]) => ({ update, pictures: those.toSorted((a, b) => a.position - b.position) }))
}

/** What a person calls that moment. */
export function timeWords(update: number): string {
  return update === 0 ? 'Before training' : `After update ${update}`
}
