import type { Migration } from './index.ts'

/** Files that the library keeps, by their content: pictures, adapters, and what was made with them. */
export const picturesAndAdapters: Migration = {
  id: 4,
  name: 'pictures and adapters',
  up(database) {
    database.exec(`
      -- A picture file in the library folder, once however often it is used. Width and height are those of the upright picture.
      CREATE TABLE pictures (
        sha256          TEXT PRIMARY KEY CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
        file            TEXT NOT NULL UNIQUE,
        bytes           INTEGER NOT NULL CHECK (bytes > 0),
        width           INTEGER NOT NULL CHECK (width > 0),
        height          INTEGER NOT NULL CHECK (height > 0),
        -- 64 bits as hexadecimal digits; few differing bits mean pictures that look alike.
        perceptual_hash TEXT NOT NULL CHECK (length(perceptual_hash) = 16),
        added_at        TEXT NOT NULL
      ) STRICT;

      CREATE TABLE adapters (
        id            TEXT PRIMARY KEY,
        name          TEXT NOT NULL CHECK (name <> ''),
        sha256        TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
        file          TEXT NOT NULL,
        bytes         INTEGER NOT NULL CHECK (bytes > 0),
        -- What adapter.inspect found.
        summary       TEXT NOT NULL CHECK (json_valid(summary)),
        origin        TEXT NOT NULL CHECK (origin IN ('run', 'import', 'merge')),
        run_id        TEXT REFERENCES runs (id) ON DELETE SET NULL,
        trigger_words TEXT NOT NULL DEFAULT '',
        notes         TEXT NOT NULL DEFAULT '',
        strength      REAL NOT NULL DEFAULT 1.0,
        preview       TEXT REFERENCES pictures (sha256) ON DELETE SET NULL,
        added_at      TEXT NOT NULL,
        deleted_at    TEXT
      ) STRICT;

      CREATE UNIQUE INDEX adapters_by_content ON adapters (sha256) WHERE deleted_at IS NULL;
      CREATE INDEX adapters_by_run ON adapters (run_id);
      CREATE INDEX adapters_by_preview ON adapters (preview);

      -- A picture that was made in the studio, and everything it was made from.
      CREATE TABLE generations (
        id         TEXT PRIMARY KEY,
        picture    TEXT NOT NULL REFERENCES pictures (sha256),
        -- Pictures of one request.
        batch      TEXT NOT NULL,
        position   INTEGER NOT NULL CHECK (position >= 0),
        prompt     TEXT NOT NULL,
        seed       INTEGER NOT NULL CHECK (seed >= 0),
        recipe     TEXT NOT NULL CHECK (json_valid(recipe)),
        model_id   TEXT REFERENCES models (id) ON DELETE SET NULL,
        created_at TEXT NOT NULL,
        deleted_at TEXT
      ) STRICT;

      CREATE INDEX generations_by_age ON generations (created_at);
      CREATE INDEX generations_by_picture ON generations (picture);
      CREATE INDEX generations_by_model ON generations (model_id);
    `)
  },
}
