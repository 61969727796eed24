import type { LibraryDatabase } from './database.ts'

export const PREFERENCES = ['left', 'right', 'neither'] as const
export type Preference = (typeof PREFERENCES)[number]

/** What a person said of two pictures. */
export interface Rating {
  /** SHA-256 of pictures of the library. */
  readonly left: string
  readonly right: string
  readonly preferred: Preference
}

/** @param taste what the ratings are for */
export function addRating(database: LibraryDatabase, taste: string, { left, right, preferred }: Rating): void {
  database
    .prepare('INSERT INTO ratings (taste, left_one, right_one, preferred, rated_at) VALUES (?, ?, ?, ?, ?)')
    .run(taste, left, right, preferred, new Date().toISOString())
}

/** Takes back the latest rating of a taste; whether there was one. */
export function removeLatestRating(database: LibraryDatabase, taste: string): boolean {
  const remove = 'DELETE FROM ratings WHERE id = (SELECT max(id) FROM ratings WHERE taste = ?)'
  return database.prepare(remove).run(taste).changes > 0
}

/** All ratings of a taste, in the order they were given. */
export function readRatings(database: LibraryDatabase, taste: string): Rating[] {
  return database
    .prepare<[string], Rating>('SELECT left_one AS "left", right_one AS "right", preferred FROM ratings WHERE taste = ? ORDER BY id')
    .all(taste)
}

/** How many ratings a taste has, and how many of them preferred a picture. */
export interface RatingCount {
  readonly taste: string
  readonly ratings: number
  readonly choices: number
}

/** Every taste that has ratings, by name. */
export function countRatings(database: LibraryDatabase): RatingCount[] {
  return database
    .prepare<[], RatingCount>(`
      SELECT taste, count(*) AS ratings, count(*) FILTER (WHERE preferred <> 'neither') AS choices
      FROM ratings GROUP BY taste ORDER BY taste
    `)
    .all()
}
