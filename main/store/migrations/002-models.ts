import type { Migration } from './index.ts'

/** Checkpoints that the person has added. They stay where they lie: the library knows their paths and what was found in them. */
export const models: Migration = {
  id: 2,
  name: 'models',
  up(database) {
    database.exec(`
      CREATE TABLE models (
        id         TEXT PRIMARY KEY,
        name       TEXT NOT NULL CHECK (name <> ''),
        -- Absolute.
        path       TEXT NOT NULL CHECK (path <> ''),
        family     TEXT NOT NULL CHECK (family IN ('sd1', 'sd2', 'sdxl')),
        -- What model.inspect found.
        summary    TEXT NOT NULL CHECK (json_valid(summary)),
        -- Whether nothing was at the path when it was last looked at.
        missing    INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
        built_in   INTEGER NOT NULL DEFAULT 0 CHECK (built_in IN (0, 1)),
        added_at   TEXT NOT NULL,
        -- Set while it lies in the bin.
        deleted_at TEXT
      ) STRICT;

      CREATE UNIQUE INDEX models_by_path ON models (path) WHERE deleted_at IS NULL;
    `)
  },
}
