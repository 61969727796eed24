import type { Migration } from './index.ts'

/** Generations that are a repair know the picture that was repaired. */
export const repairedPictures: Migration = {
  id: 8,
  name: 'repaired pictures',
  up(database) {
    database.exec(`
      -- The picture as it was before; null for what was made from nothing.
      ALTER TABLE generations ADD COLUMN source TEXT REFERENCES pictures (sha256);
      CREATE INDEX generations_by_source ON generations (source);
    `)
  },
}
