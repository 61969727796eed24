import type { Migration } from './index.ts'

/** What pictures are judged by: rewards that were set up, and what a person said of pairs of pictures. */
export const rewardsAndRatings: Migration = {
  id: 7,
  name: 'rewards and ratings',
  up(database) {
    database.exec(`
      CREATE TABLE rewards (
        id         TEXT PRIMARY KEY,
        name       TEXT NOT NULL CHECK (name <> ''),
        -- As a recipe has it.
        spec       TEXT NOT NULL CHECK (json_type(spec) = 'object'),
        notes      TEXT NOT NULL DEFAULT '',
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        deleted_at TEXT
      ) STRICT;

      CREATE TABLE ratings (
        id        INTEGER PRIMARY KEY,
        -- What the ratings are for, such as the name of a taste.
        taste     TEXT NOT NULL CHECK (taste <> ''),
        left_one  TEXT NOT NULL REFERENCES pictures (sha256),
        right_one TEXT NOT NULL REFERENCES pictures (sha256),
        preferred TEXT NOT NULL CHECK (preferred IN ('left', 'right', 'neither')),
        rated_at  TEXT NOT NULL,
        CHECK (left_one <> right_one)
      ) STRICT;

      CREATE INDEX ratings_by_taste ON ratings (taste);
      CREATE INDEX ratings_by_left ON ratings (left_one);
      CREATE INDEX ratings_by_right ON ratings (right_one);
    `)
  },
}
