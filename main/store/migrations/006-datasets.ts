import type { Migration } from './index.ts'

/** Collections of captioned pictures, with every caption they ever had and the versions that were trained on. */
export const datasets: Migration = {
  id: 6,
  name: 'datasets',
  up(database) {
    database.exec(`
      CREATE TABLE datasets (
        id         TEXT PRIMARY KEY,
        name       TEXT NOT NULL CHECK (name <> ''),
        created_at TEXT NOT NULL,
        deleted_at TEXT
      ) STRICT;

      CREATE TABLE dataset_images (
        id         INTEGER PRIMARY KEY,
        dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
        picture    TEXT NOT NULL REFERENCES pictures (sha256),
        -- Of the file that it came from, without the folder.
        name       TEXT NOT NULL CHECK (name <> ''),
        -- The latest of its captions.
        caption    TEXT NOT NULL DEFAULT '',
        deleted_at TEXT
      ) STRICT;

      CREATE UNIQUE INDEX dataset_images_once ON dataset_images (dataset_id, picture) WHERE deleted_at IS NULL;
      CREATE INDEX dataset_images_by_name ON dataset_images (dataset_id, name, id);
      CREATE INDEX dataset_images_by_picture ON dataset_images (picture);

      -- Every caption that an image has had. Those of one edit are undone together.
      CREATE TABLE captions (
        image_id   INTEGER NOT NULL REFERENCES dataset_images (id) ON DELETE CASCADE,
        version    INTEGER NOT NULL CHECK (version > 0),
        caption    TEXT NOT NULL,
        edit       TEXT NOT NULL,
        written_at TEXT NOT NULL,
        PRIMARY KEY (image_id, version)
      ) STRICT, WITHOUT ROWID;

      CREATE INDEX captions_by_edit ON captions (edit);

      -- A dataset as it was at a time, as a folder of pictures and caption files that never changes.
      CREATE TABLE dataset_versions (
        dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
        version    INTEGER NOT NULL CHECK (version > 0),
        -- SHA-256 over its pictures and captions: what is the same is not made twice.
        content    TEXT NOT NULL,
        folder     TEXT NOT NULL UNIQUE,
        images     INTEGER NOT NULL CHECK (images > 0),
        made_at    TEXT NOT NULL,
        PRIMARY KEY (dataset_id, version),
        UNIQUE (dataset_id, content)
      ) STRICT, WITHOUT ROWID;
    `)
  },
}
