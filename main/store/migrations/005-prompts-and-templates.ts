import type { Migration } from './index.ts'

/** Texts that people write: sets of prompts, and prompts in stages. */
export const promptsAndTemplates: Migration = {
  id: 5,
  name: 'prompts and templates',
  up(database) {
    database.exec(`
      CREATE TABLE prompt_sets (
        id         TEXT PRIMARY KEY,
        name       TEXT NOT NULL CHECK (name <> ''),
        -- Held-out prompts are never trained on, so that what is shown with them was not learned by heart.
        kind       TEXT NOT NULL CHECK (kind IN ('training', 'held-out')),
        -- A JSON array of texts, which may hold {slots} and {one|of|these}.
        prompts    TEXT NOT NULL CHECK (json_type(prompts) = 'array'),
        negative   TEXT NOT NULL DEFAULT '',
        -- What each slot may become: a JSON object of arrays.
        slots      TEXT NOT NULL DEFAULT '{}' CHECK (json_type(slots) = 'object'),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        deleted_at TEXT
      ) STRICT;

      CREATE TABLE templates (
        id         TEXT PRIMARY KEY,
        name       TEXT NOT NULL CHECK (name <> ''),
        template   TEXT NOT NULL CHECK (json_type(template) = 'object'),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        deleted_at TEXT
      ) STRICT;
    `)
  },
}
