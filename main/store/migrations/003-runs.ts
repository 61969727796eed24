import type { Migration } from './index.ts'

/** Training runs: what was asked for, where they stand, what they told, and the queue of those that wait. */
export const runs: Migration = {
  id: 3,
  name: 'runs',
  up(database) {
    database.exec(`
      CREATE TABLE runs (
        id            TEXT PRIMARY KEY,
        name          TEXT NOT NULL CHECK (name <> ''),
        goal          TEXT NOT NULL CHECK (goal <> ''),
        state         TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'interrupted', 'finished', 'failed', 'stopped')),
        -- As it was given to the engine; the run's folder holds the completed one.
        recipe        TEXT NOT NULL CHECK (json_valid(recipe)),
        -- Inside the library folder.
        folder        TEXT NOT NULL UNIQUE,
        device        TEXT NOT NULL,
        model_id      TEXT REFERENCES models (id) ON DELETE SET NULL,
        update_number INTEGER NOT NULL DEFAULT 0 CHECK (update_number >= 0),
        updates       INTEGER NOT NULL CHECK (updates > 0),
        -- Why it is paused or has failed: message and nextStep.
        reason        TEXT CHECK (reason IS NULL OR json_valid(reason)),
        created_at    TEXT NOT NULL,
        started_at    TEXT,
        ended_at      TEXT,
        deleted_at    TEXT
      ) STRICT;

      CREATE INDEX runs_by_age ON runs (created_at);
      CREATE INDEX runs_by_model ON runs (model_id);

      -- Work for the engine that waits for its turn, oldest first.
      CREATE TABLE jobs (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id    TEXT NOT NULL UNIQUE REFERENCES runs (id) ON DELETE CASCADE,
        -- What the run is told as soon as it goes on: a JSON array of commands.
        commands  TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(commands)),
        queued_at TEXT NOT NULL
      ) STRICT;

      -- One row per update. An update that is made again after a crash takes the place of the one before.
      CREATE TABLE metrics (
        run_id        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        update_number INTEGER NOT NULL CHECK (update_number > 0),
        reward_mean   REAL NOT NULL,
        reward_spread REAL NOT NULL CHECK (reward_spread >= 0),
        reward_min    REAL NOT NULL,
        reward_max    REAL NOT NULL,
        gradient_norm REAL NOT NULL,
        learning_rate REAL NOT NULL,
        seconds       REAL NOT NULL CHECK (seconds >= 0),
        -- Mean of each part of the reward and of the penalties, by name.
        parts         TEXT NOT NULL CHECK (json_valid(parts)),
        PRIMARY KEY (run_id, update_number)
      ) STRICT, WITHOUT ROWID;

      -- Pictures that a run made for people, always from the same noise.
      CREATE TABLE samples (
        run_id        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        update_number INTEGER NOT NULL CHECK (update_number >= 0),
        position      INTEGER NOT NULL CHECK (position >= 0),
        -- Inside the library folder.
        file          TEXT NOT NULL,
        PRIMARY KEY (run_id, update_number, position)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE checkpoints (
        run_id        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        update_number INTEGER NOT NULL CHECK (update_number >= 0),
        -- Inside the library folder. Older ones are removed there as newer ones come.
        file          TEXT NOT NULL,
        best          INTEGER NOT NULL CHECK (best IN (0, 1)),
        PRIMARY KEY (run_id, update_number)
      ) STRICT, WITHOUT ROWID;

      -- What happened, in words: starts, pauses, warnings, crashes, the end.
      CREATE TABLE run_log (
        id            INTEGER PRIMARY KEY,
        run_id        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        at            TEXT NOT NULL,
        update_number INTEGER NOT NULL CHECK (update_number >= 0),
        kind          TEXT NOT NULL CHECK (kind <> ''),
        message       TEXT NOT NULL,
        next_step     TEXT NOT NULL
      ) STRICT;

      CREATE INDEX run_log_by_run ON run_log (run_id, id);
    `)
  },
}
